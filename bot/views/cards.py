"""The card of a purchase, and the message that brings a code.

A message that is a purchase's card stays that card: what leads away from it opens a message of its own.
"""

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views import problems
from bot.views.screen import (
    DANGER,
    SUCCESS,
    Page,
    Reader,
    Row,
    View,
    code,
    copy_button,
    escape,
    moment,
    pager,
    title,
)
from db.models import OrderStatus, Purchase, Sms
from services.lines import network_key
from services.orders import OrderView, PurchaseView
from services.swaps import MOST, SWAPPED, gives_up_at

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
        # Those before the last one were swapped.
        return order_card(reader, view, view.orders[-1])
    return _purchase_card(reader, view, Page.of(view.orders, page, NUMBERS))


def order_card(reader: Reader, view: PurchaseView, shown: OrderView) -> View:
    """One number."""
    return View.of(
        [
            *_title_lines(reader.language, view),
            "",
            *_story(reader.language, view, shown),
            *_number_lines(reader.language, shown),
            *_state_lines(reader.language, view.purchase, shown),
            *_late_lines(reader.language, view.purchase, shown),
            *_swap_lines(reader.language, view, shown),
            *_notice_lines(reader.language, shown),
            *problems.card_lines(reader.language, shown),
            "",
            reader.language._("Order {id}").format(id=shown.order.id),
        ],
        _order_rows(reader, view, shown),
    )


def code_message(reader: Reader, view: PurchaseView, sms: Sms) -> View:
    """What arrived, to be copied with one tap; the whole text where no code was found in it."""
    _ = reader.language._
    content = sms.code or (sms.text or "")[:_SMS_LIMIT]
    label = _("Copy {code}").format(code=sms.code) if sms.code else _("Copy text")
    lines = [code(content), "", title(reader.language, view.service.name, view.purchase.country)]
    phones = [shown.order.phone_number for shown in view.orders if shown.order.phone_number]
    lines += [reader.language.isolate(code(phone)) for phone in phones]
    return View.of(lines, [[copy_button(label, content)]])


def late_offer(reader: Reader, view: PurchaseView) -> View:
    """A message of its own about what came after an order had ended."""
    _ = reader.language._
    [shown] = view.orders
    return View.of(
        [
            title(reader.language, view.service.name, view.purchase.country),
            "",
            *(
                [reader.language.isolate(code(shown.order.phone_number)), ""]
                if shown.order.phone_number
                else []
            ),
            *_offer_lines(reader.language, view.purchase, shown),
            "",
            _("All that comes late to this number is then included, unless somebody else rents it."),
        ],
        [_offer_row(reader, view.purchase, shown)],
    )


def late_bought(reader: Reader, view: PurchaseView) -> View:
    """What becomes of the offer once it is taken."""
    _ = reader.language._
    price = reader.language.money(view.purchase.price, view.purchase.currency)
    return View.of(
        [
            title(reader.language, view.service.name, view.purchase.country),
            "",
            _("Bought for {price}. The code comes as a message.").format(price=price),
        ]
    )


def _offer_lines(language: Language, purchase: Purchase, shown: OrderView) -> list[str]:
    if not shown.on_offer or not shown.order.late_until:
        return []
    text = language.ngettext(
        "A code came after your order had ended. You can buy it for {price}; this offer ends {until}.",
        "{count} codes came after your order had ended. You can buy them for {price}; this offer ends"
        " {until}.",
        shown.on_offer,
    )
    return [
        text.format(
            count=language.number(shown.on_offer),
            price=language.money(purchase.price, purchase.currency),
            until=moment(shown.order.late_until),
        )
    ]


def _offer_row(reader: Reader, purchase: Purchase, shown: OrderView) -> Row:
    if not shown.on_offer:
        return []
    text = reader.language.ngettext(
        "Buy this code for {price}", "Buy these codes for {price}", shown.on_offer
    )
    price = reader.language.money(purchase.price, purchase.currency)
    return [_order_button(reader, text.format(price=price), "latecode", shown, style=SUCCESS)]


def sign(status: OrderStatus) -> str:
    """How an order stands, at a glance."""
    return _SIGNS[OrderStatus(status)]


