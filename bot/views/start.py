"""The first screens, and the ones that explain."""

from collections.abc import Sequence
from datetime import timedelta

from telegram import InlineKeyboardButton

from bot.buttons import Tap
from bot.language import Language
from bot.views.choices import language_button
from bot.views.screen import SUCCESS, Reader, View, bold, escape
from db.models import Service
from services.late_codes import ON_OFFER


def _rules(language: Language) -> list[str]:
    _ = language._
    minutes = ON_OFFER // timedelta(minutes=1)
    late = language.ngettext(
        "• A code that comes after your money went back is kept. For {minutes} minute you can buy it at the"
        " order's price, with all that comes late to the number, unless somebody else has rented it by then.",
        "• A code that comes after your money went back is kept. For {minutes} minutes you can buy it at the"
        " order's price, with all that comes late to the number, unless somebody else has rented it by then.",
        minutes,
    )
    return [
        _("• A number is yours for a short time, usually 20 minutes, and for one service."),
        _("• The price is reserved when you buy and taken when the first code comes."),
        _("• No code, no charge: the money goes back by itself."),
        late.format(minutes=language.number(minutes)),
        _("• Paid with Stars for one number and no code: the Stars come back by themselves."),
        _("• What you topped up with Stars and have not spent is paid back on request: /paysupport"),
        _("• Don't use numbers for anything illegal, for spam, or to deceive anyone."),
    ]


def terms(reader: Reader, then: Tap | None = None, *, welcome: Sequence[str] = ()) -> View:
    """What a renter agrees to, below a `welcome`; `then` is where Accept leads, home by default."""
    _ = reader.language._
    wanted = (then.action, *then.args) if then else ("home",)
    return View.of(
        [
            *welcome,
            "",
            bold(_("Before you start")),
            "",
            *_rules(reader.language),
            "",
            _("What we keep about you: /privacy"),
        ],
        [
            [reader.button(_("Accept"), "accept", *wanted, style=SUCCESS)],
            [] if then else [language_button(reader)],
        ],
    )


def accepted_terms(reader: Reader) -> View:
    """The terms, for somebody who accepted them before."""
    _ = reader.language._
    return View.of([bold(_("Terms")), "", *_rules(reader.language)], [[home_button(reader)]])


def help_(reader: Reader, *, is_operator: bool) -> View:
    _ = reader.language._
    lines = [
        bold(_("How it works")),
        "",
        _("1. Pick a service and a country, and tap Buy."),
        _("2. Type the number that you get into the website or app."),
        _("3. Its code arrives here as a message. No code: your money goes back."),
        "",
        _("/buy whatsapp indonesia – straight to the price"),
        _("/orders – your numbers and codes"),
        _("/balance – your money"),
        _("/settings, /language – currency, news, SMS, language"),
        _("/redeem CODE – use a voucher"),
        _("/invite – bring friends and earn"),
        _("/topup, /paysupport – pay with Telegram Stars, and help with it"),
        _("/support – write to us"),
        _("/terms, /privacy – the small print"),
        "",
        _("Or just write what you are looking for."),
    ]
    if is_operator:
        lines += ["", _("/admin – for operators")]
    return View.of(lines, [[reader.button(_("Support"), "support"), home_button(reader)]])


def unknown_command(reader: Reader) -> View:
    _ = reader.language._
    return View.of([_("I don't know this command. What I can do: /help")])


def nothing_to_cancel(reader: Reader) -> View:
    _ = reader.language._
    return View.of([_("There is nothing to leave. To give a number back, tap Cancel on it: /orders")])


def left(reader: Reader) -> View:
    _ = reader.language._
    return View.of([_("All right, we stop here.")], [[home_button(reader)]])


def not_text(reader: Reader) -> View:
    _ = reader.language._
    return View.of([_("I can only read text. Write what you need, like <i>whatsapp indonesia</i>.")])


def private_only(language: Language) -> View:
    return View.of([escape(language._("I work in private chats only: open me and tap Start."))])


def home_button(reader: Reader) -> InlineKeyboardButton:
    return reader.button(reader.language._("‹ Menu"), "home")


def service_button(reader: Reader, service: Service) -> InlineKeyboardButton:
    """To a service's countries."""
    assert service.id is not None
    return reader.button(reader.language.service(service.name), "service", service.id, 0)
