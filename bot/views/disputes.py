"""Problems with orders, as operators read and decide them."""

from bot.language import Language
from bot.views import operator, timelines
from bot.views.problems import answer, ready_answer, reason
from bot.views.screen import DANGER, ROWS, Page, Reader, Row, View, bold, code, escape, moment, pager, title
from db.models import Dispute, DisputeStatus, User
from services.disputes import ANSWERS, Case
from services.orders import PurchaseView
from services.timelines import Timeline

_NAME_LIMIT = 40


def case(
    reader: Reader, shown: Case, view: PurchaseView, timeline: Timeline, renter: User, decider: User | None
) -> View:
    """For operators: the problem, all that happened to the order, and what can be decided."""
    return View.of(
        _case_lines(reader.language, shown, view, timeline, renter, decider), _case_rows(reader, shown)
    )


def ask_answer(reader: Reader, shown: Case) -> View:
    """Why is it rejected? The renter reads it."""
    _, id = reader.language._, shown.dispute.id or 0
    ready: list[Row] = [
        [reader.button(_label(reader.language, name), "rejectas", id, name)] for name in ANSWERS
    ]
    return View.of(
        [
            bold(_("Reject the problem with order {id}?").format(id=shown.dispute.order_id)),
            "",
            _("The renter reads why:"),
            *(f"• {ready_answer(reader.language, name)}" for name in ANSWERS),
        ],
        [
            *ready,
            [reader.button(_("In my own words"), "rejectwords", id)],
            [reader.button(_("‹ Back"), "case", id)],
        ],
    )


def ask_words(reader: Reader, shown: Case) -> View:
    _, id = reader.language._, shown.dispute.id or 0
    return View.of(
        [
            bold(_("Reject the problem with order {id}?").format(id=shown.dispute.order_id)),
            "",
            _("Reply to this message with the reason. The renter reads it."),
        ],
        [[reader.button(_("‹ Back"), "case", id)]],
    )


def open_ones(reader: Reader, page: Page[Dispute]) -> View:
    """What waits for a decision."""
    _ = reader.language._
    lines = [
        _("{id}: {reason}, {when}").format(
            id=dispute.order_id,
            reason=reason(reader.language, dispute.reason),
            when=moment(dispute.created_at),
        )
        for dispute in page.items
    ]
    buttons = [
        reader.button(_("Order {id}").format(id=dispute.order_id), "case", dispute.id or 0)
        for dispute in page.items
    ]
    return View.of(
        [bold(_("Problems with orders")), "", *(lines or [_("None waits for a decision.")])],
        [
            *(buttons[at : at + 2] for at in range(0, ROWS, 2)),
            pager(reader, page, "disputes"),
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


def _case_lines(
    language: Language,
    shown: Case,
    view: PurchaseView,
    timeline: Timeline,
    renter: User,
    decider: User | None,
) -> list[str]:
    _, dispute, purchase = language._, shown.dispute, shown.purchase
    price = language.money(purchase.price, purchase.currency)
    if shown.stars:
        price = f"{language.number(shown.stars)} ⭐"
    quote = f"<blockquote>{escape(dispute.text)}</blockquote>" if dispute.text else ""
    return [
        "⚠️ " + bold(_("Problem with order {id}").format(id=dispute.order_id)),
        _("{name} says: {reason}").format(
            name=f"{bold(_name(renter))} {code(str(renter.id))}",
            reason=bold(reason(language, dispute.reason)),
        ),
        *([quote] if quote else []),
        "",
        f"{title(language, view.service.name, purchase.country)} · {language.isolate(price)}",
        *operator.supplier_lines(language, purchase.currency, shown.order),
        "",
        bold(_("Timeline")),
        *timelines.lines(language, timeline),
        *_decision_lines(language, dispute, decider),
    ]


def _decision_lines(language: Language, dispute: Dispute, decider: User | None) -> list[str]:
    _ = language._
    name = escape(_name(decider)) if decider else ""
    if dispute.status == DisputeStatus.REFUNDED:
        return ["", _("✅ Refunded by {name}.").format(name=name)]
    if dispute.status == DisputeStatus.REJECTED:
        rejected = _("❌ Rejected by {name}: {answer}")
        return ["", rejected.format(name=name, answer=answer(language, dispute))]
    return []


def _case_rows(reader: Reader, shown: Case) -> list[Row]:
    _, dispute, purchase = reader.language._, shown.dispute, shown.purchase
    if dispute.status != DisputeStatus.OPEN:
        return []
    id = dispute.id or 0
    amount = reader.language.money(purchase.price, purchase.currency)
    if shown.stars:
        amount = f"{reader.language.number(shown.stars)} ⭐"
    row = [reader.button(_("Reject"), "reject", id)]
    if shown.can_refund:
        refund = reader.button(_("Refund {amount}").format(amount=amount), "refundorder", id, style=DANGER)
        row.insert(0, refund)
    return [row]


def _label(language: Language, name: str) -> str:
    _ = language._
    return {
        "delivered": _("Code was delivered"),
        "nothing": _("Nothing found wrong"),
        "terms": _("Against the terms"),
    }[name]


def _name(user: User) -> str:
    return user.name[:_NAME_LIMIT] or str(user.id)
