"""What went wrong, in a sentence that says what the reader can do. Plain text: most are shown as alerts."""

from datetime import timedelta
from math import ceil

from bot.buttons import BadButton, StaleButton
from bot.language import Language
from bot.views.closing import notice
from services.errors import (
    AskedTooOften,
    Banned,
    BelowCost,
    CodeSpent,
    CodeWrong,
    ConflictError,
    CustomerError,
    DisputeNotFound,
    InDebt,
    InsufficientFunds,
    InvoiceRefused,
    LateCodeGone,
    LimitReached,
    NotPossible,
    OrderNotFound,
    OutOfStock,
    PaymentNotFound,
    PhoneOutOfReach,
    PhoneStopped,
    PriceChanged,
    ShopClosed,
    StarsLimitReached,
    StillInUse,
    TermsNotAccepted,
    TooManyGuesses,
    TooManyLookouts,
    TooManyMessages,
    TooManyPins,
    UserNotFound,
    VoucherRefused,
    WordRefused,
)
from services.money import BadAmount, exponent

ALERT_LIMIT = 200
"""Characters that Telegram shows in an alert."""
_REASON_LIMIT = 100


def sentence(error: CustomerError | ConflictError | BadButton, language: Language, currency: str) -> str:
    _ = language._
    match error:
        case InsufficientFunds():
            short = language.money(error.needed - error.available, error.currency)
            return _("Your balance is too low: you need {amount} more.").format(amount=short)
        case OutOfStock():
            return _("Sold out just now. Please try another country.")
        case PriceChanged():
            price = language.money(error.current, currency)
            return _("The price has changed to {price}. Nothing was bought.").format(price=price)
        case LimitReached():
            return _limit(error, language)
        case NotPossible():
            return _not_possible(error, language)
        case VoucherRefused():
            return _voucher(error.reason, language)
        case TooManyGuesses():
            return _too_many_guesses(error, language)
        case WordRefused(reason="taken"):
            return _("There is a voucher with this word already. Please choose another one.")
        case WordRefused():
            return _("A word needs 6 to 20 letters from A to Z or digits.")
        case InvoiceRefused():
            return _invoice(error, language)
        case StarsLimitReached():
            words = _(
                "In your first three weeks you can pay {limit} ⭐ a day. Today you can pay {left} ⭐ more."
            )
            return words.format(limit=language.number(error.limit), left=language.number(error.left))
        case InDebt():
            owed = language.money(error.amount, error.currency)
            return _("You owe {amount}. Please top up first: /topup").format(amount=owed)
        case PaymentNotFound():
            return _("There is no such payment.")
        case TooManyLookouts():
            text = language.ngettext(
                "You have {limit} price alert already. Please delete one first: /settings",
                "You have {limit} price alerts already. Please delete one first: /settings",
                error.limit,
            )
            return text.format(limit=language.number(error.limit))
        case LateCodeGone(reason="taken"):
            return _("Somebody else has this number by now, so its codes cannot be bought any more.")
        case LateCodeGone():
            return _("This offer is over. Nothing was taken from your balance.")
        case OrderNotFound():
            return _("There is no such order.")
        case UserNotFound():
            return _("Nobody with this id has met the bot.")
        case PhoneOutOfReach():
            return _("I cannot text phones of that country.")
        case PhoneStopped():
            return _("This phone has answered STOP. Text START from it to the same number, then try again.")
        case AskedTooOften():
            return _asked_too_often(error, language)
        case CodeWrong():
            return _tries_left(error, language)
        case CodeSpent():
            return _("This code is not valid any more. Link your phone again to get a new one.")
        case DisputeNotFound():
            return _("There is no such problem.")
        case TooManyMessages():
            return _too_many_messages(error, language)
        case TooManyPins():
            return _too_many_pins(error, language)
        case TermsNotAccepted():
            return _("Please accept the terms first: /start")
        case Banned():
            return _banned(error, language)
        case ShopClosed():
            return notice(language, error.text)
        case StillInUse():
            return _("They have open orders or money by now. Please look again.")
        case BelowCost():
            return _("This rule would sell below cost. Please look at its preview again.")
        case StaleButton() | ConflictError():
            return _("This menu is out of date. Please open a new one: /start")
        case BadButton():
            return _("This button is not yours.")
        case _:
            return failure(language)


def failure(language: Language) -> str:
    """For what nobody foresaw."""
    return language._("Something went wrong on our side. Nothing was charged twice; please try again.")


def bad_amount(error: BadAmount, language: Language) -> str:
    """What is wrong with an amount that somebody typed."""
    _ = language._
    text, currency = error.text[:_REASON_LIMIT], error.currency
    match error.reason:
        case "decimals" if not exponent(currency):
            return _("“{text}” has decimals, but {currency} has none.").format(text=text, currency=currency)
        case "decimals":
            return _("“{text}” has more decimals than {currency}.").format(text=text, currency=currency)
        case "too_large":
            return _("“{text}” is too much.").format(text=text)
        case "ambiguous":
            return _("“{text}” can be read in two ways. Write it without a mark between thousands.").format(
                text=text
            )
        case _:
            return _("“{text}” is not an amount in {currency}.").format(text=text, currency=currency)


