"""The audit by the clock: tells the operators when something stops agreeing, and when it agrees again."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import settings
from db.session import Database
from services.announcer import Announcer
from services.audit import Audit, Finding, Report
from services.clock import Clock

log = structlog.get_logger()

FULL_EVERY = timedelta(hours=6)
"""How often every account is compared with its entries."""
SETTING = "audit"


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watch remembers from one look to the next."""

    full_at: datetime | None = None
    """When the whole ledger was gone through last."""
    differs_since: dict[str, datetime] = field(default_factory=dict)
    """By check: those that did not agree when they were looked at last."""


class Watch:
    """The scheduled audit."""

    def __init__(self, database: Database, clock: Clock, audit: Audit, announcer: Announcer) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._announcer = announcer
        self._one_at_a_time = asyncio.Lock()

    async def tick(self) -> None:
        """Look at what is cheap, and at the whole ledger when it is time to."""
        full_at = (await self.watched()).full_at
        await self.look(full=full_at is None or self._clock.now() - full_at >= FULL_EVERY)

    async def look(self, *, full: bool) -> Report:
        """Examine the books; what is news goes to the operators."""
        async with self._one_at_a_time:
            report = await self._audit.examine(full=full)
            was = await self.watched()
            if _after(was, report) != was:
                await self._note(was, report)
        return report

    async def watched(self) -> Watched:
        async with self._database.read() as session:
            return await _read(session)

    async def _note(self, was: Watched, report: Report) -> None:
        """Remember what a report found, and tell of it in the same commit."""
        now_is = _after(was, report)
        async with self._database.write() as session:
            for finding in report.findings:
                if finding.check not in was.differs_since:
                    await self._tell_of(session, finding, report.at)
            for check in was.differs_since.keys() - now_is.differs_since.keys():
                log.info("audit.agrees_again", check=check)
                key = f"{check}:{was.differs_since[check].isoformat()}"
                await self._announcer.alert(session, "audit_agrees", key, check=check)
            await settings.put(session, SETTING, _dump(now_is), now=report.at)

    async def _tell_of(self, session: AsyncSession, finding: Finding, at: datetime) -> None:
        log.error("audit.differs", check=finding.check, amount=finding.amount, count=finding.count)
        await self._announcer.alert(
            session,
            "audit_differs",
            f"{finding.check}:{at.isoformat()}",
            check=finding.check,
            count=finding.count,
            amount=finding.amount,
            currency=finding.currency,
            example=finding.example,
        )


def _after(was: Watched, report: Report) -> Watched:
    """Checks that the report did not make stay as they were."""
    differs = {check: since for check, since in was.differs_since.items() if check not in report.checks}
    for finding in report.findings:
        differs.setdefault(finding.check, was.differs_since.get(finding.check, report.at))
    return Watched(was.full_at if report.entries is None else report.at, differs)


async def _read(session: AsyncSession) -> Watched:
    stored = json.loads(await settings.find(session, SETTING) or "{}")
    full_at = stored.get("full_at")
    return Watched(
        datetime.fromisoformat(full_at) if full_at else None,
        {check: datetime.fromisoformat(since) for check, since in stored.get("differs_since", {}).items()},
    )


def _dump(watched: Watched) -> str:
    return json.dumps(
        {
            "full_at": watched.full_at.isoformat() if watched.full_at else None,
            "differs_since": {check: since.isoformat() for check, since in watched.differs_since.items()},
        }
    )
