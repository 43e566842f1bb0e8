"""Trouble that must reach operators where they are: an SMS when it begins, and one when it is over."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import phones, settings
from db.session import Database
from services.clock import Clock
from services.texting import ALARM, Draft, Texting

log = structlog.get_logger()

_INCIDENT = "incident:"


@dataclass(frozen=True, slots=True)
class Incident:
    began_at: datetime
    told: bool


class Alarms:
    """Remembers incidents in the database, so that a restart neither forgets one nor tells it again."""

    def __init__(
        self, database: Database, clock: Clock, texting: Texting, *, admin_ids: Collection[int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._texting = texting
        self._admin_ids = admin_ids

    async def find(self, name: str) -> Incident | None:
        """The incident that goes on under this name."""
        async with self._database.read() as session:
            return await _find(session, name)

    async def note(
        self,
        name: str,
        *,
        is_bad: bool,
        begins: str,
        ends: str,
        after: timedelta = timedelta(0),
    ) -> None:
        """How things stand with `name`. What has been bad for `after` is told: `begins`, later `ends`.

        Both are texts to phones; `{at}` in them is when it began.
        """
        if not is_bad and await self.find(name) is None:
            return
        async with self._database.write() as session:
            incident = await _find(session, name)
            if is_bad:
                await self._go_on(session, name, incident, begins, after)
            elif incident:
                await settings.remove(session, _INCIDENT + name)
                if incident.told:
                    await self._tell(session, name, incident, "over", ends)

    async def _go_on(
        self, session: AsyncSession, name: str, incident: Incident | None, begins: str, after: timedelta
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

    async def _tell(self, session: AsyncSession, name: str, incident: Incident, what: str, body: str) -> None:
        at = incident.began_at
        drafts = [
            Draft(
                f"{ALARM}:{name}:{at.timestamp():.0f}:{what}:{phone.user_id}",
                phone.phone_number,
                phone.user_id,
            )
            for phone in await phones.of_operators(session, self._admin_ids)
        ]
        await self._texting.add(session, body.format(at=f"{at:%d %b %H:%M} UTC"), drafts, purpose=ALARM)


async def _find(session: AsyncSession, name: str) -> Incident | None:
    value = await settings.find(session, _INCIDENT + name)
    if value is None:
        return None
    stored = json.loads(value)
    return Incident(datetime.fromisoformat(stored["began_at"]), stored["told"])
