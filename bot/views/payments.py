"""Paying with Telegram Stars, and what became of a payment."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.language import Language
from bot.views.screen import DANGER, Page, Reader, View, bold, code, columns, escape, moment, pager
from bot.views.start import home_button
from db.models import Invoice, Payment, PaymentStatus, Service
from services.accounts import Wallet
from services.invoices import MOST_STARS

PRESETS = (50, 100, 250, 500, 1000, 2500)


@dataclass(frozen=True, slots=True)
class Bill:
    """The words on an invoice: at most 32 and 255 characters."""

    title: str
    description: str


def topup(reader: Reader, rate: int, wallet: Wallet, allowance: int | None) -> View:
    """Amounts to choose from.

    `rate`: what one Star buys, in minor units; `allowance`: the Stars that a newcomer may still pay today.
    """
    language, currency = reader.language, wallet.currency
    _ = language._
    lines = [
        bold(_("Top-up")),
        "",
        _("Balance: {amount}").format(amount=language.money(wallet.available, currency))
        + reader.about(wallet.available),
        *debt_lines(language, wallet),
        _("1 ⭐ buys {amount}.").format(amount=language.money(rate, currency)),
        "",
    ]
    if allowance == 0:
        reached = _(
            "You have reached the daily limit of your first three weeks. A payment counts for 24 hours."
        )
        lines.append(reached)
    else:
        lines.append(_("How much? You pay with Telegram Stars, here in the chat."))
    if allowance:
        limit = _("In your first three weeks there is a daily limit. Today you can pay {stars} ⭐ more.")
        lines += ["", limit.format(stars=language.number(allowance))]
    choices = [stars for stars in PRESETS if allowance is None or stars <= allowance]
    buttons = [
        reader.button(
            f"{language.number(stars)} ⭐ → {language.money(stars * rate, currency)}",
            "deposit",
            stars,
        )
        for stars in choices
    ]
    return View.of(
        lines,
        [
            *columns(buttons, 1),
            [
                *([reader.button(_("Other amount…"), "amount")] if allowance != 0 else []),
                home_button(reader),
            ],
        ],
    )


def not_sold(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("You cannot top up here yourself. Write to us, or redeem a voucher.")],
        [
            [reader.button(_("Support"), "support"), reader.button(_("Redeem a voucher"), "redeem")],
            [home_button(reader)],
        ],
    )


def ask_amount(reader: Reader, rate: int, currency: str, problem: str = "") -> View:
    """`problem` says what was wrong with the last answer."""
    language = reader.language
    _ = language._
    least, most = language.money(rate, currency), language.money(MOST_STARS * rate, currency)
    question = _("How much do you want to add? Write an amount in {currency}, from {least} to {most}.")
    return View.of(
        [
            *([escape(problem)] if problem else []),
            question.format(currency=currency, least=least, most=most),
        ],
        [[reader.button(_("‹ Back"), "topup")]],
    )


def out_of_range(language: Language, amount: int, rate: int, currency: str) -> str:
    """Why an amount of minor units cannot be added at once."""
    _ = language._
    if amount < rate:
        return _("The least you can add is {amount}.").format(amount=language.money(rate, currency))
    most = language.money(MOST_STARS * rate, currency)
    return _("The most you can add at once is {amount}.").format(amount=most)


def topup_bill(language: Language, invoice: Invoice) -> Bill:
    _ = language._
    amount = language.money(invoice.amount, invoice.currency)
    words = _("Adds {amount} to your balance. What you have not spent can be paid back: /paysupport")
    return Bill(_("Top-up"), words.format(amount=amount))


def purchase_bill(language: Language, invoice: Invoice, service: Service) -> Bill:
    _ = language._
    words = _("One number for {service}, {country}. If no code comes, your Stars come back by themselves.")
    description = words.format(
        service=language.service(service.name), country=language.country(invoice.country or "")
    )
    return Bill(_("One number"), description[:255])


def news(reader: Reader, name: str, payment: Payment, wallet: Wallet, settled: int = 0) -> View:
    """What became of a payment; `settled`: how much of it went into a debt."""
    language = reader.language
    _ = language._
    lines = [_news(language, name, payment)]
    if settled:
        words = _("{amount} of it settled what you owed.")
        lines.append(words.format(amount=language.money(settled, payment.currency)))
    if name != "refused":
        total = _("You have {amount} now.")
        lines.append(total.format(amount=language.money(wallet.available, wallet.currency)))
        lines += debt_lines(language, wallet)
    if name == "credited" and payment.invoice_id is None:
        lines.append(_("The invoice was not open any more. If you want your Stars back: /paysupport"))
    return View.of(lines, [[reader.button(_("Balance"), "balance"), home_button(reader)]])


def _news(language: Language, name: str, payment: Payment) -> str:
    _ = language._
    stars, amount = language.number(payment.stars), language.money(payment.amount, payment.currency)
    refused = language.ngettext(
        "{why} So nothing was bought, and your {stars} ⭐ comes back by itself.",
        "{why} So nothing was bought, and your {stars} ⭐ come back by themselves.",
        payment.stars,
    )
    texts = {
        "credited": _("Thank you for {stars} ⭐. {amount} was added to your balance. Payment {id}."),
        "refused": refused,
        "returned": _("{stars} ⭐ went back to you. For them, {amount} was taken from your balance."),
        "kept": _("Telegram would not send your {stars} ⭐ back, so {amount} is in your balance instead."),
    }
    return texts[name].format(
        stars=bold(stars), amount=bold(amount), id=payment.id, why=_why(language, payment.refund_reason)
    )


def _why(language: Language, reason: str | None) -> str:
    _ = language._
    return {
        "out_of_stock": _("The last number has just been sold to somebody else."),
        "price_changed": _("The price went up while you paid."),
        "limit": _("You have too many numbers at the moment."),
        "bought_already": _("This had been bought already."),
        "debt": _("You still owe us money."),
    }.get(reason or "", _("Your purchase was not possible any more."))


def debt_lines(language: Language, wallet: Wallet) -> list[str]:
    if not wallet.debt:
        return []
    owed = language.money(wallet.debt, wallet.currency)
    return [language._("You owe {amount}; your next top-up settles it first.").format(amount=bold(owed))]


def paysupport(reader: Reader, recent: Sequence[Payment]) -> View:
    """How to get help with a payment."""
    _ = reader.language._
    lines = [
        bold(_("Help with a payment")),
        "",
        _("• A number that you paid for with Stars: if no code comes, the Stars come back by themselves."),
        _("• A top-up: what you have not spent can be paid back in Stars."),
        _("• Stars paid and nothing here? We look for lost payments every few minutes."),
        "",
        _("To get a top-up back, or for anything else, write to us with the payment's number: /support"),
    ]
    if recent:
        lines += ["", bold(_("Your last payments"))]
        lines += [payment_line(reader.language, payment) for payment in recent]
    return View.of(lines, [[reader.button(_("Support"), "support"), home_button(reader)]])


def payment_line(language: Language, payment: Payment) -> str:
    _ = language._
    states = {
        PaymentStatus.PAID: _("paid"),
        PaymentStatus.REFUNDING: _("coming back"),
        PaymentStatus.REFUNDED: _("paid back"),
    }
    return _("{id}: {stars} ⭐, {state}, {when}").format(
        id=payment.id,
        stars=language.number(payment.stars),
        state=states[PaymentStatus(payment.status)],
        when=moment(payment.paid_at),
    )


def of_user(reader: Reader, user_id: int, page: Page[Payment]) -> View:
    """For operators: everything that somebody has paid."""
    _ = reader.language._
    empty = _("Nothing was paid with Stars.")
    return View.of(
        [
            bold(_("Payments of {id}").format(id=user_id)),
            "",
            *([payment_line(reader.language, payment) for payment in page.items] or [empty]),
        ],
        [
            *columns(
                (
                    reader.button(
                        f"{payment.id} · {reader.language.number(payment.stars)} ⭐",
                        "payment",
                        payment.id or 0,
                    )
                    for payment in page.items
                ),
            ),
            pager(reader, page, "payments", user_id),
            [reader.button(_("‹ User"), "user", user_id)],
        ],
    )


def payment(reader: Reader, shown: Payment, wallet: Wallet, *, confirm: bool = False) -> View:
    """For operators: one payment; `confirm` where the next tap gives it back."""
    language = reader.language
    _ = language._
    money = language.money
    lines = [
        bold(_("Payment {id}").format(id=shown.id)),
        "",
        payment_line(language, shown),
        _("Renter: {id}").format(id=code(str(shown.user_id))),
        _("Worth: {amount}").format(amount=money(shown.amount, shown.currency)),
        _("Charge: {id}").format(id=code(shown.charge_id)),
        *_refund_lines(language, shown),
    ]
    rows = []
    if shown.status == PaymentStatus.PAID:
        available = min(shown.amount, wallet.available)
        if confirm:
            words = _("Give {stars} ⭐ back? {amount} is taken from the wallet, {debt} becomes a debt.")
            lines += [
                "",
                words.format(
                    stars=language.number(shown.stars),
                    amount=money(available, shown.currency),
                    debt=money(shown.amount - available, shown.currency),
                ),
            ]
            label = _("Give {stars} ⭐ back").format(stars=language.number(shown.stars))
            rows.append([reader.button(label, "giveback", shown.id or 0, style=DANGER)])
        else:
            rows.append([reader.button(_("Refund"), "refund", shown.id or 0)])
    back = reader.button(_("‹ Payments"), "payments", shown.user_id, 0)
    return View.of(lines, [*rows, [back]])


def _refund_lines(language: Language, shown: Payment) -> list[str]:
    _ = language._
    if shown.status == PaymentStatus.PAID:
        return []
    reasons = {
        "no_code": _("no code came"),
        "operator": _("decided by {id}").format(id=shown.refunded_by),
        "dispute": _("a problem with the order, decided by {id}").format(id=shown.refunded_by),
        "store": _("the store took it back"),
    }
    reason = reasons.get(shown.refund_reason or "", _("the purchase was not possible"))
    return [_("Refund: {reason}").format(reason=reason)]
