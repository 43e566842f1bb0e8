"""Sends SMS: once, never twice. Where nobody can know whether one was sent, it is left and told as unknown.

A text is committed as SENDING before its sender is called. One that is found so later was cut off by a
crash, and no sender here can recognise a repetition.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import phones, texts
from db.models import OutboxMessage, TextMessage, TextStatus
from db.session import Database
from services import acts
from services.acts import What
from services.announcer import Announcer
from services.clock import Clock
from services.errors import (
    AccessRefused,
    Deferred,
    NoCredit,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
)
from services.outbox import SENDER, Outbox, retry_delay
from services.places import mask_phone
from services.senders.base import (
    Contact,
    Newsletters,
    Outcome,
    Receipt,
    Searchable,
    Sender,
    Text,
    Tracked,
)
from services.senders.parts import count_parts
from services.supply import Senders
from services.switchboard import Switchboard

log = structlog.get_logger()

SMS = "sms"
TEST, CHECK, FORWARD, NEWS, ALARM = "test", "check", "forward", "news", "alarm"
"""What texts are for."""
PATIENCE = timedelta(minutes=10)
"""A text that nobody took for so long is worth nothing any more."""
FIRST_LOOK = timedelta(seconds=10)
"""How soon a sender that can be asked is asked what became of a text."""

DRAFTS_PER_PROMISE = 1000
"""One promise is kept well within the outbox's lease, and one statement holds so many rows."""
REASON_LIMIT = 120
"""Characters of a sender's own words that are kept."""
NOBODYS_FAULT = frozenset({"no_credit", "access_refused", "unreachable"})
"""Failures that say nothing about the phone: the sender does not work."""

UNSURE = (TextStatus.SENDING, TextStatus.UNKNOWN)

ThingT = TypeVar("ThingT")
Changes = str | datetime | None
Listener = Callable[[AsyncSession, TextMessage], Awaitable[None]]
"""Hears in the same transaction that a text has another state."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One phone to text."""

    key: str
    """Names this intent for ever: the same key is not texted again."""
    phone_number: str
    """E.164."""
    user_id: int | None = None
    """On whose behalf."""


