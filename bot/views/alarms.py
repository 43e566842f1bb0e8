"""Alarms as texts to phones: plain, and short enough for one SMS in most languages."""

from datetime import datetime

from bot.language import Language
from bot.views.audit import check_name
from services.alarms import Word
from services.audit import Check


def text(code: str, word: Word, began_at: datetime) -> str:
    """In the language `code`. Raises KeyError for a word that no phone is told."""
    language = Language.of(code)
    _ = language._
    texts = {
        "telegram_lost": _(
            "Telegram has been out of reach since {at}. Codes wait and are sent when it is back."
        ),
        "telegram_back": _("Telegram can be reached again. It had been out of reach since {at}."),
        "low_balance": _("Our balance at {supplier} lasts less than {hours} h. Please top it up."),
        "low_balance_over": _("Our balance at {supplier} is high enough again."),
        "breaker_open": _("{supplier} has been out of order since {at}."),
        "breaker_closed": _("{supplier} works again. It had been out of order since {at}."),
        "codes_late": _("Codes have been late since {at}."),
        "codes_in_time": _("Codes come in time again. They had been late since {at}."),
        "audit_differs": _("The books do not agree ({check}). Please look at /audit."),
        "audit_agrees": _("The books agree again ({check})."),
        "orphans_found": _("A supplier has something that no purchase explains. See /suppliers."),
        "orphans_settled": _("Everything at the suppliers is explained."),
    }
    at = f"{language.time(began_at)} UTC"
    facts = dict(word.facts)
    if "check" in facts:
        facts["check"] = check_name(language, Check(facts["check"]))
    return "Numlet: " + texts[word.name].format(**facts, at=at)
