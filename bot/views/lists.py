"""A renter's orders and money."""

from enum import StrEnum

from bot.language import Language
from bot.spreadsheet import Cell
from bot.views import timelines
from bot.views.cards import kept_code_row, sign
from bot.views.payments import debt_lines
from bot.views.screen import Page, Reader, Row, View, bold, code, columns, escape, moment, pager, title
from bot.views.start import home_button
from db.models import LedgerEntry, Service
from services.accounts import Wallet
from services.ledger import gateway
from services.money import to_decimal
from services.orders import PurchaseView
from services.places import flag, format_phone
from services.statements import Line
from services.timelines import Timeline
from services.vouchers import GATEWAY as VOUCHERS

LIST = "list"
"""A button to a shelf, a service (0: all of them) and a page."""


class Shelf(StrEnum):
    """Which of somebody's orders are listed."""

    OPEN = "open"
    HISTORY = "history"
    WITH_CODE = "code"
    WITHOUT_CODE = "none"

    @classmethod
    def _missing_(cls, value: object) -> "Shelf":
        """What older buttons say."""
        return cls.HISTORY


def orders(reader: Reader, page: Page[PurchaseView], shelf: Shelf, service: Service | None = None) -> View:
    """Every order is a button that opens its card. `service`: the one that all of them are for."""
    _ = reader.language._
    empty = _("No numbers at the moment.") if shelf is Shelf.OPEN else _("Nothing here yet.")
    return View.of(
        [bold(_("My orders")), "", _("Tap one to see it.") if page.items else empty],
        [
            *([reader.button(_label(reader.language, view), "open", _order_id(view))] for view in page.items),
            pager(reader, page, LIST, *_place(shelf, service)),
            _shelf_row(reader, shelf, service),
            [*_service_row(reader, shelf, service), home_button(reader)],
        ],
    )


def _place(shelf: Shelf, service: Service | None) -> tuple[str, int]:
    """What a button to one of the lists says before the page's number."""
    return shelf.value, (service.id or 0) if service else 0


def _shelf_row(reader: Reader, shown: Shelf, service: Service | None) -> Row:
    """Open or history; within the history all or some of it."""
    _ = reader.language._
    shelves = {Shelf.OPEN: _("Open"), Shelf.HISTORY: _("History")}
    if shown is not Shelf.OPEN:
        shelves |= {
            Shelf.HISTORY: _("All"),
            Shelf.WITH_CODE: _("With code"),
            Shelf.WITHOUT_CODE: _("Without"),
        }
    return [
        reader.button(f"• {label} •" if shelf is shown else label, LIST, *_place(shelf, service), 0)
        for shelf, label in shelves.items()
    ]


def _service_row(reader: Reader, shown: Shelf, service: Service | None) -> Row:
    """Of the history: which service it is shown for, and the way to another."""
    if shown is Shelf.OPEN:
        return []
    label = f"• {reader.language.service(service.name)} •" if service else reader.language._("All services")
    return [reader.button(label, "ordered", shown.value, 0)]


def ordered_services(reader: Reader, page: Page[Service], shelf: Shelf) -> View:
    """Which service the history shall be shown for."""
    _ = reader.language._
    return View.of(
        [bold(_("My orders")), "", _("Which service?")],
        [
            *columns(
                reader.button(reader.language.service(service.name), LIST, *_place(shelf, service), 0)
                for service in page.items
            ),
            pager(reader, page, "ordered", shelf.value),
            [reader.button(_("All services"), LIST, *_place(shelf, None), 0), home_button(reader)],
        ],
    )


def timeline(reader: Reader, view: PurchaseView, shown: Timeline, *, retention_days: int) -> View:
    """What happened to an order; the code once more, while it is kept."""
    _ = reader.language._
    kept = reader.language.ngettext(
        "Times are in UTC. Codes are erased after {days} day.",
        "Times are in UTC. Codes are erased after {days} days.",
        retention_days,
    )
    return View.of(
        [
            title(reader.language, view.service.name, view.purchase.country),
            _("Order {id}").format(id=shown.order_id),
            "",
            *timelines.lines(reader.language, shown),
            "",
            kept.format(days=reader.language.number(retention_days)),
        ],
        [kept_code_row(reader.language, view.orders[0]), [home_button(reader)]],
    )


def balance(reader: Reader, wallet: Wallet) -> View:
    _ = reader.language._
    money = reader.language.money
    lines = [
        bold(_("Balance")),
        "",
        _("Available: {amount}").format(amount=bold(money(wallet.available, wallet.currency)))
        + reader.about(wallet.available),
        _("Reserved for open orders: {amount}").format(amount=money(wallet.held, wallet.currency)),
    ]
    lines += debt_lines(reader.language, wallet)
    if wallet.moves:
        lines += ["", bold(_("Latest changes")), *(move_line(reader, move) for move in wallet.moves)]
    lines += ["", _("Your id, if support asks: {id}").format(id=code(str(reader.user_id)))]
    return View.of(
        lines,
        [
            [reader.button(_("Top up"), "topup")],
            [reader.button(_("Redeem a voucher"), "redeem"), reader.button(_("Invite friends"), "invite")],
            [
                reader.button(_("My orders"), "orders", "open", 0),
                reader.button(_("Statement"), "statement"),
                home_button(reader),
            ],
        ],
    )


def statement_header(language: Language) -> list[str]:
    _ = language._
    return [_("Time (UTC)"), _("What"), _("Order"), _("Amount"), _("Balance"), _("Currency"), _("Note")]


def statement_row(language: Language, line: Line) -> list[Cell]:
    """One move of somebody's money, for a spreadsheet."""
    move = line.move
    return [
        move.created_at,
        move_words(language, move),
        move.order_id,
        to_decimal(line.amount, move.currency),
        to_decimal(line.balance, move.currency),
        move.currency,
        move.reason,
    ]


def move_line(reader: Reader, move: LedgerEntry) -> str:
    """One entry, as the owner of the wallet sees it."""
    sign = "+" if move.destination.startswith("wallet:") else "−"
    what = move_words(reader.language, move)
    reason = " " + reader.language.isolate(f"({escape(move.reason)})") if move.reason else ""
    isolate, amount = reader.language.isolate, reader.language.money(move.amount, move.currency)
    return " · ".join((isolate(f"{sign} {amount}"), what + reason, isolate(moment(move.created_at))))


def move_words(language: Language, move: LedgerEntry) -> str:
    """Why money moved."""
    _ = language._
    words = {
        "topup": _("top-up"),
        "voucher": _("voucher"),
        "hold": _("reserved for order {id}"),
        "release": _("back from order {id}"),
        "late": _("late code of order {id}"),
        "refund": _("refund for order {id}"),
        "reward": _("reward for an invitation"),
        "correction": _("correction"),
        "return": _("Stars paid back"),
        "settlement": _("settled a debt"),
        "sms_hold": _("code by SMS"),
        "sms_release": _("back from an SMS that was not sent"),
    }
    kind = "voucher" if move.source == gateway(VOUCHERS) else move.kind
    return words.get(kind, kind).format(id=move.order_id)


def _order_id(view: PurchaseView) -> int:
    order_id = view.orders[0].order.id
    assert order_id is not None
    return order_id


def _label(language: Language, view: PurchaseView) -> str:
    order = view.orders[0].order
    name = language.isolate(language.service(view.service.name))
    number = language.isolate(format_phone(order.phone_number)) if order.phone_number else ""
    return f"{sign(order.status)} {name} {flag(view.purchase.country)} {number}".strip()
