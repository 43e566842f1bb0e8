"""The shop, closed for maintenance."""

from bot.language import Language
from bot.views.screen import DANGER, SUCCESS, Reader, View, bold, escape


def notice(language: Language, text: str) -> str:
    """Plain text: why nothing is sold; the operator's words, or ours where there are none."""
    return text or language._("We are doing some maintenance. Nothing can be bought for a little while.")


def state(reader: Reader, closed: str | None) -> View:
    """For operators; `closed`: as `Maintenance.notice` tells it."""
    _ = reader.language._
    back = [reader.button(_("‹ Operator"), "panel")]
    if closed is None:
        return View.of(
            [
                bold(_("The shop is open.")),
                "",
                _("Closed, it sells nothing new. Open orders go on, and codes arrive."),
            ],
            [
                [
                    reader.button(_("Close"), "close", style=DANGER),
                    reader.button(_("Close, saying why…"), "askclosing"),
                ],
                back,
            ],
        )
    return View.of(
        [bold(_("The shop is closed.")), "", _("Renters read:"), escape(notice(reader.language, closed))],
        [
            [
                reader.button(_("Open again"), "reopen", style=SUCCESS),
                reader.button(_("Other words…"), "askclosing"),
            ],
            back,
        ],
    )


def ask_text(reader: Reader, problem: str = "") -> View:
    _ = reader.language._
    lines = [
        *([escape(problem)] if problem else []),
        _("What shall renters read? The shop is closed as soon as you have written it. To leave: /cancel"),
    ]
    return View.of(lines, [[reader.button(_("‹ Back"), "maintenance")]])
