"""One message from the operator to many renters: nobody gets it twice, and a restart goes on from there.

Each renter is written down as being sent to before Telegram is called. What a crash cuts off there is
unknown for ever, as Telegram cannot be asked; it is counted as such and not sent again.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from db import broadcasts, texts
from db.models import Broadcast, BroadcastDelivery, BroadcastStatus, TextMessage, TextStatus
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.errors import BroadcastNotFound, NotPossible
from services.lanes import Lane
from services.outbox import Outbox
from services.quiet_hours import QuietHours

BROADCAST, RECALL, PANEL = "broadcast", "recall", "broadcast_panel"
DELETABLE_FOR = timedelta(hours=48)
"""How long Telegram lets a bot delete what it has sent."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one renter's copy: sent, blocked, failed, unknown; owed where it was not accepted."""

    status: str
    message_ids: tuple[int, ...] = ()
    error: str | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TextCounts:
    """What became of a broadcast's SMS, by phone."""

    total: int
    sent: int
    failed: int
    unknown: int


class Courier(Protocol):
    """Carries copies to people."""

    async def deliver(self, broadcast: Broadcast, user_id: int) -> Outcome:
        """Copy the broadcast's messages into a renter's chat. Raises OriginalGone."""

    async def take_back(self, user_id: int, message_ids: Sequence[int]) -> bool:
        """Delete what was sent; False where Telegram refuses. Raises UpstreamUnavailable."""


class OriginalGone(Exception):
    """The operator has deleted the message that was to be copied."""


