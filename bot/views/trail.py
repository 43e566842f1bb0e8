"""Who did what."""

from collections.abc import Mapping
from typing import Any

from bot.language import Language
from bot.views.screen import Page, Reader, View, bold, code, escape, pager
from db.models import Act
from services.acts import MONEY_FACTS, What

ACTS_A_PAGE = 8
_FACT_LIMIT = 120
_NAME_LIMIT = 32


def trail(
    reader: Reader, page: Page[Act], person_id: int, names: Mapping[int, str], *, currency: str
) -> View:
    """`person_id`: 0 where it is everybody's."""
    _ = reader.language._
    title = _("Log of {name}").format(name=_name(names, person_id)) if person_id else _("Log")
    lines = [line for act in page.items for line in (*_act(reader.language, act, names, currency), "")]
    rest = [reader.button(_("Of everybody"), "trail", 0, 0)] if person_id else []
    back = (
        reader.button(_("‹ User"), "user", person_id)
        if person_id
        else reader.button(_("‹ Operator"), "panel")
    )
    return View.of(
        [bold(title), "", *(lines or [_("Nothing yet.")])],
        [pager(reader, page, "trail", person_id), [*rest, back]],
    )


def _act(language: Language, act: Act, names: Mapping[int, str], currency: str) -> list[str]:
    about = f" · {escape(_name(names, act.user_id))} {code(str(act.user_id))}" if act.user_id else ""
    subject = f" · {escape(act.subject)}" if act.subject else ""
    head = (
        f"{language.time(act.at)} {escape(_name(names, act.operator_id))}: {bold(_word(language, act.what))}"
    )
    facts = [
        f"   {escape(name)}: {_change(language, name, act, currency)}"
        for name in sorted({*act.before, *act.after})
    ]
    return [head + about + subject, *facts]


def _word(language: Language, what: str) -> str:
    _ = language._
    words = {
        What.CREDIT: _("credit"),
        What.DEBIT: _("debit"),
        What.BAN: _("ban"),
        What.UNBAN: _("unban"),
        What.NOTE: _("note"),
        What.MESSAGE: _("message"),
        What.ERASE: _("data erased"),
        What.ROLE: _("role"),
        What.MAINTENANCE: _("maintenance"),
        What.BROADCAST: _("broadcast"),
        What.TEXT_TEST: _("test SMS"),
        What.TEXT_ROUTE: _("SMS route"),
        What.SENDER_ID: _("sender ID"),
        What.NEWSLETTERS: _("way of SMS news"),
        What.VOUCHER: _("voucher"),
        What.REFUND: _("refund of Stars"),
        What.PRICE: _("price rule"),
        What.PAUSE: _("pause of sales"),
        What.RESUME: _("end of a pause"),
        What.WEBHOOK: _("webhook"),
        What.LIMITS: _("limits"),
        What.ANSWER: _("answer to a renter"),
        What.ORDER_REFUND: _("order refunded"),
        What.ORDER_REJECT: _("problem rejected"),
        What.ORPHANS: _("unexplained things settled"),
        What.EXPORT: _("books exported"),
    }
    return words.get(What(what), what)


def _change(language: Language, name: str, act: Act, currency: str) -> str:
    """ "Rp 5,000 → Rp 6,000"; one side where there is no other."""
    sides = [
        escape(_fact(language, name, side[name], currency)) if name in side else "–"
        for side in (act.before, act.after)
        if side is act.after or name in side
    ]
    return " → ".join(sides)


def _fact(language: Language, name: str, value: Any, currency: str) -> str:
    if name in MONEY_FACTS and isinstance(value, int):
        return language.money(value, currency)
    text = str(value)
    return text if len(text) <= _FACT_LIMIT else f"{text[:_FACT_LIMIT]}…"


def _name(names: Mapping[int, str], user_id: int | None) -> str:
    return (names.get(user_id or 0) or str(user_id))[:_NAME_LIMIT]
