"""`/language`, and the currency that prices are shown in beside the shop's."""

import structlog
from telegram import Update
from telegram.error import TelegramError

from bot.buttons import Tap
from bot.commands import publish_menu
from bot.context import Context
from bot.handlers.screens import Acts, needs_terms, reader_of, show
from bot.language import CATALOGUES
from bot.views import choices as views
from services.errors import NotPossible
from services.places import CURRENCIES

log = structlog.get_logger()


async def language(update: Update, context: Context) -> None:
    """Also for those who have not accepted the terms yet: they want to read them first."""
    await show(update, context, views.languages(reader_of(context), CATALOGUES.codes, context.user))


async def _tap_language(update: Update, context: Context, tap: Tap) -> None:
    await language(update, context)


async def _tap_speak(update: Update, context: Context, tap: Tap) -> None:
    """Raises NotPossible for a language whose catalogue is gone."""
    code = tap.args[0] or None
    if code and code not in CATALOGUES.codes:
        raise NotPossible("speak", status="unknown")
    accounts = context.shop.accounts
    await accounts.choose_language(context.user.id, code)
    context.user = await accounts.get(context.user.id)
    if not await needs_terms(update, context):
        await language(update, context)
    try:
        await publish_menu(context.bot, context.user, context.role)
    except TelegramError as error:
        log.warning("menu.not_published", user=context.user.id, error=type(error).__name__)


async def _tap_currency(update: Update, context: Context, tap: Tap) -> None:
    shop = context.shop
    known = [code for code in CURRENCIES if code != shop.currency and shop.rates.find(shop.currency, code)]
    await show(update, context, views.currencies(reader_of(context), known, context.user, shop.currency))


async def _tap_countin(update: Update, context: Context, tap: Tap) -> None:
    wish = tap.args[0]
    chosen = {"": None, views.NO_CURRENCY: ""}.get(wish, wish)
    accounts = context.shop.accounts
    await accounts.choose_currency(context.user.id, chosen)
    context.user = await accounts.get(context.user.id)
    await _tap_currency(update, context, tap)


NEWCOMER_ACTS: Acts = {"language": _tap_language, "speak": _tap_speak}
"""Need no terms."""
ACTS: Acts = {"currency": _tap_currency, "countin": _tap_countin}
