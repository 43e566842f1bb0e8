"""The card of a purchase, and the message that brings a code.

A message that is a purchase's card stays that card: what leads away from it opens a message of its own.
"""

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import (
    DANGER,
    SUCCESS,
    Page,
    Reader,
    Row,
    View,
    code,
    copy_button,
    moment,
    pager,
    title,
)
from db.models import OrderStatus, Purchase, Sms
from services.catalog import network_key
from services.orders import OrderView, PurchaseView

NUMBERS = 10
"""How many numbers of a purchase are listed on a page."""
_SMS_LIMIT = 3000
_SIGNS = {
    OrderStatus.PENDING: "⏳",
    OrderStatus.ACTIVE: "🟢",
    OrderStatus.RECEIVED: "✉️",
    OrderStatus.COMPLETED: "✅",
    OrderStatus.FAILED: "⚪️",
    OrderStatus.CANCELED: "⚪️",
    OrderStatus.EXPIRED: "⚪️",
}


def card(reader: Reader, view: PurchaseView, page: int = 0) -> View:
    """A purchase as it stands: one number with all about it, or the list of its numbers."""
    if view.purchase.quantity == 1:
        return order_card(reader, view, view.orders[0])
    return _purchase_card(reader, view, Page.of(view.orders, page, NUMBERS))


def order_card(reader: Reader, view: PurchaseView, shown: OrderView) -> View:
    """One number."""
    return View.of(
        [
            title(reader.language, view.service.name, view.purchase.country),
            "",
            *_number_lines(reader.language, shown),
            *_state_lines(reader.language, view.purchase, shown),
            *_notice_lines(reader.language, shown),
            "",
            reader.language._("Order {id}").format(id=shown.order.id),
        ],
        _order_rows(reader, view.purchase, shown),
    )


def code_message(reader: Reader, view: PurchaseView, sms: Sms) -> View:
    """What arrived, to be copied with one tap; the whole text where no code was found in it."""
    _ = reader.language._
    content = sms.code or (sms.text or "")[:_SMS_LIMIT]
    label = _("Copy {code}").format(code=sms.code) if sms.code else _("Copy text")
    lines = [code(content), "", title(reader.language, view.service.name, view.purchase.country)]
    lines += [code(shown.order.phone_number) for shown in view.orders if shown.order.phone_number]
    return View.of(lines, [[copy_button(label, content)]])


def sign(status: OrderStatus) -> str:
    """How an order stands, at a glance."""
    return _SIGNS[OrderStatus(status)]