class Texting:
    """`add` makes the promise in the caller's transaction; `send` is the outbox's worker that keeps it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        senders: Senders,
        switchboard: Switchboard,
        outbox: Outbox,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._senders = senders
        self._switchboard = switchboard
        self._outbox = outbox
        self._announcer = announcer
        self._listeners: dict[str, Listener] = {TEST: self._tell_tester}

    def register(self, listeners: Mapping[str, Listener]) -> None:
        """Say who hears how the texts of each purpose fare."""
        self._listeners.update(listeners)

    async def add(
        self,
        session: AsyncSession,
        body: str,
        drafts: Sequence[Draft],
        *,
        purpose: str,
        sender: str | None = None,
        charge: int | None = None,
        broadcast_id: int | None = None,
        expires_at: datetime | None = None,
        serial: str | None = None,
    ) -> list[int]:
        """Promise the same text to everybody in `drafts`; the ids of those that are new.

        `sender`: who must send it; whoever serves each country where None. `charge`: what the caller has
        put on hold for each, in minor units. `expires_at`: when it is worth nothing any more, ten minutes
        from now by default. Promises with the same `serial` are kept one after another.
        """
        now = self._clock.now()
        same = {
            "purpose": purpose,
            "body": body,
            "parts": count_parts(body),
            "status": TextStatus.QUEUED,
            "sender": sender,
            "charge": charge,
            "broadcast_id": broadcast_id,
            "created_at": now,
            "updated_at": now,
            "expires_at": expires_at or now + PATIENCE,
        }
        added: list[int] = []
        for some in _cut(drafts, DRAFTS_PER_PROMISE):
            rows = [
                same
                | {"idempotency_key": draft.key, "phone_number": draft.phone_number, "user_id": draft.user_id}
                for draft in some
            ]
            if ids := await texts.add(session, rows):
                name = f"{SMS}:{ids[0]}"
                await self._outbox.add(
                    session, SMS, {"text_ids": ids}, lane=SENDER, serial=serial or name, key=name
                )
                added += ids
        return added

    async def send_test(self, sender: str, body: str, draft: Draft) -> int | None:
        """Text a phone through one sender; its person is told how it fares. None for a repeated key."""
        assert draft.user_id is not None
        async with self._database.write() as session:
            added = await self.add(session, body, [draft], purpose=TEST, sender=sender)
            if added:
                now, phone = self._clock.now(), mask_phone(draft.phone_number)
                await acts.record(
                    session, What.TEXT_TEST, by=draft.user_id, now=now, subject=sender, after={"phone": phone}
                )
            return next(iter(added), None)

    async def get(self, text_id: int) -> TextMessage:
        async with self._database.read() as session:
            found = await texts.find(session, text_id)
        assert found
        return found

    async def withdraw(self, session: AsyncSession, user_id: int, purpose: str) -> None:
        """Keep back what no sender has been given yet."""
        ids = await texts.queued_of(session, user_id, purpose)
        await self.move(session, ids, TextStatus.FAILED, from_=[TextStatus.QUEUED], failure="withdrawn")

    async def send(self, message: OutboxMessage) -> None:
        """Send the promised texts. Raises Deferred while a sender cannot be reached."""
        ids: list[int] = message.payload["text_ids"]
        await self._leave_cut_off(ids)
        trouble, expires_at = None, []
        for batch in await self._batches(ids):
            try:
                await self._send(batch)
            except UpstreamUnavailable as error:
                trouble = error
                expires_at += [text.expires_at for text in batch.texts]
        if trouble:
            again_at = self._clock.now() + retry_delay(message.attempts, trouble.retry_after)
            raise Deferred(min(again_at, *expires_at)) from trouble

    async def _leave_cut_off(self, ids: Sequence[int]) -> None:
        """A crash came between the call and its record, or before the call: nobody can tell."""
        async with self._database.read() as session:
            cut_off = await texts.in_state(session, ids, TextStatus.SENDING)
        for name, group in _by_sender(cut_off):
            await self._leave(self._senders.find(name), [text.id or 0 for text in group])

    async def _batches(self, ids: Sequence[int]) -> list["_Batch"]:
        """What is owed, by sender and in numbers that it takes at once; what nobody can send fails."""
        choices, sender_ids = await self._switchboard.choices(), await self._switchboard.sender_ids()
        newsletters = await self._switchboard.newsletter_senders()
        async with self._database.write() as session:
            owed = await texts.in_state(session, ids, TextStatus.QUEUED)
            now = self._clock.now()
            await self._fail(session, [text for text in owed if text.expires_at <= now], "unreachable")
            stopped = await phones.stopped_among(session, [text.phone_number for text in owed])
            await self._fail(session, [text for text in owed if text.phone_number in stopped], "unsubscribed")
            routed: dict[str, list[TextMessage]] = {}
            for text in owed:
                if text.expires_at > now and text.phone_number not in stopped:
                    routed.setdefault(self._route(text, choices), []).append(text)
            await self._fail(session, routed.pop("", []), "no_sender")
        return [
            _Batch(self._senders[name], some, sender_ids.get(name), as_newsletter=name in newsletters)
            for name, group in routed.items()
            for some in _cut(group, self._senders[name].contacts_per_call)
        ]

    def _route(self, text: TextMessage, choices: Mapping[str, str]) -> str:
        """The name of a connected sender; empty where there is none."""
        if text.sender:
            return text.sender if text.sender in self._senders else ""
        sender = self._switchboard.route(text.phone_number, choices)
        return sender.name if sender else ""

    async def _send(self, batch: "_Batch") -> None:
        sender = batch.sender
        async with self._database.write() as session:
            claimed = await texts.move(
                session,
                [text.id or 0 for text in batch.texts],
                TextStatus.SENDING,
                from_=[TextStatus.QUEUED],
                now=self._clock.now(),
                sender=sender.name,
            )
        if not claimed:
            return
        ids = [text.id or 0 for text in claimed]
        try:
            with self._senders.calling(sender.name):
                receipts = await _hand_over(batch, claimed)
        except UpstreamUnavailable:
            await self._take_back(ids)
            raise
        except UpstreamRefused as error:
            await self._refuse(claimed, error)
        except UpstreamError as error:
            log.warning("text.unknown", sender=sender.name, error=str(error), count=len(ids))
            await self._leave(sender, ids)
        else:
            await self._record(sender, receipts)

    async def _take_back(self, ids: Sequence[int]) -> None:
        """Nobody was texted: they are owed as before."""
        async with self._database.write() as session:
            await texts.move(
                session, ids, TextStatus.QUEUED, from_=[TextStatus.SENDING], now=self._clock.now()
            )

    async def _refuse(self, claimed: Sequence[TextMessage], error: UpstreamRefused) -> None:
        """A definite no. What only the operator can mend is told to them, once an hour."""
        now = self._clock.now()
        failure = _failure_of(error)
        async with self._database.write() as session:
            await self._fail(session, claimed, failure, reason=error.code and error.code[:REASON_LIMIT])
            if failure != "refused":
                await self._announcer.alert(
                    session, failure, f"{error.upstream}:{now:%Y%m%d%H}", supplier=error.upstream
                )
        log.warning("text.refused", sender=error.upstream, error=str(error), count=len(claimed))

    async def _fail(
        self,
        session: AsyncSession,
        failed: Sequence[TextMessage],
        failure: str,
        *,
        reason: str | None = None,
    ) -> None:
        ids = [text.id or 0 for text in failed]
        owed = (TextStatus.QUEUED, TextStatus.SENDING)
        await self.move(session, ids, TextStatus.FAILED, from_=owed, failure=failure, reason=reason)

    async def _leave(self, sender: Sender | None, ids: Sequence[int]) -> None:
        """Nobody knows whether they were sent. They never will be again."""
        check_at = self._clock.now() + FIRST_LOOK if isinstance(sender, Searchable) else None
        async with self._database.write() as session:
            await self.move(session, ids, TextStatus.UNKNOWN, from_=[TextStatus.SENDING], check_at=check_at)

    async def _record(self, sender: Sender, receipts: Sequence[Receipt]) -> None:
        """All in one commit: what a crash kept from being written would stay unknown for ever.

        An answer that comes late, after another process gave up waiting, is better than not knowing.
        """
        check_at = self._clock.now() + FIRST_LOOK
        is_searchable = isinstance(sender, Searchable)
        by_meaning: dict[tuple[Outcome, str | None, bool], list[int]] = {}
        for receipt in receipts:
            is_tracked = isinstance(sender, Tracked) and bool(receipt.ref or is_searchable)
            meaning = receipt.outcome, receipt.reason, is_tracked
            by_meaning.setdefault(meaning, []).append(receipt.contact.id)
        async with self._database.write() as session:
            await texts.set_refs(
                session,
                [(receipt.contact.id, receipt.ref) for receipt in receipts if receipt.ref],
                from_=UNSURE,
            )
            for (outcome, reason, is_tracked), ids in by_meaning.items():
                status, changes = _meaning(outcome, check_at=check_at if is_tracked else None)
                await self.move(session, ids, status, from_=UNSURE, reason=reason, **changes)

    async def move(
        self,
        session: AsyncSession,
        ids: Sequence[int],
        status: TextStatus,
        *,
        from_: Iterable[TextStatus],
        **changes: Changes,
    ) -> None:
        """Change the state of those that are in one of `from_`, and tell whoever waits to hear of it."""
        if not ids:
            return
        moved = await texts.move(session, ids, status, from_=from_, now=self._clock.now(), **changes)
        for text in moved:
            if listener := self._listeners.get(text.purpose):
                await listener(session, text)

    async def _tell_tester(self, session: AsyncSession, text: TextMessage) -> None:
        await self._announcer.text(session, text.id or 0, text.status)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What goes to one sender in one call."""

    sender: Sender
    texts: Sequence[TextMessage]
    sender_id: str | None
    as_newsletter: bool
    """Where it is news."""


