"""The shop's shelves: services, countries, what a search found, and the last look before buying."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import (
    ROWS,
    SUCCESS,
    Page,
    Reader,
    Row,
    View,
    bold,
    columns,
    escape,
    pager,
    title,
)
from bot.views.start import home_button, service_button
from db.models import Service
from services.accounts import Wallet
from services.catalog import Line, network_key

NAMES = 2 * (ROWS - 2)
"""How many short names are on a page, in two columns."""
QUANTITIES = (1, 2, 3, 5, 10)
MOST = 100
"""Numbers in one purchase."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the confirm screen is drawn from; `key` names the intent to buy."""

    service: Service
    line: Line
    quantity: int
    wallet: Wallet
    key: str
    own: tuple[int, str] | None = None
    """The total in the renter's own money: minor units and currency."""
    was: int | None = None
    """The price that they had tapped, where it has changed meanwhile."""
    stars: int | None = None
    """What it costs in Telegram Stars, where it can be paid for with them alone."""
    has_networks: bool = False
    """Whether a mobile network can be chosen."""

    @property
    def total(self) -> int:
        return self.line.price * self.quantity

    @property
    def missing(self) -> int:
        """What the wallet is short of; minor units."""
        return max(0, self.total - self.wallet.available)

    @property
    def most(self) -> int:
        return min(self.line.most, MOST)


def services(reader: Reader, page: Page[Service]) -> View:
    _ = reader.language._
    return View.of(
        [bold(_("Services")), "", _("Which service is the number for?")],
        [
            *columns(service_button(reader, service) for service in page.items),
            pager(reader, page, "services"),
            [reader.button(_("🔎 Search"), "search"), home_button(reader)],
        ],
    )


def countries(reader: Reader, page: Page[str]) -> View:
    _ = reader.language._
    return View.of(
        [bold(_("Countries")), "", _("Where should the number be from?")],
        [
            *columns(reader.button(reader.language.country(iso), "country", iso, 0) for iso in page.items),
            pager(reader, page, "countries"),
            [reader.button(_("🔎 Search"), "search"), home_button(reader)],
        ],
    )


def service(reader: Reader, service: Service, page: Page[Line], currency: str) -> View:
    """A service's countries with their prices."""
    _ = reader.language._
    return View.of(
        [bold(service.name), "", _("Which country? The cheapest come first.")],
        [
            *(
                [_line_button(reader, reader.language.country(line.country), line, currency)]
                for line in page.items
            ),
            pager(reader, page, "service", service.id or 0),
            [reader.button(_("‹ Services"), "services", 0), home_button(reader)],
        ],
    )


