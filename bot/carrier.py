"""Carries messages between renters and those who answer them. Workers of the outbox.

Telegram copies a message as it is; only an album loses its togetherness. What cannot be carried, or does
not arrive, is told to whoever wrote it, where they wrote it.
"""

from collections.abc import Mapping

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession
from telegram import InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot import messages
from bot.context import Bot, Shop
from bot.language import Language
from bot.messages import reaching_telegram, reason_of
from bot.views import disputes as dispute_views
from bot.views import problems
from bot.views import support as views
from bot.views.screen import Reader, View
from db.models import OutboxMessage, SupportMessage, User
from services.disputes import CASE, VERDICT
from services.lanes import Lane
from services.outbox import Effect, Worker
from services.support import CARRY, REMOVE_TOPIC

log = structlog.get_logger()

ENGLISH = Language.of("en")
LAST_ORDERS = 3


class _Unfit(Exception):
    """Telegram does not copy such a message, or the original is gone."""


class _NoForum(Exception):
    """The operators' group takes nothing; the text says why."""


class Carrier:
    def __init__(self, bot: Bot, shop: Shop) -> None:
        self._bot = bot
        self._shop = shop

    def workers(self) -> Mapping[str, Worker]:
        return {
            CARRY: self.carry,
            CASE: self.case,
            VERDICT: self.verdict,
            REMOVE_TOPIC: self.remove_topic,
        }

    async def carry(self, promise: OutboxMessage) -> Effect | None:
        """Copy one message to one chat. Raises UpstreamUnavailable."""
        message = await self._shop.support.find(promise.payload["id"])
        if message is None or message.copy_id:
            return None
        try:
            with reaching_telegram():
                if message.to_chat_id == self._shop.support.chat_id:
                    return await self._to_forum(message)
                if message.to_chat_id == message.user_id:
                    return await self._to_renter(message)
                return await self._to_operator(message)
        except _Unfit:
            await self._tell_author(message, views.not_carried(ENGLISH))
            return None

    async def _to_forum(self, message: SupportMessage) -> Effect:
        support = self._shop.support
        try:
            copy_id = await self._copy_to_topic(message)
        except _NoForum as error:
            why = str(error)
            log.error("support.no_forum", error=why)
            return lambda session: support.fall_back(session, message, why=why)
        return _note(self._shop, message, copy_id)

    async def _copy_to_topic(self, message: SupportMessage) -> int:
        """Into the renter's topic; a new one where operators have deleted it. Raises _NoForum, _Unfit."""
        topic_id = await self._topic(message.user_id)
        try:
            return await self._copy(message, topic_id=topic_id)
        except BadRequest as error:
            if not _is_gone(error):
                raise _NoForum(reason_of(error)) from error
        except (Forbidden, ChatMigrated) as error:
            raise _NoForum(reason_of(error)) from error
        await self._shop.support.drop_topic(message.user_id)
        return await self._copy(message, topic_id=await self._topic(message.user_id))

    async def _topic(self, user_id: int) -> int:
        """The renter's topic, open. Raises _NoForum."""
        topic = await self._shop.support.topic_of(user_id)
        if topic is None:
            return await self._new_topic(user_id)
        if topic.closed_at:
            await self._reopen(topic.topic_id)
        return topic.topic_id

    async def _new_topic(self, user_id: int) -> int:
        """With what is known of the renter on top. Raises _NoForum."""
        renter = await self._shop.accounts.get(user_id)
        chat_id = self._shop.support.chat_id or 0
        try:
            topic = await self._bot.create_forum_topic(chat_id, views.topic_name(renter))
        except (BadRequest, Forbidden, ChatMigrated) as error:
            raise _NoForum(reason_of(error)) from error
        # At once, before anything else can fail: a topic cannot be looked up by its name.
        await self._shop.support.put_topic(user_id, topic.message_thread_id)
        await self._pin_facts(renter, chat_id, topic.message_thread_id)
        return topic.message_thread_id

    async def _pin_facts(self, renter: User, chat_id: int, topic_id: int) -> None:
        """A courtesy: without it the conversation goes on all the same."""
        try:
            view = await facts(self._bot, self._shop, renter, chat_id)
            sent = await messages.send(self._bot, chat_id, view, topic_id=topic_id)
            await self._bot.pin_chat_message(chat_id, sent.message_id, disable_notification=True)
        except (BadRequest, Forbidden) as error:
            log.warning("support.facts_not_pinned", user=renter.id, error=reason_of(error))

    async def _reopen(self, topic_id: int) -> None:
        try:
            await self._bot.reopen_forum_topic(self._shop.support.chat_id or 0, topic_id)
        except BadRequest as error:
            # Open already, or deleted: then the copy says so.
            log.info("support.not_reopened", error=reason_of(error))
        await self._shop.support.note_closed(topic_id, closed=False)

    async def _to_renter(self, message: SupportMessage) -> Effect | None:
        renter = await self._shop.accounts.get(message.user_id)
        try:
            keyboard = views.answer_keyboard(self._reader(renter))
            return _note(self._shop, message, await self._copy(message, keyboard=keyboard))
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
            await self._tell_author(message, views.blocked(ENGLISH))
            return None

    async def _to_operator(self, message: SupportMessage) -> Effect | None:
        """Into a private chat, below a line that says who writes."""
        accounts, header_id = self._shop.accounts, None
        try:
            if await self._shop.support.needs_header(message):
                renter = await accounts.get(message.user_id)
                author = await _person(self._shop, message.author_id)
                header = views.header(ENGLISH, renter, author)
                header_id = (await messages.send(self._bot, message.to_chat_id, header)).message_id
            return _note(self._shop, message, await self._copy(message), header_id)
        except (Forbidden, BadRequest) as error:
            # An operator who has never opened the bot must not keep the others from answering.
            log.warning("support.operator_not_reached", user=message.to_chat_id, error=reason_of(error))
            return None

    async def _copy(
        self,
        message: SupportMessage,
        *,
        topic_id: int | None = None,
        keyboard: InlineKeyboardMarkup | None = None,
    ) -> int:
        """The id of the copy. Raises _Unfit, TelegramError."""
        quoted = await self._shop.support.quoted(message)
        reply = ReplyParameters(quoted, allow_sending_without_reply=True) if quoted else None
        try:
            copy = await self._bot.copy_message(
                message.to_chat_id,
                message.chat_id,
                message.message_id,
                message_thread_id=topic_id,
                reply_parameters=reply,
                reply_markup=keyboard,
                rate_limit_args=Lane.REPLY,
            )
        except BadRequest as error:
            words = error.message.lower()
            if "can't be copied" in words or "message to copy not found" in words:
                raise _Unfit from error
            raise
        return copy.message_id

    async def _tell_author(self, message: SupportMessage, view: View) -> None:
        """Below what they wrote."""
        try:
            with reaching_telegram():
                await self._bot.send_message(
                    message.chat_id,
                    view.text,
                    message_thread_id=await self._topic_of_author(message),
                    reply_parameters=ReplyParameters(message.message_id, allow_sending_without_reply=True),
                    rate_limit_args=Lane.REPLY,
                )
        except TelegramError as error:
            log.warning("support.author_not_told", user=message.author_id, error=reason_of(error))

    async def _topic_of_author(self, message: SupportMessage) -> int | None:
        if message.chat_id != self._shop.support.chat_id:
            return None
        topic = await self._shop.support.topic_of(message.user_id)
        return topic.topic_id if topic else None

    async def case(self, promise: OutboxMessage) -> Effect | None:
        """Draw a dispute for operators, in its message or in a new one. Raises UpstreamUnavailable."""
        dispute_id, chat_id = promise.payload["dispute_id"], promise.payload["chat_id"]
        view, user_id = await draw_case(self._shop, dispute_id, chat_id)
        known_id = await self._shop.disputes.card_in(dispute_id, chat_id)
        try:
            with reaching_telegram():
                if known_id and await messages.edit(self._bot, chat_id, known_id, view):
                    return None
                sent_id = await self._send_case(view, user_id, chat_id)
        except _NoForum as error:
            why = str(error)
            return lambda session: self._case_apart(session, dispute_id, user_id, why)
        except (BadRequest, Forbidden) as error:
            log.warning("dispute.not_shown", dispute=dispute_id, error=reason_of(error))
            return None
        return lambda session: self._shop.disputes.put_card(session, dispute_id, chat_id, sent_id)

    async def _send_case(self, view: View, user_id: int, chat_id: int) -> int:
        if chat_id != self._shop.support.chat_id:
            return (await messages.send(self._bot, chat_id, view)).message_id
        try:
            sent = await messages.send(self._bot, chat_id, view, topic_id=await self._topic(user_id))
        except BadRequest as error:
            if not _is_gone(error):
                raise _NoForum(reason_of(error)) from error
            await self._shop.support.drop_topic(user_id)
            sent = await messages.send(self._bot, chat_id, view, topic_id=await self._topic(user_id))
        except (Forbidden, ChatMigrated) as error:
            raise _NoForum(reason_of(error)) from error
        return sent.message_id

    async def _case_apart(self, session: AsyncSession, dispute_id: int, user_id: int, why: str) -> None:
        """The group takes nothing: each operator gets the dispute."""
        await self._shop.support.alert(session, why)
        for operator_id in await self._shop.support.operators():
            await self._shop.disputes.show(session, dispute_id, user_id, operator_id)

    async def verdict(self, promise: OutboxMessage) -> None:
        """Tell the renter what was decided. Raises UpstreamUnavailable."""
        case = await self._shop.disputes.get(promise.payload["dispute_id"])
        renter = await self._shop.accounts.get(case.dispute.user_id)
        if renter.blocked_at:
            return
        try:
            with reaching_telegram():
                await messages.send(self._bot, renter.id, problems.verdict(self._reader(renter), case))
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
        except BadRequest as error:
            log.error("verdict.refused", dispute=case.dispute.id, error=reason_of(error))

    async def remove_topic(self, promise: OutboxMessage) -> None:
        """Somebody was forgotten: so is what they wrote to the group. Raises UpstreamUnavailable."""
        try:
            with reaching_telegram():
                await self._bot.delete_forum_topic(promise.payload["chat_id"], promise.payload["topic_id"])
        except TelegramError as error:
            log.warning("support.topic_not_removed", error=reason_of(error))

    def _reader(self, user: User) -> Reader:
        return Reader(user.id, Language.of(user.language), self._shop.buttons)


