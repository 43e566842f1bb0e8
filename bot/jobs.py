"""What happens by the clock: a table of ticks, and one job that stands at the next expiry."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from services.clock import Clock
from services.errors import UpstreamError
from services.rentals import Rentals

log = structlog.get_logger()

Job = Callable[[], Awaitable[None]]
EXPIRY = "expiry"
SAFETY_TICK = timedelta(seconds=30)


class Jobs:
    """The scheduler. A tick that fails is logged and comes again; ticks of one job never overlap."""

    def __init__(self, clock: Clock, rentals: Rentals) -> None:
        self._clock = clock
        self._rentals = rentals
        self._expiring = False
        # The library's own grace of one second silently drops jobs after a short stall.
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(self, interval: timedelta, name: str, job: Job, *, at_once: bool = False) -> None:
        """Run a job at an interval; first after one, or at once."""
        first = {"next_run_time": self._clock.now()} if at_once else {}
        self._scheduler.add_job(
            self._guarded(name, job),
            IntervalTrigger(seconds=interval.total_seconds(), timezone="UTC"),
            id=name,
            **first,
        )

    async def start(self) -> None:
        self._scheduler.start()
        self._rentals.on_expiry_change = self._look_now
        self.every(SAFETY_TICK, "expiry safety", self._plan_expiry)
        await self._plan_expiry()

    def stop(self) -> None:
        self._rentals.on_expiry_change = lambda: None
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _look_now(self) -> None:
        self._stand_at(self._clock.now())

    async def _expire(self) -> None:
        self._expiring = True
        try:
            await self._rentals.expire_due()
        finally:
            self._expiring = False
        await self._plan_expiry()

    async def _plan_expiry(self) -> None:
        """Move the one job to the next moment at which an order's time is up."""
        next_at = await self._rentals.next_expiry()
        if next_at is not None:
            self._stand_at(next_at)

    def _stand_at(self, moment: datetime) -> None:
        if self._expiring:
            return  # it plans anew when it ends
        self._scheduler.add_job(
            self._guarded(EXPIRY, self._expire),
            DateTrigger(moment),
            id=EXPIRY,
            replace_existing=True,
            # The next one may fall due while the last still plans it.
            max_instances=8,
        )

    def _guarded(self, name: str, job: Job) -> Job:
        async def run() -> None:
            try:
                await job()
            except (UpstreamError, SQLAlchemyError, OSError) as error:
                log.warning("job.failed", job=name, error=f"{type(error).__name__}: {error}")
            except asyncio.CancelledError:
                # Only `stop` cancels; the library would swallow it as well, but log a traceback for each job.
                log.debug("job.cut_off", job=name)
            except Exception:  # the outermost loop of all jobs
                log.exception("job.broken", job=name)

        return run
