"""A renter's orders and money."""

from bot.views.cards import sign
from bot.views.payments import debt_lines
from bot.views.screen import Page, Reader, View, bold, code, escape, moment, pager
from bot.views.start import home_button
from db.models import LedgerEntry
from services.accounts import Wallet
from services.ledger import gateway
from services.orders import PurchaseView
from services.places import flag, format_phone
from services.vouchers import GATEWAY as VOUCHERS


def orders(reader: Reader, page: Page[PurchaseView], *, open_only: bool) -> View:
    """Every order is a button that opens its card."""
    _ = reader.language._
    empty = _("No numbers at the moment.") if open_only else _("Nothing here yet.")
    kind = "open" if open_only else "history"
    tabs = [
        reader.button(f"• {_('Open')} •" if open_only else _("Open"), "orders", "open", 0),
        reader.button(_("History") if open_only else f"• {_('History')} •", "orders", "history", 0),
    ]
    return View.of(
        [bold(_("My orders")), "", _("Tap one to see it.") if page.items else empty],
        [
            *([reader.button(_label(view), "open", _order_id(view))] for view in page.items),
            pager(reader, page, "orders", kind),
            tabs,
            [home_button(reader)],
        ],
    )


def balance(reader: Reader, wallet: Wallet) -> View:
    _ = reader.language._
    money = reader.language.money
    lines = [
        bold(_("Balance")),
        "",
        _("Available: {amount}").format(amount=bold(money(wallet.available, wallet.currency))),
        _("On hold for open orders: {amount}").format(amount=money(wallet.held, wallet.currency)),
    ]
    lines += debt_lines(reader.language, wallet)
    if wallet.moves:
        lines += ["", bold(_("Last moves")), *(move_line(reader, move) for move in wallet.moves)]
    lines += ["", _("Your id, for the operator: {id}").format(id=code(str(reader.user_id)))]
    return View.of(
        lines,
        [
            [reader.button(_("Top up"), "topup")],
            [reader.button(_("Redeem a code"), "redeem"), reader.button(_("Invite friends"), "invite")],
            [reader.button(_("My orders"), "orders", "open", 0), home_button(reader)],
        ],
    )


def move_line(reader: Reader, move: LedgerEntry) -> str:
    """One entry, as the owner of the wallet sees it."""
    _ = reader.language._
    sign = "+" if move.destination.startswith("wallet:") else "−"
    words = {
        "topup": _("top-up"),
        "voucher": _("voucher"),
        "hold": _("set aside for order {id}"),
        "release": _("back from order {id}"),
        "refund": _("refund for order {id}"),
        "reward": _("reward for an invitation"),
        "correction": _("correction"),
        "return": _("Stars paid back"),
        "settlement": _("settled a debt"),
        "sms_hold": _("code by SMS"),
        "sms_release": _("back from an SMS that was not sent"),
    }
    kind = "voucher" if move.source == gateway(VOUCHERS) else move.kind
    what = words.get(kind, kind).format(id=move.order_id)
    reason = f" ({escape(move.reason)})" if move.reason else ""
    amount = reader.language.money(move.amount, move.currency)
    return f"{sign} {amount} · {what}{reason}, {moment(move.created_at)}"


def _order_id(view: PurchaseView) -> int:
    order_id = view.orders[0].order.id
    assert order_id is not None
    return order_id


def _label(view: PurchaseView) -> str:
    order = view.orders[0].order
    number = format_phone(order.phone_number) if order.phone_number else ""
    return f"{sign(order.status)} {view.service.name} {flag(view.purchase.country)} {number}".strip()