class Broadcasts:
    """The operator's use cases, and the workers behind them."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox

    async def draft(
        self, author_id: int, message_id: int, *, album: str | None = None, words: str | None = None
    ) -> Broadcast:
        """Begin with a message in the author's chat; `words` are what can be texted of it."""
        async with self._database.write() as session:
            return await broadcasts.add(
                session,
                author_id=author_id,
                message_ids=[message_id],
                album=album,
                text_body=words or None,
                created_at=self._clock.now(),
            )

    async def add_piece(
        self, broadcast_id: int, author_id: int, message_id: int, *, words: str | None = None
    ) -> Broadcast:
        """Another message of the same album. Raises BroadcastNotFound, NotPossible."""
        async with self._database.write() as session:
            broadcast = await self._own_draft(session, broadcast_id, author_id)
            if message_id not in broadcast.message_ids:
                broadcast.message_ids = sorted({*broadcast.message_ids, message_id})
                broadcast.text_body = broadcast.text_body or words or None
                await session.flush()
            return broadcast

    async def set_links(self, broadcast_id: int, author_id: int, links: list[list[str]]) -> Broadcast:
        """Buttons under it: text and address of each. Raises BroadcastNotFound, NotPossible."""
        async with self._database.write() as session:
            broadcast = await self._own_draft(session, broadcast_id, author_id)
            broadcast.links = links
            await session.flush()
            return broadcast

    async def set_audience(self, broadcast_id: int, author_id: int, audience: str) -> Broadcast:
        """Raises BroadcastNotFound, NotPossible."""
        async with self._database.write() as session:
            broadcast = await self._own_draft(session, broadcast_id, author_id)
            broadcast.audience = audience
            await session.flush()
            return broadcast

    async def set_texting(self, broadcast_id: int, author_id: int, *, on: bool) -> Broadcast:
        """Whether those who want news by SMS are texted, too. Raises BroadcastNotFound, NotPossible."""
        async with self._database.write() as session:
            broadcast = await self._own_draft(session, broadcast_id, author_id)
            broadcast.by_text = on and broadcast.text_body is not None
            await session.flush()
            return broadcast

    async def set_quiet(self, broadcast_id: int, author_id: int, quiet: QuietHours | None) -> Broadcast:
        """In which hours nobody is sent to; None: whenever it is. Raises BroadcastNotFound, NotPossible."""
        async with self._database.write() as session:
            broadcast = await self._own_draft(session, broadcast_id, author_id)
            broadcast.quiet_hours = str(quiet) if quiet else None
            await session.flush()
            return broadcast

    async def count_phones(self, audience: str) -> int:
        """How many of them want news by SMS now."""
        async with self._database.read() as session:
            return await broadcasts.count_phones(session, audience, now=self._clock.now())

    async def texts(self, broadcast: Broadcast) -> TextCounts | None:
        """How its texts fare; None where nobody is texted."""
        if not broadcast.by_text or broadcast.text_total is None:
            return None
        async with self._database.read() as session:
            counts = await texts.count_of_broadcast(session, broadcast.id or 0)
        failed, unknown = counts.get(TextStatus.FAILED, 0), counts.get(TextStatus.UNKNOWN, 0)
        owed = counts.get(TextStatus.QUEUED, 0) + counts.get(TextStatus.SENDING, 0)
        sent = sum(counts.values()) - failed - unknown - owed
        return TextCounts(broadcast.text_total, sent=sent, failed=failed, unknown=unknown)

    async def count(self, audience: str) -> int:
        """How many renters it reaches now."""
        async with self._database.read() as session:
            return await broadcasts.count_audience(session, audience, now=self._clock.now())

    async def languages(self) -> dict[str, int]:
        """How many renters use each language, the most common first."""
        async with self._database.read() as session:
            return await broadcasts.languages(session)

    async def get(self, broadcast_id: int) -> Broadcast:
        """Raises BroadcastNotFound."""
        async with self._database.read() as session:
            broadcast = await broadcasts.find(session, broadcast_id)
        if broadcast is None:
            raise BroadcastNotFound
        return broadcast

    async def newest(self, *, limit: int = 8) -> list[Broadcast]:
        async with self._database.read() as session:
            return await broadcasts.newest(session, limit=limit)

    async def send(
        self, broadcast_id: int, author_id: int, *, panel_id: int | None, at: datetime | None = None
    ) -> None:
        """Promise to send it, now or at a time; a repeated tap changes nothing.

        `panel_id`: the message that shows its progress. Raises BroadcastNotFound, NotPossible.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            await self._own(session, broadcast_id, author_id)
            if await broadcasts.move(
                session,
                broadcast_id,
                BroadcastStatus.SCHEDULED,
                from_=[BroadcastStatus.DRAFT],
                starts_at=max(at or now, now),
                panel_id=panel_id,
            ):
                await self._promise(session, broadcast_id, due_at=at)
                await self._record(session, broadcast_id, BroadcastStatus.SCHEDULED, by=author_id)

    async def pause(self, broadcast_id: int, *, by: int) -> bool:
        """Stop after the copies that are on their way; False where it was not under way."""
        from_ = [BroadcastStatus.SENDING]
        return await self._move(broadcast_id, BroadcastStatus.PAUSED, from_=from_, by=by)

    async def resume(self, broadcast_id: int, *, by: int) -> bool:
        async with self._database.write() as session:
            moved = await broadcasts.move(
                session, broadcast_id, BroadcastStatus.SCHEDULED, from_=[BroadcastStatus.PAUSED]
            )
            if moved:
                await self._promise(session, broadcast_id)
                await show_panel(self._outbox, session, broadcast_id)
                await self._record(session, broadcast_id, "resumed", by=by)
            return moved

    async def stop(self, broadcast_id: int, *, by: int) -> bool:
        """For good; False where it had ended already."""
        return await self._move(
            broadcast_id,
            BroadcastStatus.STOPPED,
            from_=[BroadcastStatus.SCHEDULED, BroadcastStatus.SENDING, BroadcastStatus.PAUSED],
            by=by,
            ended_at=self._clock.now(),
        )

    async def discard(self, broadcast_id: int, *, by: int) -> bool:
        """Throw a draft away; False where it was more than that."""
        return await self._move(
            broadcast_id,
            BroadcastStatus.STOPPED,
            from_=[BroadcastStatus.DRAFT],
            by=by,
            ended_at=self._clock.now(),
        )

    async def recall(self, broadcast_id: int, *, by: int) -> None:
        """Stop it and delete what was sent. Raises BroadcastNotFound, NotPossible after two days."""
        broadcast = await self.get(broadcast_id)
        if not is_recallable(broadcast, self._clock.now()):
            raise NotPossible("recall", status=broadcast.status)
        await self.stop(broadcast_id, by=by)
        async with self._database.write() as session:
            promised = await self._outbox.add(
                session,
                RECALL,
                {"broadcast_id": broadcast_id},
                lane=Lane.BULK.name,
                serial=f"broadcast:{broadcast_id}",
                key=f"recall:{broadcast_id}",
            )
            if promised:
                await self._record(session, broadcast_id, "recalled", by=by)

    async def failures(self, broadcast_id: int) -> AsyncIterator[BroadcastDelivery]:
        """Everybody who did not get it for certain."""
        async with self._database.read() as session:
            async for delivery in broadcasts.failures(session, broadcast_id):
                yield delivery

    async def text_failures(self, broadcast_id: int) -> AsyncIterator[TextMessage]:
        """Every SMS of it that certainly or perhaps did not arrive."""
        async with self._database.read() as session:
            async for text in texts.failures_of_broadcast(session, broadcast_id):
                yield text

    async def _own(self, session: AsyncSession, broadcast_id: int, author_id: int) -> Broadcast:
        broadcast = await broadcasts.lock(session, broadcast_id)
        if broadcast is None or broadcast.author_id != author_id:
            raise BroadcastNotFound
        return broadcast

    async def _own_draft(self, session: AsyncSession, broadcast_id: int, author_id: int) -> Broadcast:
        broadcast = await self._own(session, broadcast_id, author_id)
        if broadcast.status != BroadcastStatus.DRAFT:
            raise NotPossible("change", status=broadcast.status)
        return broadcast

    async def _move(
        self,
        broadcast_id: int,
        to: BroadcastStatus,
        *,
        from_: Sequence[BroadcastStatus],
        by: int,
        ended_at: datetime | None = None,
    ) -> bool:
        async with self._database.write() as session:
            moved = await broadcasts.move(session, broadcast_id, to, from_=from_, ended_at=ended_at)
            if moved:
                await show_panel(self._outbox, session, broadcast_id)
                await self._record(session, broadcast_id, to, by=by)
            return moved

    async def _record(self, session: AsyncSession, broadcast_id: int, state: str, *, by: int) -> None:
        await acts.record(
            session,
            What.BROADCAST,
            by=by,
            now=self._clock.now(),
            subject=str(broadcast_id),
            after={"state": state},
        )

    async def _promise(
        self, session: AsyncSession, broadcast_id: int, *, due_at: datetime | None = None
    ) -> None:
        await self._outbox.add(
            session,
            BROADCAST,
            {"broadcast_id": broadcast_id},
            lane=Lane.BULK.name,
            serial=f"broadcast:{broadcast_id}",
            key=f"broadcast:{broadcast_id}:{secrets.token_hex(8)}",
            due_at=due_at,
        )


def is_recallable(broadcast: Broadcast, now: datetime) -> bool:
    """Something was sent, and all of it lately enough to be deleted."""
    sent = broadcast.sent > broadcast.recalled
    return sent and broadcast.started_at is not None and now - broadcast.started_at < DELETABLE_FOR


def quiet_until(broadcast: Broadcast, moment: datetime) -> datetime | None:
    """When its quiet hours end; None where that moment is none of them."""
    quiet = QuietHours.read(broadcast.quiet_hours or "")
    return quiet.end_after(moment) if quiet else None


async def show_panel(outbox: Outbox, session: AsyncSession, broadcast_id: int) -> None:
    """The panel is out of date."""
    await outbox.add(
        session,
        PANEL,
        {"broadcast_id": broadcast_id},
        lane=Lane.EDIT.name,
        serial=f"broadcast_panel:{broadcast_id}",
        key=f"broadcast_panel:{broadcast_id}:{secrets.token_hex(8)}",
    )
