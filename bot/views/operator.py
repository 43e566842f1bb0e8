"""What only operators read. Renters' codes never appear here, and their numbers only masked."""

from collections import defaultdict
from typing import Any

from bot.language import Language
from bot.views import audit, timelines
from bot.views.cards import sign, status_name
from bot.views.screen import Reader, View, bold, code, escape, title
from db.models import Order
from services.accounts import Wallet
from services.orders import PurchaseView
from services.places import mask_phone
from services.timelines import Timeline


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


def order(reader: Reader, view: PurchaseView, timeline: Timeline) -> View:
    """One order with all that happened to it."""
    _ = reader.language._
    purchase, shown = view.purchase, view.orders[0]
    status = status_name(reader.language, shown.order.status)
    price = reader.language.isolate(reader.language.money(purchase.price, purchase.currency))
    return View.of(
        [
            f"{_('Order {id}').format(id=shown.order.id)} {sign(shown.order.status)} {status}",
            f"{title(reader.language, view.service.name, purchase.country)} · {price}",
            _("Renter: {id}").format(id=code(str(purchase.user_id))),
            *supplier_lines(reader.language, purchase.currency, shown.order),
            "",
            bold(_("Timeline")),
            *timelines.lines(reader.language, timeline),
        ],
        [
            [
                reader.button(_("User"), "user", purchase.user_id),
                reader.button(_("‹ Operator"), "panel"),
            ]
        ],
    )


def supplier_lines(language: Language, currency: str, order: Order) -> list[str]:
    """Whom its number is from; the number masked."""
    _ = language._
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


def alert(language: Language, name: str, facts: dict[str, Any]) -> View:
    """Something that an operator should look at."""
    if name in audit.ALERTS:
        return audit.alert(language, name, facts)
    _ = language._
    currency = facts.get("currency", "")
    words = facts | {name: language.money(facts[name], currency) for name in ("debt",) if name in facts}
    texts = {
        "orphan": _("{supplier} has order {ref} open, which no purchase here explains: /suppliers"),
        "supplier_broke": _("Our balance at {supplier} is too low to buy. Please top it up."),
        "no_credit": _("Our credit at {supplier} is too low to send SMS. Please top it up."),
        "erasure_asked": _("Renter {user} asks to have their data erased: /user {user}"),
        "voucher_guessing": language.ngettext(
            "{count} wrong voucher code within an hour: someone is guessing. Nobody can redeem for a while.",
            "{count} wrong voucher codes within an hour: someone is guessing. Nobody can redeem for a while.",
            facts.get("count", 0),
        ),
        "store_refund": _("The store took back {stars} ⭐ from renter {user}. They owe us {debt} of it."),
        "refund_refused": _("Telegram refuses to pay payment {payment} back: {error}"),
        "access_refused": _("{supplier} refuses our key. Please check its setting."),
        "supplier_refuses": _("{supplier} refuses us ({reason}). Please check {setting}."),
        "low_balance": _("Our balance at {supplier} lasts less than {hours} h. Please top it up."),
        "breaker_open": _(
            "{supplier} has been out of order for a minute: nothing is bought there. /suppliers"
        ),
        "codes_late": _("A code has waited for more than a minute. Check Telegram and the disk."),
        "unclear": _(
            "{supplier} gave no clear answer when asked for a number: it may have taken one that nobody will"
            " hear of. The money for order {ref} went back. It cannot be asked; look at its site."
        ),
        "support_chat": _(
            "SUPPORT_CHAT_ID: the group takes nothing ({error}). Renters' messages come to operators' private"
            " chats until that is mended; numlet doctor says how."
        ),
        "orphan_sms": _(
            "{supplier} told of an SMS for {number}, which nobody here rents."
            " It is kept: /suppliers, Unexplained."
        ),
    }
    ends = {
        "low_balance_over": _("Our balance at {supplier} is high enough again."),
        "breaker_closed": _("{supplier} works again."),
        "codes_in_time": _("Codes are no longer late."),
        "orphans_settled": _("Everything at the suppliers is explained."),
    }
    text = (texts | ends).get(name, name).format_map(defaultdict(str, words))
    return View.of([f"{'✅' if name in ends else '⚠️'} {escape(text)}"])
