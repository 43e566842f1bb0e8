"""The first screen after the terms: what matters to this renter, one tap away."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, WebAppInfo

from bot.language import Language
from bot.views.cards import sign
from bot.views.closing import notice
from bot.views.offers import network_arguments
from bot.views.screen import Reader, Row, View, bold, columns, escape
from bot.views.start import home_button, service_button
from db.models import Order, Service
from services.favourites import Choice
from services.lines import Line
from services.places import flag

ROWS = 8
"""Of buttons, so that a phone shows them all."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be bought again; `line` is None while it is sold out."""

    service: Service
    choice: Choice
    line: Line | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the home screen is drawn from."""

    available: int
    """In the wallet, in minor units of `currency`."""
    currency: str
    pinned: Sequence[Offer]
    bought: Sequence[Offer]
    popular: Sequence[Service]
    """The most wanted first."""
    open_orders: int
    newest: tuple[Order, Service, str] | None
    """Of the open orders, with what it is for and in which country."""
    works_here: bool
    closed: str | None = None
    """As `Maintenance.notice` tells it."""
    page_url: str = ""
    """Where the page of the shop is; empty where Telegram cannot open it."""


def home(reader: Reader, facts: Facts) -> View:
    _ = reader.language._
    money = reader.language.money(facts.available, facts.currency)
    offers = [*facts.pinned, *facts.bought]
    own = [*_open_rows(reader, facts), *_offer_rows(reader, facts)]
    ways = _ways(reader, facts)
    popular = columns(service_button(reader, service) for service in facts.popular)
    stock = [line for offer in offers if (line := _stock_line(reader.language, offer))]
    return View.of(
        [
            bold(_("Rent a number, get the code here")),
            "",
            *([f"🛠 {escape(notice(reader.language, facts.closed))}", ""] if facts.closed is not None else []),
            _("Balance: {amount}").format(amount=bold(money)) + reader.about(facts.available),
            "",
            *stock,
            *([""] if stock else []),
            _("Pick a service, or just write what you need, like <i>whatsapp indonesia</i>.")
            if facts.popular
            else _("Nothing is for sale at the moment. Please look again in a few minutes."),
        ],
        [*own, *popular[: ROWS - len(own) - len(ways)], *ways],
    )


def _open_rows(reader: Reader, facts: Facts) -> list[Row]:
    """Straight to the card where there is one open order, else to their list."""
    if facts.newest is None:
        return []
    if facts.open_orders > 1:
        label = reader.language._("🟢 Open orders: {count}")
        count = reader.language.number(facts.open_orders)
        return [[reader.button(label.format(count=count), "orders", "open", 0)]]
    order, service, country = facts.newest
    label = reader.language._("{sign} Open order: {what}")
    what = f"{reader.language.service(service.name)} {flag(country)}"
    return [[reader.button(label.format(sign=sign(order.status), what=what), "open", order.id or 0)]]


def _offer_rows(reader: Reader, facts: Facts) -> list[Row]:
    _ = reader.language._
    pinned = [[_offer_button(reader, "★ {offer}", offer, facts.currency)] for offer in facts.pinned]
    again = _("Buy again: {offer}")
    return [*pinned, *([_offer_button(reader, again, offer, facts.currency)] for offer in facts.bought)]


def _offer_button(reader: Reader, label: str, offer: Offer, currency: str) -> InlineKeyboardButton:
    """With today's price."""
    price = reader.language.money(offer.line.price, currency) if offer.line else reader.language._("sold out")
    choice = offer.choice
    return reader.button(
        label.format(offer=f"{_name(reader.language, offer)} · {price}"),
        "confirm",
        choice.service_id,
        choice.country,
        1,
        *network_arguments(choice.network),
    )


def _stock_line(language: Language, offer: Offer) -> str:
    """Nothing where no supplier tells."""
    if offer.line is None or not offer.line.stock:
        return ""
    words = (
        language._("{offer}: {count} in stock")
        if offer.line.is_stock_told
        else language._("{offer}: {count} or more in stock")
    )
    return words.format(offer=escape(_name(language, offer)), count=language.number(offer.line.stock))


def _name(language: Language, offer: Offer) -> str:
    """ "WhatsApp 🇮🇩 Telkomsel"."""
    service, network = language.service(offer.service.name), offer.choice.network or ""
    return f"{service} {flag(offer.choice.country)} {network}".strip()


def _ways(reader: Reader, facts: Facts) -> list[Row]:
    _ = reader.language._
    last = [
        reader.button(_("My orders"), "orders", "open", 0),
        reader.button(_("Balance"), "balance"),
        reader.button(_("More…"), "more"),
    ]
    if facts.works_here:
        last.append(reader.button(_("Operator"), "panel"))
    page = InlineKeyboardButton(_("Open the shop page"), web_app=WebAppInfo(facts.page_url))
    return [
        *([[page]] if facts.page_url else []),
        [
            reader.button(_("🔎 Search"), "search"),
            reader.button(_("All services"), "services", 0),
            reader.button(_("Countries"), "countries", 0),
        ],
        last,
    ]


def more(reader: Reader) -> View:
    """What is not needed every day."""
    _ = reader.language._
    return View.of(
        [bold(_("More"))],
        [
            [reader.button(_("Settings"), "settings"), reader.button(_("Invite friends"), "invite")],
            [reader.button(_("Help"), "help"), reader.button(_("Support"), "support")],
            [reader.button(_("Help with a payment"), "paysupport")],
            [reader.button(_("Terms"), "terms"), reader.button(_("Privacy"), "privacy")],
            [home_button(reader)],
        ],
    )
