"""Cards of inline mode: one offer each, to be sent into any chat."""

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputTextMessageContent,
    LinkPreviewOptions,
)
from telegram.constants import ParseMode

from bot.language import Language
from bot.views.screen import bold, title
from db.models import Service
from services.lines import Line


def card(
    language: Language, service: Service, line: Line, currency: str, *, link: str
) -> InlineQueryResultArticle:
    """An offer as the list shows it, and as the message that it becomes; `link` opens it in the bot."""
    _ = language._
    price = language.money(line.price, currency)
    odds = [language.percent(line.odds.percent)] if line.odds else []
    lines = [
        title(language, service.name, line.country),
        "",
        _("Price: {amount} a number").format(amount=bold(price)),
    ]
    if line.odds:
        percent = language.number(line.odds.percent)
        lines.append(_("A code came in {percent} of 100 orders.").format(percent=percent))
    lines += ["", _("You pay only if a code comes. If none does, the money goes back by itself.")]
    return InlineQueryResultArticle(
        id=f"{line.service_id}:{line.country}",
        title=f"{language.service(service.name)} · {language.country(line.country)}",
        description=" · ".join([price, *odds]),
        input_message_content=InputTextMessageContent(
            "\n".join(lines),
            parse_mode=ParseMode.HTML,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        ),
        reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton(_("Get this number"), url=link)]]),
    )


def to_the_shop(language: Language) -> str:
    """On the way out where nothing was found."""
    return language._("Nothing found. Open the shop")
