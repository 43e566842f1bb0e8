"""An offer: the last look before buying, and what can be chosen about it."""

from dataclasses import dataclass

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import SUCCESS, Page, Reader, Row, View, bold, pager, title
from bot.views.start import home_button
from db.models import Service
from services.accounts import Wallet
from services.favourites import Choice
from services.lines import Line, network_key

QUANTITIES = (1, 2, 3, 5, 10)
MINUTE = 60
"""Seconds."""
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
    was: int | None = None
    """The price that they had tapped, where it has changed meanwhile."""
    stars: int | None = None
    """What it costs in Telegram Stars, where it can be paid for with them alone."""
    has_networks: bool = False
    """Whether a mobile network can be chosen."""
    is_pinned: bool = False

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
                    *network_arguments(line.network),
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
            [
                pin_button(
                    reader,
                    Choice(line.service_id, line.country, line.network),
                    offer.quantity,
                    is_pinned=offer.is_pinned,
                ),
                *_lookout_row(reader, line),
            ],
            [home_button(reader)],
        ],
    )


def pin_button(reader: Reader, choice: Choice, quantity: int, *, is_pinned: bool) -> InlineKeyboardButton:
    """What it says is how things are; a tap turns it over."""
    _ = reader.language._
    label = _("★ Pinned") if is_pinned else _("☆ Pin")
    where = choice.service_id, choice.country, quantity
    return reader.button(label, "pin", *where, 0 if is_pinned else 1, *network_arguments(choice.network))


def _lookout_row(reader: Reader, line: Line) -> Row:
    """Not for one mobile network: those are waited for by nobody."""
    if line.network:
        return []
    label = reader.language._("🔔 If it gets cheaper")
    return [reader.button(label, "cheaper", line.service_id, line.country)]


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
    lines[-1] += reader.about(offer.total)
    lines += [
        *_odds_lines(language, offer.line),
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
            reader.button(
                label, "pay", offer.key, *where, offer.line.price, *network_arguments(offer.line.network)
            )
        )
    if offer.missing:
        row.append(reader.button(_("Top up"), "topup"))
    return row


def _odds_lines(language: Language, line: Line) -> list[str]:
    """Nothing while too little is known."""
    if line.odds is None:
        return []
    percent, seconds = language.number(line.odds.percent), line.odds.seconds
    if seconds is None:
        return [language._("A code came in {percent} of 100 orders.").format(percent=percent)]
    if seconds < 2 * MINUTE:
        text = language.ngettext(
            "A code came in {percent} of 100 orders, half of them within {seconds} second.",
            "A code came in {percent} of 100 orders, half of them within {seconds} seconds.",
            seconds,
        )
        return [text.format(percent=percent, seconds=language.number(seconds))]
    minutes = seconds // MINUTE
    text = language.ngettext(
        "A code came in {percent} of 100 orders, half of them within {minutes} minute.",
        "A code came in {percent} of 100 orders, half of them within {minutes} minutes.",
        minutes,
    )
    return [text.format(percent=percent, minutes=language.number(minutes))]


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


def network_arguments(network: str | None) -> list[int]:
    """What a button ends with that is about one mobile network."""
    return [network_key(network)] if network else []


def networks(reader: Reader, service: Service, page: Page[Line], quantity: int, currency: str) -> View:
    """The mobile networks of a country, with their prices; the first line is that of any."""
    _ = reader.language._
    money, where = reader.language.money, (page.items[0].service_id, page.items[0].country)
    any_network = _("Any")
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
                        f"{line.network or any_network} · {money(line.price, currency)}",
                        "confirm",
                        *where,
                        quantity,
                        *network_arguments(line.network),
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
    where, network = (offer.line.service_id, offer.line.country), network_arguments(offer.line.network)
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
    return [*row, reader.button("…", "other", *where, *network)]


def ask_quantity(reader: Reader, service: Service, line: Line, *, wrong: bool = False) -> View:
    """The question behind "…"; `wrong` where the last answer was no such number."""
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
                    _("‹ Back"),
                    "confirm",
                    line.service_id,
                    line.country,
                    1,
                    *network_arguments(line.network),
                )
            ]
        ],
    )