def _title_lines(language: Language, view: PurchaseView) -> list[str]:
    """What was bought, and the mobile network where one was chosen."""
    lines = [title(language, view.service.name, view.purchase.country)]
    if view.purchase.network:
        lines.append(language._("Network: {name}").format(name=escape(view.purchase.network)))
    return lines


def _story(language: Language, view: PurchaseView, shown: OrderView) -> list[str]:
    """The numbers of a purchase that were swapped before this one."""
    before = [one for one in view.orders if one.order.notice == SWAPPED and one is not shown]
    said = language._("{at}. {number}: no code, swapped")
    lines = [
        said.format(at=language.number(at), number=code(one.order.phone_number or "…"))
        for at, one in enumerate(before, 1)
    ]
    return [*lines, ""] if lines else []


def _swap_lines(language: Language, view: PurchaseView, shown: OrderView) -> list[str]:
    """What will become of a number without a code, by the renter's own wish."""
    _, purchase, order = language._, view.purchase, shown.order
    if order.status != OrderStatus.ACTIVE or not purchase.swap_agreed_at:
        return []
    if order.swap_requested_at:
        return ["", _("No code came in time. The number is being swapped, unless its code comes first.")]
    if not _can_be_swapped(view, shown):
        return []
    text = language.ngettext(
        "If no code comes, this number is swapped for another one {when}. At most {count} number, and never"
        " more than {price} in all.",
        "If no code comes, this number is swapped for another one {when}. At most {count} numbers, and never"
        " more than {price} in all.",
        MOST,
    )
    when, price = gives_up_at(order), language.money(purchase.price, purchase.currency)
    shown_when = moment(when) if when else ""
    return ["", text.format(when=shown_when, count=language.number(MOST), price=price)]


def _can_be_swapped(view: PurchaseView, shown: OrderView) -> bool:
    order = shown.order
    waits = order.status == OrderStatus.ACTIVE and not order.cancel_requested_at
    return waits and shown.can.cancel and view.purchase.quantity == 1 and len(view.orders) < MOST


def _swap_row(reader: Reader, view: PurchaseView, shown: OrderView) -> Row:
    _ = reader.language._
    if not _can_be_swapped(view, shown):
        return []
    agreed = view.purchase.swap_agreed_at is not None
    label = _("Don't swap") if agreed else _("Swap if no code comes")
    return [reader.button(label, "swap", shown.order.id or 0, int(not agreed))]


def status_name(language: Language, status: OrderStatus) -> str:
    """For operators: renters read what it means for them."""
    _ = language._
    return {
        OrderStatus.PENDING: _("pending"),
        OrderStatus.ACTIVE: _("active"),
        OrderStatus.RECEIVED: _("received"),
        OrderStatus.COMPLETED: _("completed"),
        OrderStatus.FAILED: _("failed"),
        OrderStatus.CANCELED: _("canceled"),
        OrderStatus.EXPIRED: _("expired"),
    }[OrderStatus(status)]


def _number_lines(language: Language, shown: OrderView) -> list[str]:
    number = shown.order.phone_number
    lines = [language.isolate(code(number)), ""] if number else []
    for sms in shown.sms:
        if sms.late and not sms.shown_at:
            if not shown.on_offer:
                lines.append(language._("An SMS came after the money had gone back. It is not shown."))
        elif sms.cleared_at and (sms.code or sms.text):
            lines.append(language._("Its code was deleted from this chat, as you wished."))
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
        held = language.ngettext(
            "Paid: {price}. If no code comes, it comes back by itself.",
            "Paid: {price}. If no code comes, they come back by themselves.",
            purchase.stars,
        )
        back = language.ngettext(
            "Your {price} comes back by itself.", "Your {price} come back by themselves.", purchase.stars
        )
    if shown.is_refunded:
        return [back.format(price=price)]
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
        case OrderStatus.CANCELED if order.notice == SWAPPED:
            lines = [_("No code came, and the number was swapped for another one.")]
        case OrderStatus.CANCELED:
            lines = [_("Canceled.") + " " + back.format(price=price)]
        case OrderStatus.EXPIRED:
            lines = [_("No code came in time.") + " " + back.format(price=price)]
    return [line.format(price=price, until=until) for line in lines]


