"""What happens when a handler fails: a sentence for the person, an entry in the log, or another try."""

from contextvars import ContextVar

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from telegram import Update
from telegram import User as TelegramUser
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import ApplicationHandlerStop

from bot.buttons import BadButton
from bot.context import App, Context
from bot.language import ENGLISH, Language
from bot.views import errors as words
from services.errors import ConflictError, CustomerError

log = structlog.get_logger()


def is_database_trouble(error: BaseException | None) -> bool:
    """Nothing was committed and nothing is wrong with the update: it must be handled again, later."""
    if isinstance(error, IntegrityError | ProgrammingError | DataError):
        return False
    # One driver's lost connection is the toolkit's plain DBAPIError.
    return isinstance(error, DBAPIError | PoolTimeout | OSError)


# The library swallows what handlers raise; this is how it gets out of `process_update` all the same.
_trouble: ContextVar[list[Exception]] = ContextVar("trouble")


async def process(application: App, update: Update) -> None:
    """Handle one update and write down where its conversation stands.

    Raises database trouble, and only that: then the update has to be handled once more.
    """
    trouble: list[Exception] = []
    token = _trouble.set(trouble)
    try:
        await application.process_update(update)
    finally:
        _trouble.reset(token)
    if trouble:
        raise trouble[0]
    _forget_visitor(application, update)
    await application.update_persistence()
    assert application.persistence
    await application.persistence.flush()


def _forget_visitor(application: App, update: Update) -> None:
    """The library keeps an entry for everybody it ever saw; we need those in a conversation only."""
    user = update.effective_user
    if user and not application.user_data.get(user.id):
        application.drop_user_data(user.id)


async def on_error(update: object, context: Context) -> None:
    """The library's error handler. No other handler sees an update that has failed."""
    error = context.error
    if error and is_database_trouble(error):
        _trouble.get([]).append(error)
    elif isinstance(error, TelegramError) and isinstance(update, Update):
        await _note_refusal(update, context, error)
    elif isinstance(update, Update):
        await _apologize(update, context, error)
    else:
        log.error("application.failed", exc_info=error)
    raise ApplicationHandlerStop


async def _note_refusal(update: Update, context: Context, error: TelegramError) -> None:
    """Telegram did not take an answer. What the update asked for is done; only the words are lost."""
    if isinstance(error, Forbidden) and update.effective_user:
        await context.shop.accounts.mark_blocked(update.effective_user.id)
    elif isinstance(error, RetryAfter) or (
        isinstance(error, NetworkError) and not isinstance(error, BadRequest)
    ):
        log.warning("reply.not_sent", update_id=update.update_id, error=type(error).__name__)
    else:
        log.error("reply.refused", update_id=update.update_id, exc_info=error)


async def _apologize(update: Update, context: Context, error: Exception | None) -> None:
    language = await language_of(context, update.effective_user)
    if isinstance(error, CustomerError | ConflictError | BadButton):
        log.info("update.refused", update_id=update.update_id, error=type(error).__name__)
        text = words.sentence(error, language, context.shop.currency)
    else:
        log.error("update.failed", update_id=update.update_id, exc_info=error)
        text = words.failure(language)
    try:
        await _tell(update, text)
    except TelegramError as refusal:
        log.warning("reply.not_sent", update_id=update.update_id, error=type(refusal).__name__)


async def language_of(context: Context, person: TelegramUser | None) -> Language:
    """The context of an error does not know whom the doorman let in."""
    user = await context.shop.accounts.find(person.id) if person else None
    return Language.of(user.language if user else (person and person.language_code) or ENGLISH)


async def _tell(update: Update, text: str) -> None:
    if update.callback_query:
        await update.callback_query.answer(text[: words.ALERT_LIMIT], show_alert=True)
    elif update.pre_checkout_query:
        await update.pre_checkout_query.answer(ok=False, error_message=text)
    elif update.message:
        await update.message.reply_text(text, parse_mode=None)