def _banned(error: Banned, language: Language) -> str:
    _ = language._
    says = _("You cannot use this bot any more.")
    if error.reason:
        says = _("You cannot use this bot any more: {reason}").format(reason=error.reason[:_REASON_LIMIT])
    return says + "\n" + _("Still yours: /orders, /balance.")


def _asked_too_often(error: AskedTooOften, language: Language) -> str:
    _ = language._
    if error.wait >= timedelta(hours=1):
        return _("You have had all codes for today. Please try again tomorrow.")
    return _("A code was sent just now. Please wait a minute before you ask for another.")


def _tries_left(error: CodeWrong, language: Language) -> str:
    text = language.ngettext(
        "That is not the code. You have {count} try left.",
        "That is not the code. You have {count} tries left.",
        error.tries_left,
    )
    return text.format(count=language.number(error.tries_left))


def _limit(error: LimitReached, language: Language) -> str:
    limit = language.number(error.limit)
    if error.per:
        text = language.ngettext(
            "You can buy at most {limit} number an hour. Please try again later.",
            "You can buy at most {limit} numbers an hour. Please try again later.",
            error.limit,
        )
    else:
        text = language.ngettext(
            "You can have at most {limit} open order. Finish or cancel one first.",
            "You can have at most {limit} open orders. Finish or cancel some first.",
            error.limit,
        )
    return text.format(limit=limit)


def _invoice(error: InvoiceRefused, language: Language) -> str:
    _ = language._
    return {
        "not_yours": _("This invoice is for somebody else. Please ask the bot for one of your own: /topup"),
        "paid": _("This has been paid already."),
        "changed": _("This invoice has been changed. Please ask for a new one: /topup"),
        "too_large": _("That cannot be paid with Stars at once. Please choose a smaller amount."),
    }.get(error.reason, _("This invoice has expired. Please ask for a new one."))


def _not_possible(error: NotPossible, language: Language) -> str:
    _ = language._
    if error.status == "banned":
        return _("They are banned. Unban them first.")
    if error.status == "owner":
        return _("Owners are named in ADMIN_IDS, and only there.")
    if error.status == "operator":
        return _("They work here. Dismiss them first.")
    if error.action in ("write", "dispute", "decide", "refund"):
        return _no_help(error.status, language)
    if error.status in ("completed", "failed", "canceled", "expired"):
        return _("This order is over already.")
    if error.action == "cancel" and error.status == "received":
        return _("A code has come, so this order is paid and cannot be canceled.")
    if error.status == "pending":
        return _("The number is not here yet. One moment, please.")
    return _("That is not possible for this number.")


def _no_help(status: str, language: Language) -> str:
    """What support cannot do, or an operator about a problem."""
    _ = language._
    return {
        "nobody": _("Nobody answers here at the moment. Please try again later."),
        "open": _("This order is not over yet. Please wait for its code, or for its end."),
        "too_old": _("This order was too long ago. You can still write to us: /support"),
        "decided": _("This has been decided already."),
        "unpaid": _("Nothing was taken for this order, so nothing can go back."),
    }[status]


def _too_many_messages(error: TooManyMessages, language: Language) -> str:
    minutes = ceil(error.wait / timedelta(minutes=1))
    text = language.ngettext(
        "That was a lot at once, and this message was not sent. Please go on in {minutes} minute.",
        "That was a lot at once, and this message was not sent. Please go on in {minutes} minutes.",
        minutes,
    )
    return text.format(minutes=language.number(minutes))


def _too_many_pins(error: TooManyPins, language: Language) -> str:
    text = language.ngettext(
        "You can pin {most} offer. Unpin it first.",
        "You can pin {most} offers. Unpin one of them first.",
        error.most,
    )
    return text.format(most=language.number(error.most))


def _voucher(reason: str, language: Language) -> str:
    _ = language._
    sentences = {
        "already_used": _("You have used this code already: the money is on your balance."),
        "revoked": _("This code has been withdrawn."),
        "expired": _("This code has expired."),
        "used_up": _("This code has been used up."),
    }
    return sentences.get(reason) or _("I don't know this code. Please check it for typos.")


def _too_many_guesses(error: TooManyGuesses, language: Language) -> str:
    minutes = ceil(error.wait / timedelta(minutes=1))
    text = language.ngettext(
        "Too many wrong codes were tried. Please come back in {minutes} minute.",
        "Too many wrong codes were tried. Please come back in {minutes} minutes.",
        minutes,
    )
    return text.format(minutes=language.number(minutes))
