"""The audit by the clock: tells the operators when something stops agreeing, and when it agrees again."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db import settings
from db.session import Database
from services.alarms import Alarms, Word
from services.audit import Audit, Finding, Report
from services.clock import Clock

FULL_EVERY = timedelta(hours=6)
"""How often every account is compared with its entries."""
FULL_AT = "audited fully at"
INCIDENT = "audit"
"""What checks that do not agree are called among the alarms' incidents."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watch remembers from one look to the next."""

    full_at: datetime | None = None
    """When the whole ledger was gone through last."""
    differs_since: dict[str, datetime] = field(default_factory=dict)
    """By check: those that did not agree when they were looked at last."""


class Watch:
    """The scheduled audit."""

    def __init__(self, database: Database, clock: Clock, audit: Audit, alarms: Alarms) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._alarms = alarms
        self._one_at_a_time = asyncio.Lock()

    async def tick(self) -> None:
        """Look at what is cheap, and at the whole ledger when it is time to."""
        full_at = (await self.watched()).full_at
        await self.look(full=full_at is None or self._clock.now() - full_at >= FULL_EVERY)

    async def look(self, *, full: bool) -> Report:
        """Examine the books; what is news goes to the operators."""
        async with self._one_at_a_time:
            report = await self._audit.examine(full=full)
            found = {finding.check: finding for finding in report.findings}
            for check in report.checks:
                await self._note(check, found.get(check))
            if report.entries is not None:
                async with self._database.write() as session:
                    await settings.put(session, FULL_AT, report.at.isoformat(), now=report.at)
        return report

    async def watched(self) -> Watched:
        async with self._database.read() as session:
            full_at = await settings.find(session, FULL_AT)
        differing = await self._alarms.going_on(INCIDENT)
        return Watched(
            datetime.fromisoformat(full_at) if full_at else None,
            {check: incident.began_at for check, incident in differing.items()},
        )

    async def _note(self, check: str, finding: Finding | None) -> None:
        await self._alarms.note(
            f"{INCIDENT}:{check}",
            is_bad=finding is not None,
            begins=Word("audit_differs", {"check": check, **_facts(finding)}),
            ends=Word("audit_agrees", {"check": check}),
        )


def _facts(finding: Finding | None) -> dict[str, str | int | None]:
    if finding is None:
        return {}
    return {
        "check": finding.check,
        "count": finding.count,
        "amount": finding.amount,
        "currency": finding.currency,
        "example": finding.example,
    }