async def _hand_over(batch: _Batch, claimed: Sequence[TextMessage]) -> list[Receipt]:
    text, sender = as_text(claimed, batch.sender_id), batch.sender
    if batch.as_newsletter and claimed[0].purpose == NEWS and isinstance(sender, Newsletters):
        return await sender.send_newsletter(f"Broadcast {claimed[0].broadcast_id}", text)
    return await sender.send(text)


def as_text(claimed: Sequence[TextMessage], sender_id: str | None) -> Text:
    contacts = tuple(Contact(text.id or 0, text.phone_number) for text in claimed)
    is_news = claimed[0].purpose == NEWS
    return Text(claimed[0].body or "", contacts, sender_id, urgent=not is_news, opt_out=is_news)


def _meaning(outcome: Outcome, *, check_at: datetime | None) -> tuple[TextStatus, dict[str, Changes]]:
    """What a sender said as a state, and what else changes with it."""
    match outcome:
        case Outcome.ACCEPTED:
            return TextStatus.ACCEPTED, {"check_at": check_at}
        case Outcome.INVALID | Outcome.UNSUBSCRIBED | Outcome.REFUSED:
            return TextStatus.FAILED, {"failure": outcome}
        case _:
            return TextStatus.UNKNOWN, {}


def _cut(things: Sequence[ThingT], size: int) -> Iterator[Sequence[ThingT]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


def _failure_of(error: UpstreamRefused) -> str:
    if isinstance(error, NoCredit):
        return "no_credit"
    return "access_refused" if isinstance(error, AccessRefused) else "refused"


def _by_sender(found: Iterable[TextMessage]) -> Iterator[tuple[str | None, list[TextMessage]]]:
    for name, group in groupby(sorted(found, key=lambda text: text.sender or ""), lambda text: text.sender):
        yield name, list(group)
