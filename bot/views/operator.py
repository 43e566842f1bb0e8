"""What only operators read. Renters' codes never appear here, and their numbers only masked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.language import Language
from bot.views import audit
from bot.views.cards import sign
from bot.views.screen import Reader, View, bold, code, escape, moment, title
from db.models import Attempt, Orphan
from services.accounts import Wallet
from services.orders import OrderView, PurchaseView
from services.places import mask_phone
from services.supply import Health

_EVENTS = 30
_ERROR_LIMIT = 80
"""So much of a timeline fits into one message."""
_SMS_LIMIT, _REMARK_LIMIT = 200, 400


@dataclass(frozen=True, slots=True)
class SupplierState:
    """What is known of one supplier now."""

    name: str
    health: Health
    balance: str | None
    """In words: the amount, or why it is not known; None where the supplier does not tell it."""
    webhook: str
    remarks: Sequence[str] = ()


def usage(reader: Reader, form: str, problem: str = "") -> View:
    """How a command is typed; `problem` says what was wrong with it."""
    line = reader.language._("Usage: {form}").format(form=code(form))
    return View.of([escape(problem), line] if problem else [line])


def credited(
    reader: Reader, user_id: int, amount: int, wallet: Wallet, *, repeated: bool, settled: int
) -> View:
    text = reader.language._("Credited {amount} to {id}.")
    return _moved(reader, text, user_id, amount, wallet, repeated, settled)


def debited(reader: Reader, user_id: int, amount: int, wallet: Wallet, *, repeated: bool) -> View:
    return _moved(reader, reader.language._("Debited {amount} from {id}."), user_id, amount, wallet, repeated)


def _moved(
    reader: Reader, text: str, user_id: int, amount: int, wallet: Wallet, repeated: bool, settled: int = 0
) -> View:
    _ = reader.language._
    money = reader.language.money
    lines = [
        text.format(amount=bold(money(amount, wallet.currency)), id=code(str(user_id))),
        _("Balance now: {amount}").format(amount=money(wallet.available, wallet.currency)),
    ]
    if settled:
        lines.append(_("{amount} of it settled a debt.").format(amount=money(settled, wallet.currency)))
    if repeated:
        lines.append(_("This had been done before; nothing was changed."))
    return View.of(lines, [[reader.button(_("User"), "user", user_id)]])


def news_of_credit(
    language: Language, amount: int, wallet: Wallet, reason: str | None, *, settled: int = 0
) -> View:
    """For the renter who was given money; `settled`: how much of it went into a debt."""
    _ = language._
    text = _("{amount} was added to your balance.").format(
        amount=bold(language.money(amount, wallet.currency))
    )
    total = _("You have {amount} now.").format(amount=language.money(wallet.available, wallet.currency))
    owed = _("{amount} of it settled what you owed.").format(amount=language.money(settled, wallet.currency))
    return View.of([text, *([escape(reason)] if reason else []), *([owed] if settled else []), total])


def order(reader: Reader, view: PurchaseView, attempts: Sequence[Attempt]) -> View:
    """One order with all that happened to it."""
    _ = reader.language._
    purchase, shown = view.purchase, view.orders[0]
    price = reader.language.money(purchase.price, purchase.currency)
    return View.of(
        [
            f"{_('Order {id}').format(id=shown.order.id)} {sign(shown.order.status)} {shown.order.status}",
            f"{title(reader.language, view.service.name, purchase.country)} · {price}",
            _("Renter: {id}").format(id=code(str(purchase.user_id))),
            *_supplier_lines(reader.language, purchase.currency, shown),
            "",
            bold(_("Timeline")),
            *_timeline(reader.language, shown, attempts),
        ],
        [
            [
                reader.button(_("User"), "user", purchase.user_id),
                reader.button(_("‹ Operator"), "panel"),
            ]
        ],
    )


def _supplier_lines(language: Language, currency: str, shown: OrderView) -> list[str]:
    _ = language._
    order = shown.order
    if not order.supplier:
        return []
    number = mask_phone(order.phone_number) if order.phone_number else ""
    lines = [
        _("Supplier: {name}, its order {ref}").format(
            name=escape(order.supplier), ref=code(order.supplier_ref or "")
        ),
        _("Number: {number}").format(number=escape(number)),
    ]
    if order.cost is not None:
        lines.append(_("Cost: {amount}").format(amount=language.money(order.cost, currency)))
    return lines


def _timeline(language: Language, shown: OrderView, attempts: Sequence[Attempt]) -> list[str]:
    """What happened, in order of time."""
    _ = language._
    order = shown.order
    events: list[tuple[datetime, str]] = [(order.created_at, _("placed"))]
    for attempt in attempts:
        asked = _("asked {supplier} for {count}").format(
            supplier=escape(attempt.supplier), count=language.number(attempt.quantity)
        )
        events.append((attempt.created_at, asked))
        if attempt.ended_at:
            error = f": {escape(attempt.error[:_ERROR_LIMIT])}" if attempt.error else ""
            outcome = f"{attempt.status}{error}"
            events.append((attempt.ended_at, f"{escape(attempt.supplier)} – {outcome}"))
    if order.activated_at:
        events.append((order.activated_at, _("number rented")))
    for sms in shown.sms:
        events.append((sms.received_at, _("late SMS, kept back") if sms.late else _("SMS received")))
        if sms.shown_at:
            events.append((sms.shown_at, _("code shown to the renter")))
    events += [
        (at, text)
        for at, text in (
            (order.resent_at, _("another SMS asked for")),
            (order.cancel_requested_at, _("renter asked to cancel")),
            (order.ended_at, str(order.status)),
        )
        if at
    ]
    events.sort(key=lambda event: event[0])
    return [f"{at:%d %b %H:%M:%S} {text}" for at, text in events[-_EVENTS:]]


def suppliers(reader: Reader, states: Sequence[SupplierState]) -> View:
    _ = reader.language._
    lines = [bold(_("Suppliers"))]
    for state in states:
        lines += ["", *_supplier_state(reader.language, state)]
    if not states:
        lines += ["", _("None is connected: set SMSCODE_TOKEN.")]
    return View.of(
        lines,
        [
            [reader.button(_("Refresh"), "suppliers"), reader.button(_("Unexplained"), "orphans")],
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


def orphans(reader: Reader, found: Sequence[Orphan]) -> View:
    """What suppliers have or tell us that no purchase explains; it is nobody's, so it is shown whole."""
    _ = reader.language._
    lines = [bold(_("Unexplained")), "", _("Numbers and SMS at suppliers that no purchase here explains.")]
    for orphan in found:
        what = orphan.phone_number or _("order {ref}").format(ref=orphan.supplier_ref)
        said = (orphan.text or orphan.code or "")[:_SMS_LIMIT]
        lines += ["", f"{bold(orphan.supplier)} {code(what)}, {moment(orphan.found_at)}", escape(said)]
    if not found:
        lines += ["", _("None.")]
    return View.of(lines, [[reader.button(_("‹ Suppliers"), "suppliers")]])


