"""What we keep about somebody, and how they are forgotten."""

from bot.views.screen import DANGER, Reader, View, bold
from bot.views.start import home_button


def privacy(reader: Reader, *, retention_days: int) -> View:
    _ = reader.language._
    kept = reader.language.ngettext(
        "• What you write here, codes and SMS texts: erased after {days} day.",
        "• What you write here, codes and SMS texts: erased after {days} days.",
        retention_days,
    )
    return View.of(
        [
            bold(_("What we keep about you")),
            "",
            _("• From Telegram: your id, name, username and language."),
            _("• The phone that you link for SMS, until you unlink it: /settings"),
            _("• The number of a phone that has answered STOP, so that it is not texted again."),
            _("• Your orders and every change of your balance, because it is about money."),
            _("• Who invited you here, and whom you invited."),
            _("• What our operators did for you and noted about you."),
            _("• What you write to support: it stays in our operators' Telegram."),
            kept.format(days=reader.language.number(retention_days)),
            "",
            _("The supplier of a number learns which service you use it for, but not who you are."),
            _("Nothing else is shared, and nothing is sold."),
        ],
        [[reader.button(_("Erase my data"), "forgetme")], [home_button(reader)]],
    )


def ask_erasure(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [
            bold(_("Erase my data")),
            "",
            _("An operator then erases your name, username, language, and all codes, texts and numbers."),
            _("The changes of your balance are kept without a name, because our books need them."),
            "",
            _("Before you tap, use up your balance and finish your orders."),
        ],
        [
            [reader.button(_("Yes, erase it"), "doforgetme", style=DANGER)],
            [home_button(reader)],
        ],
    )


def erasure_asked(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("Your request has arrived. An operator will erase your data.")], [[home_button(reader)]]
    )
