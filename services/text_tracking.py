"""Asks the senders that can be asked what became of our texts."""

from datetime import datetime, timedelta

import structlog

from db import texts
from db.models import TextMessage, TextStatus
from db.session import Database
from services.clock import Clock
from services.errors import UpstreamError
from services.senders.base import Delivery, Progress, Searchable, Sender, Tracked
from services.supply import Senders
from services.texting import FIRST_LOOK, Changes, Texting, as_text

log = structlog.get_logger()

SLOWEST_LOOK = timedelta(hours=1)
"""A text is asked about after twice its age, and at least this often."""
LAST_LOOK = timedelta(hours=24)
"""What a sender has not said by then, it will not say."""
LOOKS_AT_ONCE = 50
CLOCK_SKEW = timedelta(minutes=2)
"""How far a sender's clock may be from ours."""

_NEWS: dict[Delivery, tuple[TextStatus, dict[str, Changes]]] = {
    Delivery.SENT: (TextStatus.SENT, {}),
    Delivery.DELIVERED: (TextStatus.DELIVERED, {"check_at": None}),
    Delivery.FAILED: (TextStatus.FAILED, {"check_at": None, "failure": "not_delivered"}),
}
_BEFORE = {
    TextStatus.SENT: (TextStatus.ACCEPTED,),
    TextStatus.DELIVERED: (TextStatus.ACCEPTED, TextStatus.SENT),
    TextStatus.FAILED: (TextStatus.ACCEPTED, TextStatus.SENT),
}


class TextTracking:
    """Follows accepted texts until they are delivered, and finds those whose answers were lost."""

    def __init__(self, database: Database, clock: Clock, senders: Senders, texting: Texting) -> None:
        self._database = database
        self._clock = clock
        self._senders = senders
        self._texting = texting

    async def follow(self) -> None:
        """Ask about the texts whose time it is; a bounded number at once."""
        now = self._clock.now()
        async with self._database.read() as session:
            due = await texts.due(session, now=now, limit=LOOKS_AT_ONCE)
        for text in due:
            async with self._database.write() as session:
                # Before the question: however it goes, this text waits and others have their turn.
                await texts.check_later(session, text.id or 0, check_at=_next_look(text, now))
            if sender := self._senders.find(text.sender):
                await self._look(sender, text)

    async def _look(self, sender: Sender, text: TextMessage) -> None:
        try:
            with self._senders.calling(sender.name):
                is_lost = text.status == TextStatus.UNKNOWN or not text.sender_ref
                if is_lost and isinstance(sender, Searchable):
                    await self._search(sender, text)
                elif text.sender_ref and isinstance(sender, Tracked):
                    await self._advance(text, await sender.progress(text.sender_ref))
        except UpstreamError as error:
            log.info("text.not_looked_up", sender=sender.name, error=type(error).__name__)

    async def _search(self, sender: Searchable, text: TextMessage) -> None:
        """Of many that were taken at once, a sender may tell the refs only to who looks for them."""
        found = await sender.find_sent(as_text([text], None), since=text.created_at - CLOCK_SKEW)
        async with self._database.write() as session:
            for receipt in found:
                await self._texting.move(
                    session,
                    [receipt.contact.id],
                    TextStatus.ACCEPTED,
                    from_=[TextStatus.UNKNOWN, TextStatus.ACCEPTED],
                    sender_ref=receipt.ref,
                )

    async def _advance(self, text: TextMessage, progress: Progress) -> None:
        """Only forwards: an answer may be older than the last one."""
        if progress.delivery not in _NEWS:
            return
        status, changes = _NEWS[progress.delivery]
        async with self._database.write() as session:
            await self._texting.move(
                session, [text.id or 0], status, from_=_BEFORE[status], reason=progress.reason, **changes
            )


def _next_look(text: TextMessage, now: datetime) -> datetime | None:
    age = now - text.created_at
    return None if age >= LAST_LOOK else now + min(max(age, FIRST_LOOK), SLOWEST_LOOK)
