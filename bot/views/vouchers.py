"""Vouchers, for renters who redeem them and operators who make them."""

from datetime import datetime, timedelta

from bot.language import Language
from bot.views.screen import (
    DANGER,
    SUCCESS,
    Page,
    Reader,
    View,
    bold,
    code,
    copy_button,
    escape,
    moment,
    pager,
)
from bot.views.start import home_button
from db.models import Voucher
from services.accounts import Wallet
from services.vouchers import Draft, spell

HOUR = timedelta(hours=1)
_EXAMPLE = 50_000
"""Minor units; an amount to show how one is written."""


def ask_code(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("Write the code of your voucher, like {code}.").format(code=code("ABCD-EFGH-JKM"))],
        [[reader.button(_("‹ Back"), "balance")]],
    )


def redeemed(reader: Reader, voucher: Voucher, wallet: Wallet, *, settled: int = 0) -> View:
    """`settled`: how much of it went into a debt."""
    _ = reader.language._
    money = reader.language.money
    owed = _("{amount} of it settled what you owed.").format(amount=money(settled, voucher.currency))
    return View.of(
        [
            _("{amount} was added to your balance.").format(
                amount=bold(money(voucher.amount, voucher.currency))
            ),
            *([owed] if settled else []),
            _("You have {amount} now.").format(amount=money(wallet.available, wallet.currency)),
        ],
        [[reader.button(_("Balance"), "balance"), home_button(reader)]],
    )


def refused(reader: Reader, problem: str) -> View:
    _ = reader.language._
    return View.of([escape(problem)], [[reader.button(_("Redeem a voucher"), "redeem"), home_button(reader)]])


def vouchers(reader: Reader, page: Page[Voucher], *, given_out: int, currency: str, now: datetime) -> View:
    """Every voucher is a button that opens it."""
    _ = reader.language._
    given = reader.language.money(given_out, currency)
    return View.of(
        [
            bold(_("Vouchers")),
            "",
            _("Given out in all: {amount}").format(amount=given),
            _("Newest first.") if page.items else _("There are none yet."),
        ],
        [
            *([reader.button(_label(reader, one, now), "voucher", one.id or 0)] for one in page.items),
            pager(reader, page, "vouchers"),
            [reader.button(_("New voucher"), "newvoucher"), reader.button(_("‹ Operator"), "panel")],
        ],
    )


def voucher(reader: Reader, shown: Voucher, *, link: str, now: datetime) -> View:
    """One voucher, with all that its maker may want to copy."""
    _ = reader.language._
    rows = [[copy_button(_("Copy code"), spell(shown.code)), copy_button(_("Copy link"), link)]]
    if _is_open(shown, now):
        rows.append([reader.button(_("Revoke"), "askrevoke", shown.id or 0, style=DANGER)])
    rows.append([reader.button(_("‹ Vouchers"), "vouchers", 0)])
    return View.of([*_facts(reader.language, shown, now), "", code(link)], rows)


def ask_revoke(reader: Reader, shown: Voucher, *, now: datetime) -> View:
    _ = reader.language._
    return View.of(
        [
            *_facts(reader.language, shown, now),
            "",
            _("Revoke it? Nobody can use it any more then. What was redeemed stays with the renters."),
        ],
        [
            [
                reader.button(_("Revoke"), "revoke", shown.id or 0, style=DANGER),
                reader.button(_("‹ Back"), "voucher", shown.id or 0),
            ]
        ],
    )


def question(reader: Reader, step: int, currency: str, *, problem: str = "") -> View:
    """What a new voucher is asked for, one after another; `problem` is what was wrong with the answer."""
    _ = reader.language._
    example = reader.language.money(_EXAMPLE, currency)
    questions = (
        _("How much does one use give? Write an amount, like {example}.").format(example=example),
        _("How many renters can use it, once each? Write a whole number."),
        _("How long is it valid? Write hours or days, like 12h or 30d."),
    )
    lines = [escape(problem), ""] if problem else []
    return View.of(
        [bold(_("New voucher")), "", *lines, questions[step]], [[reader.button(_("Discard"), "vouchers", 0)]]
    )


def preview(reader: Reader, draft: Draft, *, currency: str, key: str, problem: str = "") -> View:
    """The last look before a voucher is made; `key` names the intent."""
    _ = reader.language._
    money = reader.language.money
    hours = draft.lifetime // HOUR
    return View.of(
        [
            bold(_("New voucher")),
            "",
            _gives(reader.language, draft.amount, draft.max_uses, currency),
            _("At most {amount} in all.").format(amount=money(draft.amount * draft.max_uses, currency)),
            _("Valid for {time}.").format(time=_duration(reader.language, hours)),
            "",
            *([escape(problem)] if problem else []),
            _("Tap Create for a random code, or write a word that shall be the code."),
        ],
        [
            [
                reader.button(_("Create"), "create", draft.amount, draft.max_uses, hours, key, style=SUCCESS),
                reader.button(_("Discard"), "vouchers", 0),
            ]
        ],
    )


def _facts(language: Language, shown: Voucher, now: datetime) -> list[str]:
    _ = language._
    given = language.money(shown.uses * shown.amount, shown.currency)
    used = language.ngettext(
        "Used {uses} of {most} time: {amount} given out.",
        "Used {uses} of {most} times: {amount} given out.",
        shown.max_uses,
    )
    return [
        bold(_("Voucher")) + " " + code(spell(shown.code)),
        "",
        _gives(language, shown.amount, shown.max_uses, shown.currency),
        used.format(uses=language.number(shown.uses), most=language.number(shown.max_uses), amount=given),
        _validity(language, shown, now),
        _("Made by {id}, {when}").format(id=code(str(shown.created_by)), when=moment(shown.created_at)),
    ]


def _gives(language: Language, amount: int, max_uses: int, currency: str) -> str:
    text = language.ngettext(
        "Gives {amount} to {count} renter.", "Gives {amount} to each of {count} renters.", max_uses
    )
    return text.format(amount=bold(language.money(amount, currency)), count=language.number(max_uses))


def _validity(language: Language, shown: Voucher, now: datetime) -> str:
    _ = language._
    if shown.revoked_at:
        return _("Revoked, {when}").format(when=moment(shown.revoked_at))
    text = _("Expires {when}") if shown.expires_at > now else _("Expired {when}")
    return text.format(when=moment(shown.expires_at))


def _duration(language: Language, hours: int) -> str:
    days, rest = divmod(hours, 24)
    if rest:
        text, count = language.ngettext("{count} hour", "{count} hours", hours), hours
    else:
        text, count = language.ngettext("{count} day", "{count} days", days), days
    return text.format(count=language.number(count))


def _is_open(shown: Voucher, now: datetime) -> bool:
    return shown.revoked_at is None and shown.expires_at > now and shown.uses < shown.max_uses


def _label(reader: Reader, shown: Voucher, now: datetime) -> str:
    sign = "🟢" if _is_open(shown, now) else "⚪"
    amount = reader.language.money(shown.amount, shown.currency)
    return f"{sign} {spell(shown.code)} · {amount} · {shown.uses}/{shown.max_uses}"
