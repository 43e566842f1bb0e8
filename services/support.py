"""Conversations with renters. What is carried is copied by Telegram; its words are never kept here.

Operators sit in a group with topics, one for each renter, or in their private chats with the bot. Every
message is a row for each chat that it goes to, and a promise in the same commit.
"""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import support, users
from db.models import SupportMessage, SupportTopic
from db.session import Database
from services import acts
from services.acts import What
from services.announcer import Announcer
from services.clock import Clock
from services.errors import NotPossible, TooManyMessages, UserNotFound
from services.outbox import SUPPORT, Outbox
from services.roles import Right, rights_of
from services.team import Team

CARRY, REMOVE_TOPIC = "carry", "remove_topic"
"""Words of the outbox: carry one message; delete the topic of somebody who was forgotten."""
PACE, AT_MOST, AT_MOST_OF_BANNED = timedelta(minutes=10), 30, 5
"""How much a renter may write in that time: an album is ten messages."""
SAME_BREATH = timedelta(minutes=10)
"""So long after a renter's last message the next one needs no line that says who writes."""


class Support:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        outbox: Outbox,
        announcer: Announcer,
        team: Team,
        *,
        chat_id: int | None,
    ) -> None:
        """`chat_id`: the operators' group; None: their private chats."""
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._announcer = announcer
        self._team = team
        self.chat_id = chat_id

    async def chats(self) -> list[int]:
        """Where those who answer are: the group, or each operator's private chat."""
        return [self.chat_id] if self.chat_id else await self.operators()

    async def operators(self) -> list[int]:
        """Who may answer renters, owners first."""
        roles = await self._team.roles()
        return [user_id for user_id, role in roles.items() if Right.PEOPLE in rights_of(role)]

    async def write(self, user_id: int, message_id: int, *, reply_to: int | None = None) -> None:
        """Promise to bring a renter's message to those who answer, once.

        `reply_to`: the message in their chat that it answers. Raises UserNotFound, TooManyMessages;
        NotPossible where nobody answers.
        """
        chats = await self.chats()
        if not chats:
            raise NotPossible("write", status="nobody")
        async with self._database.write() as session:
            await self._check_pace(session, user_id, message_id)
            for chat_id in chats:
                await self._promise(
                    session, user_id, user_id, (user_id, message_id), chat_id, reply_to=reply_to
                )

    async def _check_pace(self, session: AsyncSession, user_id: int, message_id: int) -> None:
        user = await users.lock(session, user_id)
        if user is None:
            raise UserNotFound
        now = self._clock.now()
        most = AT_MOST_OF_BANNED if user.banned_at else AT_MOST
        count, first_at = await support.count_written(session, user_id, since=now - PACE, but=message_id)
        if count >= most and first_at:
            raise TooManyMessages(wait=first_at + PACE - now)

    async def answer(
        self, user_id: int, message_id: int, *, by: int, chat_id: int, reply_to: int | None = None
    ) -> None:
        """Promise to bring an operator's message to a renter, once.

        `chat_id`: where it was written. Where operators sit apart, the others see it, too.
        """
        others = [] if chat_id == self.chat_id else [one for one in await self.operators() if one != by]
        now = self._clock.now()
        async with self._database.write() as session:
            promised = await self._promise(
                session, user_id, by, (chat_id, message_id), user_id, reply_to=reply_to
            )
            if promised:
                await acts.record(session, What.ANSWER, by=by, now=now, user_id=user_id)
            for other in others:
                if other != user_id:
                    await self._promise(session, user_id, by, (chat_id, message_id), other)

    async def _promise(
        self,
        session: AsyncSession,
        user_id: int,
        author_id: int,
        original: tuple[int, int],
        to_chat_id: int,
        *,
        reply_to: int | None = None,
    ) -> bool:
        """False where it was promised before. `original`: its chat and its id there."""
        chat_id, message_id = original
        id = await support.add_message(
            session,
            user_id=user_id,
            author_id=author_id,
            chat_id=chat_id,
            message_id=message_id,
            reply_to=reply_to,
            to_chat_id=to_chat_id,
            now=self._clock.now(),
        )
        return id is not None and await self._outbox.add(
            session,
            CARRY,
            {"id": id},
            lane=SUPPORT,
            serial=series(user_id, to_chat_id),
            key=f"{CARRY}:{id}",
        )

    async def find(self, id: int) -> SupportMessage | None:
        async with self._database.read() as session:
            return await support.find_message(session, id)

    async def quoted(self, message: SupportMessage) -> int | None:
        """The message in the chat that it is carried to which stands for the one that it answers."""
        if message.reply_to is None:
            return None
        async with self._database.read() as session:
            return await support.counterpart(session, message.chat_id, message.reply_to, message.to_chat_id)

    async def needs_header(self, message: SupportMessage) -> bool:
        """Whether the chat last saw another conversation, or saw this one a while ago."""
        async with self._database.read() as session:
            last = await support.newest_in(session, message.to_chat_id, before=message.id or 0)
        return (
            last is None
            or (last.user_id, last.author_id) != (message.user_id, message.author_id)
            or message.created_at - last.created_at > SAME_BREATH
        )

    async def note_copy(
        self, session: AsyncSession, id: int, *, copy_id: int, header_id: int | None = None
    ) -> None:
        """It is there; in the caller's transaction."""
        await support.note_copy(session, id, copy_id=copy_id, header_id=header_id)

    async def fall_back(self, session: AsyncSession, message: SupportMessage, *, why: str) -> None:
        """The group takes nothing: promise the message to each operator, and tell them why.

        In the caller's transaction.
        """
        await self.alert(session, why)
        for operator_id in await self.operators():
            await self._promise(
                session,
                message.user_id,
                message.author_id,
                (message.chat_id, message.message_id),
                operator_id,
                reply_to=message.reply_to,
            )

    async def alert(self, session: AsyncSession, why: str) -> None:
        """Tell operators that their group takes nothing; once a day for each reason."""
        now = self._clock.now()
        await self._announcer.alert(session, "support_chat", f"{self.chat_id}:{why}:{now:%F}", error=why)

    async def renter_behind(self, chat_id: int, message_id: int) -> int | None:
        """Whose conversation a message belongs to that the bot brought into a private chat."""
        async with self._database.read() as session:
            copy = await support.find_copy(session, chat_id, message_id)
        return copy.user_id if copy else None

    async def topic_of(self, user_id: int) -> SupportTopic | None:
        async with self._database.read() as session:
            return await support.find_topic(session, user_id, self.chat_id or 0)

    async def renter_of(self, topic_id: int) -> int | None:
        """Whose topic it is."""
        async with self._database.read() as session:
            topic = await support.find_by_topic(session, self.chat_id or 0, topic_id)
        return topic.user_id if topic else None

    async def put_topic(self, user_id: int, topic_id: int) -> None:
        async with self._database.write() as session:
            await support.put_topic(session, user_id, self.chat_id or 0, topic_id, now=self._clock.now())

    async def drop_topic(self, user_id: int) -> None:
        """It was deleted in Telegram."""
        async with self._database.write() as session:
            await support.drop_topic(session, user_id)

    async def note_closed(self, topic_id: int, *, closed: bool) -> None:
        closed_at = self._clock.now() if closed else None
        async with self._database.write() as session:
            await support.set_closed(session, self.chat_id or 0, topic_id, closed_at=closed_at)


async def forget(session: AsyncSession, outbox: Outbox, user_id: int) -> None:
    """Forget a renter's conversation, here and in the operators' group."""
    for topic in await support.forget(session, user_id):
        await outbox.add(
            session,
            REMOVE_TOPIC,
            {"chat_id": topic.chat_id, "topic_id": topic.topic_id},
            lane=SUPPORT,
            serial=series(user_id, topic.chat_id),
            key=f"{REMOVE_TOPIC}:{topic.chat_id}:{topic.topic_id}",
        )


def series(user_id: int, chat_id: int) -> str:
    """What goes to one chat about one renter goes in order."""
    return f"support:{user_id}:{chat_id}"
