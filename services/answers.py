"""What people answer to our texts: STOP ends them, START lets them come again."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import settings
from db.session import Database
from services.clock import Clock
from services.errors import UpstreamError
from services.phones import PhoneBook
from services.senders.base import Answer, Answering
from services.supply import Senders

log = structlog.get_logger()

LATE = timedelta(days=1)
"""A phone of ours that was off hands in later what came in; what came before the first look counts so far."""
_POSITION = "answers:"
_STOP = re.compile(r"stop|stop ?all|unsubscribe|cancel|end|quit", re.IGNORECASE)
_START = re.compile(r"start|unstop", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Position:
    """How far the answers to one sender have been read."""

    at: datetime
    ref: str | None
    """Of the last one; None before the first."""


class Answers:
    """Reads each answer once. How far it has come is committed together with what follows from it."""

    def __init__(self, database: Database, clock: Clock, senders: Senders, phones: PhoneBook) -> None:
        self._database = database
        self._clock = clock
        self._senders = senders
        self._phones = phones

    async def read(self) -> None:
        """Heed what came in since the last time, at every sender that tells of it."""
        for sender in self._senders:
            if isinstance(sender, Answering):
                await self._read(sender.name, sender)

    async def _read(self, name: str, sender: Answering) -> None:
        position = await self._position(name)
        try:
            with self._senders.calling(name):
                new = await sender.answers(since=position.at - LATE, after=position.ref)
        except UpstreamError as error:
            log.info("answers.not_read", sender=name, error=type(error).__name__)
            return
        for answer in new:
            # One in a commit: whoever stops locks texts first and phones last, as everybody does.
            async with self._database.write() as session:
                await self._heed(session, name, answer)
                # Never later than now: a vendor's wrong clock would hide what comes until then.
                at = min(answer.at or position.at, self._clock.now())
                await self._keep(session, name, _Position(at, answer.ref))

    async def _position(self, name: str) -> _Position:
        """Where to go on; from now on, at the first look."""
        async with self._database.read() as session:
            stored = await settings.find(session, _POSITION + name)
        if stored:
            at, ref = json.loads(stored)
            return _Position(datetime.fromisoformat(at), ref)
        position = _Position(self._clock.now(), None)
        async with self._database.write() as session:
            await self._keep(session, name, position)
        return position

    async def _keep(self, session: AsyncSession, name: str, position: _Position) -> None:
        value = json.dumps([position.at.isoformat(), position.ref])
        await settings.put(session, _POSITION + name, value, now=self._clock.now())

    async def _heed(self, session: AsyncSession, name: str, answer: Answer) -> None:
        """Only a word that stands alone counts: "Don't stop!" is no wish to be left alone."""
        if answer.phone_number is None:
            return
        word = answer.body.strip(" \t\r\n.!\"'")
        if _STOP.fullmatch(word):
            await self._phones.stop(session, answer.phone_number, sender=name)
        elif _START.fullmatch(word):
            await self._phones.resume(session, answer.phone_number)
