"""Problems with orders, as renters report them and read what was decided."""

from bot.language import Language
from bot.views.screen import Reader, Row, View, bold, escape
from db.models import Dispute, DisputeStatus, OrderStatus
from services.disputes import REASONS, Case
from services.orders import OrderView

_CAN_GO_WRONG = (OrderStatus.RECEIVED, OrderStatus.COMPLETED, OrderStatus.EXPIRED)


def can_report(shown: OrderView) -> bool:
    """Whether its card offers to report a problem."""
    can_go_wrong = shown.order.status in _CAN_GO_WRONG or shown.order.late_paid_at is not None
    return shown.dispute is None and can_go_wrong


def card_lines(language: Language, shown: OrderView) -> list[str]:
    """What an order's card says of the problem with it."""
    _, dispute = language._, shown.dispute
    if dispute is None or shown.is_refunded:
        return []
    if dispute.status == DisputeStatus.OPEN:
        return ["", _("You reported a problem. We look at it, and answer here.")]
    return ["", _("You reported a problem. Our answer: {answer}").format(answer=answer(language, dispute))]


def ask_reason(reader: Reader, order_id: int) -> View:
    _ = reader.language._
    rows: list[Row] = [
        [reader.button(reason(reader.language, name), "problemis", order_id, name)]
        for name in REASONS
        if name != "other"
    ]
    return View.of(
        [bold(_("Order {id}").format(id=order_id)), "", _("What went wrong?")],
        [
            *rows,
            [reader.button(_("Something else…"), "problemtext", order_id)],
            [reader.button(_("‹ Menu"), "home")],
        ],
    )


def ask_text(reader: Reader, order_id: int) -> View:
    _ = reader.language._
    lines = [bold(_("Order {id}").format(id=order_id)), "", _("What went wrong? Write it in a few words.")]
    return View.of([*lines, _("To leave: /cancel")], [[reader.button(_("‹ Back"), "problem", order_id)]])


def reported(reader: Reader, dispute: Dispute) -> View:
    """How it stands with a problem, for the renter who reports it."""
    _ = reader.language._
    says = {
        DisputeStatus.OPEN: _("We look at what happened to this order, and answer here."),
        DisputeStatus.REFUNDED: _("Your money for this order went back."),
        DisputeStatus.REJECTED: _("We have looked at this order: {answer}"),
    }[DisputeStatus(dispute.status)]
    return View.of(
        [
            bold(_("Order {id}").format(id=dispute.order_id)),
            "",
            says.format(answer=answer(reader.language, dispute)),
        ],
        [[reader.button(_("Write to support"), "support"), reader.button(_("‹ Menu"), "home")]],
    )


def verdict(reader: Reader, case: Case) -> View:
    """For the renter: what was decided."""
    _, dispute, purchase = reader.language._, case.dispute, case.purchase
    text = _("About your problem with order {id}: {answer}")
    if dispute.status == DisputeStatus.REFUNDED:
        text = _("About your problem with order {id}: you are right. {amount} went back to your balance.")
        if case.stars:
            text = reader.language.ngettext(
                "About your problem with order {id}: you are right. Your {stars} ⭐ comes back.",
                "About your problem with order {id}: you are right. Your {stars} ⭐ come back.",
                case.stars,
            )
    says = text.format(
        id=dispute.order_id,
        answer=answer(reader.language, dispute),
        amount=bold(reader.language.money(purchase.price, purchase.currency)),
        stars=reader.language.number(case.stars or 0),
    )
    return View.of([says], [[reader.button(_("Write to support"), "support", "below")]])


def reason(language: Language, name: str) -> str:
    """A label and a sentence's end alike."""
    _ = language._
    return {
        "no_code": _("No code came"),
        "wrong_code": _("The code did not work"),
        "used": _("Number used before"),
        "other": _("Something else"),
    }[name]


def ready_answer(language: Language, name: str) -> str:
    """A whole sentence."""
    _ = language._
    return {
        "delivered": _("The code came in time and was shown to you, so the number did what it was for."),
        "nothing": _("We found nothing wrong with this number and its code."),
        "terms": _("The number was used in a way that our terms do not allow: /terms"),
    }[name]


def answer(language: Language, dispute: Dispute) -> str:
    """Why it was rejected, in HTML."""
    if dispute.answer:
        return ready_answer(language, dispute.answer)
    return escape(dispute.answer_text or language._("the reason has been erased since."))