def _late_lines(language: Language, purchase: Purchase, shown: OrderView) -> list[str]:
    if shown.order.late_paid_at:
        price = language.money(purchase.price, purchase.currency)
        return [language._("What came late was bought for {price}.").format(price=price)]
    offer = _offer_lines(language, purchase, shown)
    return ["", *offer] if offer else []


def _failure(language: Language, purchase: Purchase) -> str:
    if purchase.failure == "supplier_trouble":
        return language._("Our supplier could not be reached, so there is no number.")
    return language._("The last number has just been sold to somebody else.")


def _notice_lines(language: Language, shown: OrderView) -> list[str]:
    _ = language._
    order = shown.order
    if order.swap_requested_at:
        return []
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


def _order_rows(reader: Reader, view: PurchaseView, shown: OrderView) -> list[Row]:
    _, purchase = reader.language._, view.purchase
    rows = [
        _copy_row(reader.language, shown),
        _action_row(reader, shown),
        _swap_row(reader, view, shown),
        _offer_row(reader, purchase, shown),
    ]
    if shown.order.ended_at:
        rows.append([*_after_row(reader, purchase), _order_button(reader, _("Timeline"), "timeline", shown)])
    if problems.can_report(shown):
        rows.append([_order_button(reader, _("Problem with this order"), "problem", shown)])
    if purchase.quantity > 1:
        rows.append([reader.button(_("‹ All numbers"), "purchase", purchase.id or 0, 0)])
    return rows


def _copy_row(language: Language, shown: OrderView) -> Row:
    if shown.order.ended_at:
        return kept_code_row(language, shown)
    if not shown.order.phone_number:
        return []
    return [copy_button(language._("Copy number"), shown.order.phone_number)]


def kept_code_row(language: Language, shown: OrderView) -> Row:
    """The last code of an order, to be copied once more; nothing where it is erased, or was not bought."""
    kept = [sms for sms in shown.sms if sms.code and (sms.shown_at or not sms.late)]
    if not kept or not (value := kept[-1].code):
        return []
    # What was deleted from the chat can still be copied, and not be read over a shoulder.
    label = language._("Copy code") if kept[-1].cleared_at else language._("Copy {code}").format(code=value)
    return [copy_button(label, value)]


def _action_row(reader: Reader, shown: OrderView) -> Row:
    """What can be done with the number now."""
    _ = reader.language._
    order, can = shown.order, shown.can
    row = []
    is_open = order.status in (OrderStatus.ACTIVE, OrderStatus.RECEIVED)
    if is_open and can.resend and order.notice != "resend_asked":
        row.append(_order_button(reader, _("Another SMS"), "resend", shown))
    if order.status == OrderStatus.RECEIVED and can.finish:
        row.append(_order_button(reader, _("Finish"), "finish", shown, style=SUCCESS))
    asked = order.cancel_requested_at and not order.swap_requested_at
    if order.status == OrderStatus.ACTIVE and can.cancel and not asked:
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
            *_title_lines(reader.language, view),
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
    number = language.isolate(code(shown.order.phone_number)) if shown.order.phone_number else "…"
    codes = " ".join(
        code(sms.code)
        for sms in shown.sms
        if sms.code and not sms.cleared_at and (sms.shown_at or not sms.late)
    )
    return f"{at}. {sign(shown.order.status)} {number} {codes}".rstrip()


def _sums(language: Language, view: PurchaseView) -> list[str]:
    """What was paid, what waits, what went back."""
    _ = language._
    purchase = view.purchase
    states = [shown.order.status for shown in view.orders if not shown.is_refunded]
    refunded = len(view.orders) - len(states)
    lines = []
    for text, statuses, more in (
        (_("Paid: {amount}"), {OrderStatus.RECEIVED, OrderStatus.COMPLETED}, 0),
        (_("Reserved: {amount}"), {OrderStatus.PENDING, OrderStatus.ACTIVE}, 0),
        (_("Went back: {amount}"), {OrderStatus.FAILED, OrderStatus.CANCELED, OrderStatus.EXPIRED}, refunded),
    ):
        count = sum(status in statuses for status in states) + more
        if count:
            lines.append(text.format(amount=language.money(count * purchase.price, purchase.currency)))
    if OrderStatus.FAILED in states:
        lines.append(_failure(language, purchase))
    return lines