def _number_lines(language: Language, shown: OrderView) -> list[str]:
    lines = [code(shown.order.phone_number), ""] if shown.order.phone_number else []
    for sms in shown.sms:
        if sms.late:
            lines.append(language._("An SMS came after the money had gone back. It is not shown."))
        elif sms.code or sms.text:
            content = sms.code or (sms.text or "")[: _SMS_LIMIT // 10]
            lines.append(language._("Code: {code}").format(code=f"<b>{code(content)}</b>"))
        else:
            lines.append(language._("There was a code; it has been erased since."))
    return lines


def _state_lines(language: Language, purchase: Purchase, shown: OrderView) -> list[str]:
    _ = language._
    order = shown.order
    price = language.money(purchase.price, purchase.currency)
    until = moment(order.expires_at) if order.expires_at else ""
    held = _("Price: {price}, taken when the code comes")
    back = _("{price} went back to your balance.")
    if purchase.stars:
        price = f"{language.number(purchase.stars)} ⭐"
        held = _("Paid: {price}. If no code comes, they come back by themselves.")
        back = _("Your {price} come back by themselves.")
    match OrderStatus(order.status):
        case OrderStatus.PENDING:
            lines = [_("Getting your number…"), held]
        case OrderStatus.ACTIVE:
            lines = [_("Waiting for the code. Ends {until}"), held]
        case OrderStatus.RECEIVED:
            lines = [_("Paid: {price}"), _("More codes may come. Ends {until}")]
        case OrderStatus.COMPLETED:
            lines = [_("Finished. Paid: {price}")]
        case OrderStatus.FAILED:
            lines = [_failure(language, purchase), back]
        case OrderStatus.CANCELED:
            lines = [f"{_('Canceled.')} {back}"]
        case OrderStatus.EXPIRED:
            lines = [f"{_('No code came in time.')} {back}"]
    return [line.format(price=price, until=until) for line in lines]


def _failure(language: Language, purchase: Purchase) -> str:
    if purchase.failure == "supplier_trouble":
        return language._("Our supplier could not be reached, so there is no number.")
    return language._("The last number has just been sold to somebody else.")


def _notice_lines(language: Language, shown: OrderView) -> list[str]:
    _ = language._
    order = shown.order
    if order.status == OrderStatus.ACTIVE and order.cancel_requested_at and order.activated_at:
        possible_at = moment(order.activated_at + shown.can.cancel_after)
        notice = _("Will be canceled as soon as the supplier allows it, {when}, unless a code comes first.")
        return ["", notice.format(when=possible_at)]
    notices = {
        "resend_asked": _("Asking for another SMS…"),
        "resent": _("Another SMS was asked for."),
        "resend_refused": _("Another SMS is not possible for this number."),
        "cancel_refused": _("The supplier refused to cancel. You can try again."),
    }
    return ["", notices[order.notice]] if order.notice in notices else []


def _order_rows(reader: Reader, purchase: Purchase, shown: OrderView) -> list[Row]:
    _ = reader.language._
    rows = [_copy_row(reader.language, shown), _action_row(reader, shown)]
    if shown.order.ended_at:
        rows.append(_after_row(reader, purchase))
    if purchase.quantity > 1:
        rows.append([reader.button(_("‹ All numbers"), "purchase", purchase.id or 0, 0)])
    return rows


def _copy_row(language: Language, shown: OrderView) -> Row:
    if shown.order.ended_at or not shown.order.phone_number:
        return []
    return [copy_button(language._("Copy number"), shown.order.phone_number)]


def _action_row(reader: Reader, shown: OrderView) -> Row:
    """What can be done with the number now."""
    _ = reader.language._
    order, can = shown.order, shown.can
    row = []
    is_open = order.status in (OrderStatus.ACTIVE, OrderStatus.RECEIVED)
    if is_open and can.resend and order.notice != "resend_asked":
        row.append(_order_button(reader, _("Resend"), "resend", shown))
    if order.status == OrderStatus.RECEIVED and can.finish:
        row.append(_order_button(reader, _("Finish"), "finish", shown, style=SUCCESS))
    if order.status == OrderStatus.ACTIVE and can.cancel and not order.cancel_requested_at:
        row.append(_order_button(reader, _("Cancel"), "cancel", shown, style=DANGER))
    return row


def _order_button(
    reader: Reader, label: str, action: str, shown: OrderView, *, style: str | None = None
) -> InlineKeyboardButton:
    return reader.button(label, action, shown.order.id or 0, style=style)


def _after_row(reader: Reader, purchase: Purchase) -> Row:
    _ = reader.language._
    network = [network_key(purchase.network)] if purchase.network else []
    return [
        reader.button(_("Buy again"), "again", purchase.service_id, purchase.country, *network),
        reader.button(_("Menu"), "menu"),
    ]


def _purchase_card(reader: Reader, view: PurchaseView, page: Page[OrderView]) -> View:
    _ = reader.language._
    purchase = view.purchase
    first = page.number * NUMBERS + 1
    lines = [_number_line(reader.language, at, shown) for at, shown in enumerate(page.items, first)]
    opening = [
        reader.button(_("Open {at}").format(at=at), "number", shown.order.id or 0)
        for at, shown in enumerate(page.items, first)
        if shown.order.phone_number
    ]
    ended = all(shown.order.ended_at for shown in view.orders)
    return View.of(
        [
            title(reader.language, view.service.name, view.purchase.country),
            "",
            *lines,
            "",
            *_sums(reader.language, view),
            _("Purchase {id}").format(id=purchase.id),
        ],
        [
            opening[:5],
            opening[5:],
            pager(reader, page, "purchase", purchase.id or 0),
            _after_row(reader, purchase) if ended else [],
        ],
    )


def _number_line(language: Language, at: int, shown: OrderView) -> str:
    number = code(shown.order.phone_number) if shown.order.phone_number else "…"
    codes = " ".join(code(sms.code) for sms in shown.sms if sms.code and not sms.late)
    return f"{at}. {sign(shown.order.status)} {number} {codes}".rstrip()


def _sums(language: Language, view: PurchaseView) -> list[str]:
    """What was paid, what waits, what went back."""
    _ = language._
    purchase = view.purchase
    states = [shown.order.status for shown in view.orders]
    lines = []
    for text, statuses in (
        (_("Paid: {amount}"), {OrderStatus.RECEIVED, OrderStatus.COMPLETED}),
        (_("On hold: {amount}"), {OrderStatus.PENDING, OrderStatus.ACTIVE}),
        (_("Went back: {amount}"), {OrderStatus.FAILED, OrderStatus.CANCELED, OrderStatus.EXPIRED}),
    ):
        count = sum(status in statuses for status in states)
        if count:
            lines.append(text.format(amount=language.money(count * purchase.price, purchase.currency)))
    if OrderStatus.FAILED in states:
        lines.append(_failure(language, purchase))
    return lines