def _supplier_state(language: Language, state: SupplierState) -> list[str]:
    _ = language._
    health = state.health
    well = _("🔴 out of order") if health.is_down else _("🟢 working")
    lines = [
        f"{bold(state.name)} {well}",
        *([_("Balance: {amount}").format(amount=escape(state.balance))] if state.balance else []),
        _("Webhook: {state}").format(state=escape(state.webhook)),
        *(_("Mind: {remark}").format(remark=escape(remark[:_REMARK_LIMIT])) for remark in state.remarks),
    ]
    if health.last_ok_at:
        lines.append(_("Last good answer: {when}").format(when=moment(health.last_ok_at)))
    if health.last_error_at:
        lines.append(
            _("Last trouble: {error}, {when}").format(
                error=escape(health.last_error or ""), when=moment(health.last_error_at)
            )
        )
    return lines


def alert(language: Language, name: str, facts: dict[str, Any]) -> View:
    """Something that an operator should look at."""
    if name in audit.ALERTS:
        return audit.alert(language, name, facts)
    _ = language._
    currency = facts.get("currency", "")
    words = facts | {name: language.money(facts[name], currency) for name in ("debt",) if name in facts}
    texts = {
        "orphan": _("{supplier} has order {ref} open, which no purchase here explains."),
        "supplier_broke": _("Our balance at {supplier} is too low to buy. Please top it up."),
        "no_credit": _("Our credit at {supplier} is too low to send SMS. Please top it up."),
        "erasure_asked": _("Renter {user} asks to have their data erased: /user {user}"),
        "voucher_guessing": _(
            "{count} wrong voucher codes within an hour: somebody is guessing. Nobody can redeem for a while."
        ),
        "store_refund": _("The store took back {stars} ⭐ from renter {user}. They owe us {debt} of it."),
        "refund_refused": _("Telegram refuses to pay payment {payment} back: {error}"),
        "access_refused": _("{supplier} refuses our key. Please check its setting."),
        "supplier_refuses": _("{supplier} refuses us ({reason}). Please check {setting}."),
        "unclear": _(
            "{supplier} gave no clear answer when asked for a number: it may have taken one that nobody will"
            " hear of. The money for order {ref} went back. It cannot be asked; look at its site."
        ),
        "orphan_sms": _(
            "{supplier} told of an SMS for {number}, which nobody here rents."
            " It is kept: /suppliers, Unexplained."
        ),
    }
    text = texts.get(name, name).format_map(defaultdict(str, words))
    return View.of([f"⚠️ {escape(text)}"])
