"""Being told when something is cheaper, or back in stock."""

from collections.abc import Sequence

from bot.buttons import new_key
from bot.language import Language
from bot.views.screen import SUCCESS, Reader, View, bold, title
from bot.views.start import home_button
from db.models import Lookout, Service
from services.lines import Line
from services.lookouts import ANY_PRICE, LIFETIME

DISCOUNTS = (5, 10, 20)
"""Percent below the price of today."""


def ask(reader: Reader, service: Service, line: Line, currency: str) -> View:
    """Below which price?"""
    _, money = reader.language._, reader.language.money
    where = line.service_id, line.country
    prices = [line.price, *(line.price * (100 - percent) // 100 for percent in DISCOUNTS)]
    label = _("Below {price}")
    return View.of(
        [
            title(reader.language, service.name, line.country),
            "",
            _("Now it costs {price}. Below which price do you want a message?").format(
                price=bold(money(line.price, currency))
            ),
        ],
        [
            *(
                [reader.button(label.format(price=money(price, currency)), "lookout", *where, price)]
                for price in prices
                if price
            ),
            [reader.button(_("‹ Back"), "confirm", *where, 1)],
        ],
    )


def added(reader: Reader, service: Service, country: str, below: int, currency: str) -> View:
    """`below`: zero for any price."""
    _, ngettext = reader.language._, reader.language.ngettext
    says = (
        ngettext(
            "I write to you when it costs less than {price}: once, within {days} day.",
            "I write to you when it costs less than {price}: once, within {days} days.",
            LIFETIME.days,
        )
        if below
        else ngettext(
            "I write to you when it is in stock again: once, within {days} day.",
            "I write to you when it is in stock again: once, within {days} days.",
            LIFETIME.days,
        )
    )
    price = reader.language.money(below, currency)
    return View.of(
        [
            title(reader.language, service.name, country),
            "",
            says.format(price=price, days=reader.language.number(LIFETIME.days)),
        ],
        [[reader.button(_("My price alerts"), "lookouts"), home_button(reader)]],
    )


def listed(reader: Reader, found: Sequence[tuple[Lookout, Service]], currency: str) -> View:
    """All that somebody waits for; a tap ends the waiting."""
    _ = reader.language._
    empty = _("None yet. You set one where you see a price.")
    return View.of(
        [bold(_("Price alerts")), "", _("A tap deletes one.") if found else empty],
        [
            *(
                [
                    reader.button(
                        f"✕ {_waited(reader.language, one, service, currency)}",
                        "unlookout",
                        one.id or 0,
                    )
                ]
                for one, service in found
            ),
            [reader.button(_("‹ Settings"), "settings"), home_button(reader)],
        ],
    )


def _waited(language: Language, one: Lookout, service: Service, currency: str) -> str:
    name, country = language.isolate(language.service(service.name)), language.country(one.country)
    waited = language._("{country}, in stock").format(country=country)
    if one.below != ANY_PRICE:
        price = language.money(one.below, currency)
        waited = language._("{country}, below {price}").format(country=country, price=price)
    return f"{name} · {waited}"


def come_true(reader: Reader, service: Service, country: str, price: int, currency: str) -> View:
    """The message, with a button that buys at the price that it names."""
    _ = reader.language._
    shown, where = reader.language.money(price, currency), (service.id or 0, country)
    return View.of(
        [
            "🔔 " + title(reader.language, service.name, country),
            "",
            _("You waited for it: now {price} a number.").format(price=bold(shown)),
        ],
        [
            [
                reader.button(
                    _("Buy for {amount}").format(amount=shown),
                    "buy",
                    new_key(),
                    *where,
                    1,
                    price,
                    style=SUCCESS,
                )
            ],
            [reader.button(_("Details"), "again", *where), home_button(reader)],
        ],
    )
