"""Trouble that must reach operators: once when it begins, once when it is over, in the chat and by SMS."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import phones, settings, users
from db.models import LinkedPhone, User
from db.session import Database
from services.announcer import Announcer, right_for
from services.clock import Clock
from services.team import Team
from services.texting import ALARM, Draft, Texting

log = structlog.get_logger()

_INCIDENT = "incident:"


@dataclass(frozen=True, slots=True)
class Incident:
    began_at: datetime
    told: bool


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of an incident, by the name under which its words are found."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    in_chat: bool = True
    """As an alert of the same name, too; else only phones hear it."""


Wording: TypeAlias = Callable[[str, Word, datetime], str]
"""What stands in the SMS: in a language, of an incident that began then."""


class Alarms:
    """Remembers incidents in the database, so that a restart neither forgets one nor tells it again.

    Chats and phones hear of the same incidents, by promises made in the commit that remembers them.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        texting: Texting,
        announcer: Announcer,
        team: Team,
        wording: Wording,
    ) -> None:
        self._database = database
        self._clock = clock
        self._texting = texting
        self._announcer = announcer
        self._team = team
        self._wording = wording

    async def find(self, name: str) -> Incident | None:
        """The incident that goes on under this name."""
        async with self._database.read() as session:
            return await _find(session, name)

    async def going_on(self, kind: str) -> dict[str, Incident]:
        """Incidents whose names begin with "kind:", by what follows in them."""
        async with self._database.read() as session:
            found = await settings.find_all(session, f"{_INCIDENT}{kind}:")
        return {name: _read(value) for name, value in found.items()}

    async def note(
        self, name: str, *, is_bad: bool, begins: Word, ends: Word, after: timedelta = timedelta(0)
    ) -> None:
        """How things stand with `name`. What has been bad for `after` is told: `begins`, later `ends`."""
        if not is_bad and await self.find(name) is None:
            return
        async with self._database.write() as session:
            incident = await _find(session, name)
            if is_bad:
                await self._go_on(session, name, incident, begins, after)
            elif incident:
                await settings.remove(session, _INCIDENT + name)
                log.info("alarm.over", incident=name)
                if incident.told:
                    await self._tell(session, name, incident, "over", ends)

    async def _go_on(
        self, session: AsyncSession, name: str, incident: Incident | None, begins: Word, after: timedelta
    ) -> None:
        now = self._clock.now()
        began_at = incident.began_at if incident else now
        is_due = now - began_at >= after
        if is_due and not (incident and incident.told):
            log.error("alarm.raised", incident=name)
            await self._tell(session, name, Incident(began_at, told=True), "begun", begins)
        if incident is None or is_due != incident.told:
            value = json.dumps({"began_at": began_at.isoformat(), "told": is_due})
            await settings.put(session, _INCIDENT + name, value, now=now)

    async def _tell(
        self, session: AsyncSession, name: str, incident: Incident, what: str, word: Word
    ) -> None:
        at = incident.began_at
        key = f"{name}:{at.timestamp():.0f}:{what}"
        if word.in_chat:
            await self._announcer.alert(session, word.name, key, **word.facts)
        concerned = await self._team.holders_within(session, right_for(word.name))
        linked = await phones.of_operators(session, concerned)
        drafts: defaultdict[str, list[Draft]] = defaultdict(list)
        for phone, reader in zip(linked, await _readers(session, linked), strict=True):
            key_of_phone = f"{ALARM}:{key}:{phone.user_id}"
            drafts[reader.language].append(Draft(key_of_phone, phone.phone_number, phone.user_id))
        for language, alike in drafts.items():
            await self._texting.add(session, self._wording(language, word, at), alike, purpose=ALARM)


async def _readers(session: AsyncSession, linked: Sequence[LinkedPhone]) -> list[User]:
    """Whose the phones are, in their order."""
    owners = {user.id: user for user in await users.find_all(session, [phone.user_id for phone in linked])}
    return [owners[phone.user_id] for phone in linked]


async def _find(session: AsyncSession, name: str) -> Incident | None:
    value = await settings.find(session, _INCIDENT + name)
    return None if value is None else _read(value)


def _read(value: str) -> Incident:
    stored = json.loads(value)
    return Incident(datetime.fromisoformat(stored["began_at"]), stored["told"])
