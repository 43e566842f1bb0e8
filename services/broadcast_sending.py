"""The workers that carry a broadcast to everybody, a stretch at a time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db import broadcasts, texts, users
from db.models import Broadcast, BroadcastDelivery, BroadcastStatus, OutboxMessage, TextStatus
from db.session import Database, Rank
from services.broadcasts import Courier, OriginalGone, Outcome, quiet_until, show_panel
from services.clock import Clock
from services.errors import Deferred
from services.outbox import Outbox
from services.texting import NEWS, NOBODYS_FAULT, Draft, Texting

UNDER_WAY = 10
"""How many are being sent to at once: as many may be unknown after a crash."""
STRETCH = timedelta(seconds=3)
"""How long one call of the worker sends: an end of the program waits no longer than that."""
QUEUE_PAUSE = timedelta(seconds=3)
TEXTS_AT_ONCE = 250
"""Written in one commit, for which a code waits on SQLite; the sender may take fewer in one call."""
TEXTS_PAUSE = timedelta(seconds=1)


class Sending:
    """The workers: they carry a broadcast on for a stretch, and come again."""

    def __init__(
        self, database: Database, clock: Clock, outbox: Outbox, courier: Courier, texting: Texting
    ) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._courier = courier
        self._texting = texting

    async def send(self, message: OutboxMessage) -> None:
        """Raises Deferred until everybody has had their turn."""
        broadcast_id = message.payload["broadcast_id"]
        await self._keep_quiet(broadcast_id)
        if not await self._begin(broadcast_id):
            return
        stretch = _Stretch(broadcast_id, self._clock.now() + STRETCH)
        async with asyncio.TaskGroup() as carriers:
            for _ in range(UNDER_WAY):
                carriers.create_task(self._carry(stretch))
        if await self._has_ended(stretch):
            return
        raise Deferred(self._clock.now() + stretch.wait)

    async def _keep_quiet(self, broadcast_id: int) -> None:
        """In its quiet hours it waits, and lets others pass. Raises Deferred until their end."""
        now = self._clock.now()
        async with self._database.read() as session:
            broadcast = await broadcasts.find(session, broadcast_id)
        until = quiet_until(broadcast, now) if broadcast else None
        if until is None:
            return
        async with self._database.write() as session:
            waits, sends = BroadcastStatus.SCHEDULED, BroadcastStatus.SENDING
            has_to_wait = await broadcasts.move(session, broadcast_id, waits, from_=[waits, sends])
            if has_to_wait:
                await show_panel(self._outbox, session, broadcast_id)
        if has_to_wait:
            raise Deferred(until)

    async def _begin(self, broadcast_id: int) -> bool:
        """Whether there is something to do. Raises Deferred while another is under way."""
        now = self._clock.now()
        async with self._database.write() as session:
            broadcast = await broadcasts.lock(session, broadcast_id)
            if broadcast is None:
                return False
            if broadcast.status == BroadcastStatus.SCHEDULED:
                if await broadcasts.find_sending(session) is not None:
                    raise Deferred(now + QUEUE_PAUSE)
                await self._start(session, broadcast, now)
            elif broadcast.status != BroadcastStatus.SENDING:
                return False
            await broadcasts.forget_senders(session, broadcast_id, now=now)
            return True

    async def _start(self, session: AsyncSession, broadcast: Broadcast, now: datetime) -> None:
        values: dict[str, Any] = {"trouble": None}
        if broadcast.started_at is None:
            total = await broadcasts.count_audience(session, broadcast.audience, now=now)
            values |= {"started_at": now, "total": total}
        await broadcasts.move(
            session,
            broadcast.id or 0,
            BroadcastStatus.SENDING,
            from_=[BroadcastStatus.SCHEDULED],
            **values,
        )

    async def _carry(self, stretch: "_Stretch") -> None:
        """One copy after another; the outcome of each is committed with the claim of the next."""
        done: tuple[int, Outcome] | None = None
        while True:
            async with self._database.write(Rank.BULK) as session:
                now = self._clock.now()
                broadcast = await broadcasts.lock(session, stretch.broadcast_id)
                if done:
                    await self._settle(session, stretch, *done, now=now)
                if broadcast is None or broadcast.status != BroadcastStatus.SENDING or stretch.is_over(now):
                    return
                if quiet_until(broadcast, now):
                    return
                user_id = await broadcasts.claim_next(session, broadcast, now=now)
            if user_id is None:
                stretch.everybody = True
                return
            done = user_id, await self._deliver(stretch, broadcast, user_id)

    async def _deliver(self, stretch: "_Stretch", broadcast: Broadcast, user_id: int) -> Outcome:
        try:
            outcome = await self._courier.deliver(broadcast, user_id)
        except OriginalGone:
            stretch.trouble = "original_gone"
            return Outcome("owed")
        if outcome.retry_after:
            stretch.wait = max(stretch.wait, outcome.retry_after)
        return outcome

    async def _settle(
        self, session: AsyncSession, stretch: "_Stretch", user_id: int, outcome: Outcome, *, now: datetime
    ) -> None:
        await broadcasts.settle(
            session,
            stretch.broadcast_id,
            user_id,
            outcome.status,
            message_ids=outcome.message_ids,
            error=outcome.error,
            now=now,
        )
        if outcome.status == "blocked":
            await users.mark_blocked(session, user_id, now=now)

    async def _has_ended(self, stretch: "_Stretch") -> bool:
        """Whether nothing is left to do, for now or for good; shows how far it has come."""
        now = self._clock.now()
        async with self._database.write() as session:
            await show_panel(self._outbox, session, stretch.broadcast_id)
            if stretch.trouble:
                return await broadcasts.move(
                    session,
                    stretch.broadcast_id,
                    BroadcastStatus.PAUSED,
                    from_=[BroadcastStatus.SENDING],
                    trouble=stretch.trouble,
                )
            if not stretch.everybody or await broadcasts.count_owed(session, stretch.broadcast_id):
                return False
            broadcast = await broadcasts.lock(session, stretch.broadcast_id)
            assert broadcast
            if broadcast.by_text and broadcast.status == BroadcastStatus.SENDING:
                if quiet_until(broadcast, now):
                    return False
                if await self._is_texting_stuck(session, broadcast):
                    return True
                if await self._text_more(session, broadcast, now):
                    stretch.wait = max(stretch.wait, TEXTS_PAUSE)
                    return False
            return await broadcasts.move(
                session,
                stretch.broadcast_id,
                BroadcastStatus.DONE,
                from_=[BroadcastStatus.SENDING],
                ended_at=now,
            )

    async def _is_texting_stuck(self, session: AsyncSession, broadcast: Broadcast) -> bool:
        """Pause where the last texts failed for want of a working sender, so that the rest is not wasted."""
        id = broadcast.id or 0
        setbacks = await texts.count_failures(session, id, sorted(NOBODYS_FAULT))
        if setbacks == broadcast.text_setbacks:
            return False
        return await broadcasts.move(
            session,
            id,
            BroadcastStatus.PAUSED,
            from_=[BroadcastStatus.SENDING],
            trouble="sender_trouble",
            text_setbacks=setbacks,
        )

    async def _text_more(self, session: AsyncSession, broadcast: Broadcast, now: datetime) -> bool:
        """Promise the next texts when the last are sent; False when all are."""
        id, counts = broadcast.id or 0, await texts.count_of_broadcast(session, broadcast.id or 0)
        if counts.get(TextStatus.QUEUED) or counts.get(TextStatus.SENDING):
            return True
        if broadcast.text_total is None:
            total = await broadcasts.count_phones(session, broadcast.audience, now=now)
            await broadcasts.change(session, id, text_total=total)
        phones = await broadcasts.next_phones(session, broadcast, now=now, limit=TEXTS_AT_ONCE)
        if not phones:
            return False
        # By phone, as one may change hands meanwhile; in order of people, so that each has one turn.
        drafts = [Draft(f"{NEWS}:{id}:{one.phone_number}", one.phone_number, one.user_id) for one in phones]
        await self._texting.add(
            session,
            broadcast.text_body or "",
            drafts,
            purpose=NEWS,
            broadcast_id=id,
            serial=f"{NEWS}:{id}",
        )
        await broadcasts.change(session, id, text_last_user_id=phones[-1].user_id)
        return True

    async def recall(self, message: OutboxMessage) -> None:
        """Delete what was sent, for a stretch. Raises Deferred until all of it was tried."""
        broadcast_id, after = message.payload["broadcast_id"], 0
        until = self._clock.now() + STRETCH
        while self._clock.now() < until:
            async with self._database.read() as session:
                batch = await broadcasts.still_there(session, broadcast_id, after=after, limit=UNDER_WAY)
            if not batch:
                break
            after = batch[-1].user_id
            async with asyncio.TaskGroup() as takers:
                for delivery in batch:
                    takers.create_task(self._take_back(delivery))
        else:
            await self._show(broadcast_id)
            raise Deferred(self._clock.now())
        await self._show(broadcast_id)

    async def _take_back(self, delivery: BroadcastDelivery) -> None:
        deleted = await self._courier.take_back(delivery.user_id, delivery.message_ids)
        async with self._database.write(Rank.BULK) as session:
            await broadcasts.end_recall(
                session, delivery.broadcast_id, delivery.user_id, deleted=deleted, now=self._clock.now()
            )

    async def _show(self, broadcast_id: int) -> None:
        async with self._database.write() as session:
            await show_panel(self._outbox, session, broadcast_id)


@dataclass(slots=True)
class _Stretch:
    """What the carriers of one call share."""

    broadcast_id: int
    until: datetime
    everybody: bool = False
    """Nobody is left to claim."""
    trouble: str | None = None
    wait: timedelta = timedelta(0)
    """How long Telegram wants to be left alone."""

    def is_over(self, now: datetime) -> bool:
        return now >= self.until or bool(self.trouble) or bool(self.wait)