async def facts(bot: Bot, shop: Shop, renter: User, chat_id: int) -> View:
    """What operators see of a renter on top of their topic."""
    shown = views.Facts(
        renter,
        await shop.accounts.wallet(renter.id, moves=0),
        await shop.orders.of_user(renter.id, open_only=False, limit=LAST_ORDERS),
    )
    return views.facts(Reader(chat_id, ENGLISH, shop.buttons), shown, bot.username)


async def draw_case(shop: Shop, dispute_id: int, chat_id: int) -> tuple[View, int]:
    """A dispute as operators see it in a chat, and whose it is. Raises DisputeNotFound."""
    case = await shop.disputes.get(dispute_id)
    order_id, decider_id = case.dispute.order_id, case.dispute.decided_by
    view = dispute_views.case(
        Reader(chat_id, ENGLISH, shop.buttons),
        case,
        await shop.orders.get_order(order_id),
        await shop.timelines.of_order(order_id),
        await shop.accounts.get(case.dispute.user_id),
        await _person(shop, decider_id) if decider_id else None,
    )
    return view, case.dispute.user_id


async def _person(shop: Shop, user_id: int) -> User:
    """An operator may never have opened the bot: then their id is all that we know."""
    return await shop.accounts.find(user_id) or User(id=user_id, created_at=shop.clock.now())


def _note(shop: Shop, message: SupportMessage, copy_id: int, header_id: int | None = None) -> Effect:
    """Remember the copy: a reply to it belongs to this conversation."""

    async def note(session: AsyncSession) -> None:
        await shop.support.note_copy(session, message.id or 0, copy_id=copy_id, header_id=header_id)

    return note


def _is_gone(error: BadRequest) -> bool:
    """Whether operators have deleted the topic."""
    words = error.message.lower()
    return "message thread not found" in words or "topic_deleted" in words