def country(reader: Reader, iso: str, page: Page[tuple[Service, Line]], currency: str) -> View:
    """A country's services with their prices."""
    _ = reader.language._
    return View.of(
        [bold(reader.language.country(iso)), "", _("Which service? The cheapest come first.")],
        [
            *([_line_button(reader, service.name, line, currency)] for service, line in page.items),
            pager(reader, page, "country", iso),
            [reader.button(_("‹ Countries"), "countries", 0), home_button(reader)],
        ],
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a search may have meant: a service, a country, or a line, which has both."""

    service: Service | None = None
    country: str | None = None
    line: Line | None = None


def results(reader: Reader, text: str, found: Sequence[Found], currency: str) -> View:
    _ = reader.language._
    rows = [[_found_button(reader, one, currency)] for one in found[:ROWS]]
    return View.of(
        [_("Found for “{text}”:").format(text=escape(text))],
        [*rows, [home_button(reader)]],
    )


def nothing_found(reader: Reader, text: str, suggested: Sequence[Service]) -> View:
    _ = reader.language._
    return View.of(
        [
            _("I found nothing for “{text}”.").format(text=escape(text)),
            "",
            _("Write a service, a country or both, like <i>whatsapp indonesia</i>, or pick one:"),
        ],
        [
            *columns(service_button(reader, service) for service in suggested),
            [reader.button(_("All services"), "services", 0), reader.button(_("Countries"), "countries", 0)],
        ],
    )


def gone(reader: Reader) -> View:
    """For a shelf that has been sold out since the button was drawn."""
    _ = reader.language._
    return View.of(
        [_("Sold out at the moment. Other services and countries are in stock.")],
        [
            [reader.button(_("All services"), "services", 0), reader.button(_("Countries"), "countries", 0)],
            [home_button(reader)],
        ],
    )


def confirm(reader: Reader, offer: Offer) -> View:
    """The last look: what, how much, and the button that buys."""
    language, line = reader.language, offer.line
    _ = language._
    where = line.service_id, line.country
    total = language.money(offer.total, offer.wallet.currency)
    buy = _("Buy for {amount}") if offer.quantity == 1 else _("Buy {count} for {amount}")
    return View.of(
        _confirm_lines(reader, offer),
        [
            [
                reader.button(
                    buy.format(count=language.number(offer.quantity), amount=total),
                    "buy",
                    offer.key,
                    *where,
                    offer.quantity,
                    line.price,
                    *_network_arguments(line),
                    style=SUCCESS,
                )
            ],
            _stars_row(reader, offer),
            _quantity_row(reader, offer),
            _network_row(reader, offer),
            [
                reader.button(_("Other countries"), "service", line.service_id, 0),
                reader.button(_("Other services"), "country", line.country, 0),
            ],
            [home_button(reader)],
        ],
    )


def _confirm_lines(reader: Reader, offer: Offer) -> list[str]:
    language, currency = reader.language, offer.wallet.currency
    _ = language._
    lines = [title(language, offer.service.name, offer.line.country), ""]
    if offer.line.network:
        lines.append(_("Network: {name}").format(name=bold(offer.line.network)))
    if offer.was is not None:
        lines += [
            _("The price has changed from {old} to {new}.").format(
                old=language.money(offer.was, currency), new=language.money(offer.line.price, currency)
            ),
            "",
        ]
    lines.append(
        _("Price: {amount} a number").format(amount=bold(language.money(offer.line.price, currency)))
    )
    if offer.quantity > 1:
        total = _("Together: {amount}").format(amount=bold(language.money(offer.total, currency)))
        lines.append(total)
    if offer.own:
        lines[-1] += f" (≈ {language.money(*offer.own)})"
    lines += [
        *_stock_lines(language, offer.line),
        _("Your balance: {amount}").format(amount=language.money(offer.wallet.available, currency)),
        "",
        _("You pay only if a code comes. If none does, the money goes back by itself."),
    ]
    if offer.missing:
        short = _("You need {amount} more to buy this.")
        lines += ["", "⚠️ " + short.format(amount=bold(language.money(offer.missing, currency)))]
    return lines


def _stars_row(reader: Reader, offer: Offer) -> Row:
    """Another way to pay; the way on where the balance is too low."""
    _ = reader.language._
    row = []
    if offer.stars:
        label = _("Pay {stars} ⭐").format(stars=reader.language.number(offer.stars))
        where = offer.line.service_id, offer.line.country
        row.append(
            reader.button(label, "pay", offer.key, *where, offer.line.price, *_network_arguments(offer.line))
        )
    if offer.missing:
        row.append(reader.button(_("Top up"), "topup"))
    return row


def _stock_lines(language: Language, line: Line) -> list[str]:
    """Nothing where no supplier tells."""
    if not line.stock:
        return []
    text = language._("In stock: {count}") if line.is_stock_told else language._("In stock: {count} or more")
    return [text.format(count=language.number(line.stock))]


def _network_row(reader: Reader, offer: Offer) -> Row:
    if not offer.has_networks:
        return []
    label = reader.language._("Network: {name}").format(name=offer.line.network or reader.language._("any"))
    return [reader.button(label, "networks", offer.line.service_id, offer.line.country, offer.quantity, 0)]


def _network_arguments(line: Line) -> list[int]:
    """What a button ends with whose line is of one mobile network."""
    return [network_key(line.network)] if line.network else []


def networks(reader: Reader, service: Service, page: Page[Line], quantity: int, currency: str) -> View:
    """The mobile networks of a country, with their prices; the first line is that of any."""
    _ = reader.language._
    money, where = reader.language.money, (page.items[0].service_id, page.items[0].country)
    return View.of(
        [
            title(reader.language, service.name, where[1]),
            "",
            _("Which mobile network? “Any” is right for most websites."),
        ],
        [
            *(
                [
                    reader.button(
                        f"{line.network or _('Any')} · {money(line.price, currency)}",
                        "confirm",
                        *where,
                        quantity,
                        *_network_arguments(line),
                    )
                ]
                for line in page.items
            ),
            pager(reader, page, "networks", *where, quantity),
            [reader.button(_("‹ Back"), "confirm", *where, quantity)],
        ],
    )


def _quantity_row(reader: Reader, offer: Offer) -> Row:
    if offer.most < 2:
        return []
    number = reader.language.number
    where, network = (offer.line.service_id, offer.line.country), _network_arguments(offer.line)
    choices = [quantity for quantity in QUANTITIES if quantity <= offer.most]
    row = [
        reader.button(
            f"• {number(quantity)} •" if quantity == offer.quantity else number(quantity),
            "confirm",
            *where,
            quantity,
            *network,
        )
        for quantity in choices
    ]
    return [*row, reader.button(reader.language._("Other…"), "other", *where, *network)]


def ask_quantity(reader: Reader, service: Service, line: Line, *, wrong: bool = False) -> View:
    """The question behind "Other…"; `wrong` where the last answer was no such number."""
    _ = reader.language._
    most = reader.language.number(min(line.most, MOST))
    question = (
        _("Please write a whole number from 1 to {most}.")
        if wrong
        else _("How many numbers? Write a whole number from 1 to {most}.")
    )
    return View.of(
        [
            title(reader.language, service.name, line.country),
            "",
            question.format(most=most),
        ],
        [
            [
                reader.button(
                    _("‹ Back"), "confirm", line.service_id, line.country, 1, *_network_arguments(line)
                )
            ]
        ],
    )


def ask_search(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("What do you need? Write a service, a country or both, like <i>whatsapp indonesia</i>.")],
        [[reader.button(_("‹ Back"), "home")]],
    )


def _line_button(reader: Reader, name: str, line: Line, currency: str) -> InlineKeyboardButton:
    price = reader.language.money(line.price, currency)
    return reader.button(f"{name} · {price}", "confirm", line.service_id, line.country, 1)


def _found_button(reader: Reader, found: Found, currency: str) -> InlineKeyboardButton:
    country = reader.language.country(found.country) if found.country else ""
    if found.line and found.service:
        return _line_button(reader, f"{found.service.name} · {country}", found.line, currency)
    if found.service:
        return service_button(reader, found.service)
    return reader.button(country, "country", found.country or "", 0)
