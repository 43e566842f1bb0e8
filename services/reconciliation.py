"""What suppliers have open compared with what we have open, so that a lost webhook is only a delay.

What a supplier's list says is remembered: the work of a comparison grows with what is new in it, not
with what is open, and is done in slices, so that the event loop is never held.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

import structlog

from db import attempts, orders, orphans
from db import sms as db_sms
from db.models import Order
from db.session import Database
from services.announcer import Announcer
from services.clock import Clock
from services.codes import Codes, is_news
from services.errors import UpstreamError
from services.rentals import Rentals
from services.suppliers.base import RemoteSms
from services.supply import Suppliers

log = structlog.get_logger()

T = TypeVar("T")
NEVER = datetime.min.replace(tzinfo=UTC)
SLICE = 500
FULLY_EVERY = timedelta(minutes=10)
"""How often all our orders are compared, in case that what is remembered is wrong."""
OVERLAP = timedelta(minutes=1)
"""How far back new orders are looked for: their commit may have come after their time."""


@dataclass(slots=True)
class _Memory:
    """What a supplier's list said when all that it said had been dealt with."""

    told: dict[str, RemoteSms | None] = field(default_factory=dict)
    """By reference: the message, if there was one."""
    missing: set[str] = field(default_factory=set)
    """Ours, not on the list, and not over as far as we know."""
    compared_at: datetime = NEVER
    fully_at: datetime = NEVER


class Reconciliation:
    """Compares; what follows for an order is left to `Rentals`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        rentals: Rentals,
        codes: Codes,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._rentals = rentals
        self._codes = codes
        self._announcer = announcer
        self._memories: dict[str, _Memory] = {}

    async def reconcile(self, name: str) -> None:
        """One call to a supplier and what follows from it. Raises UpstreamError.

        What an error interrupts is not remembered, so the next call does it again.
        """
        if not self._suppliers[name].capabilities.lookup:
            return
        before, now = self._memories.get(name) or _Memory(), self._clock.now()
        is_full = now - before.fully_at >= FULLY_EVERY
        # Ours first: what is bought while the supplier answers cannot be missing from its answer.
        since = None if is_full else before.compared_at - OVERLAP
        ours = await self._open_refs(name, since)
        remote = await self._listed(name)
        news = await _news(remote, before.told)
        gone = {ref for refs in (before.told, before.missing, ours) for ref in await _absent(refs, remote)}
        for ref in await self._take_in(name, news, remote):
            del remote[ref]
        self._memories[name] = _Memory(
            told=remote,
            missing=await self._ask_about(name, gone),
            compared_at=now,
            fully_at=now if is_full else before.fully_at,
        )

    async def _listed(self, name: str) -> dict[str, RemoteSms | None]:
        """What a supplier has open, by reference, with its message."""
        with self._suppliers.calling(name, always=True) as supplier:
            found = await supplier.open_orders()
        listed: dict[str, RemoteSms | None] = {}
        async for part in _slices(found):
            listed.update((order.ref, order.sms) for order in part)
        return listed

    async def _open_refs(self, name: str, since: datetime | None) -> set[str]:
        """Our orders that wait at a supplier, or of them those that began to wait after a moment."""
        found: set[str] = set()
        async with self._database.read() as session:
            async for refs in orders.waiting_refs(session, name, since=since, at_a_time=SLICE):
                found.update(refs)
        return found

    async def _take_in(self, name: str, news: list[str], remote: dict[str, RemoteSms | None]) -> set[str]:
        """Write down messages and orphans that we have not heard of; what must be looked at again."""
        pending: set[str] = set()
        async for refs in _slices(news):
            # In this order: what becomes ours in between is recorded, or looked at again.
            pending |= await self._report_orphans(name, set(refs))
            await self._record([ref for ref in refs if remote[ref]], name, remote)
        return pending

    async def _record(self, refs: list[str], name: str, remote: dict[str, RemoteSms | None]) -> None:
        async with self._database.read() as session:
            telling = await orders.waiting_of_refs(session, name, refs)
            known = await db_sms.of_orders(session, [order.id for order in telling if order.id])
        for order in telling:
            message = remote[order.supplier_ref or ""]
            own = [sms for sms in known if sms.order_id == order.id]
            if message and is_news(own, order, message):
                async with self._database.write() as session:
                    await self._codes.record(session, order.id or 0, message)

    async def _report_orphans(self, name: str, refs: set[str]) -> set[str]:
        """Numbers that no purchase of ours explains; those that one may still explain are returned."""
        async with self._database.read() as session:
            unknown = refs - await orders.known_refs(session, name, refs)
            if not unknown:
                return set()
            if await attempts.count_running(session, name):
                return unknown
        async with self._database.write() as session:
            for ref in sorted(unknown):
                if await orphans.add(session, name, ref, now=self._clock.now()):
                    log.warning("reconcile.orphan", supplier=name, ref=ref)
                    await self._announcer.alert(session, "orphan", f"{name}:{ref}", supplier=name, ref=ref)
        return set()

    async def _ask_about(self, name: str, gone: set[str]) -> set[str]:
        """Look up orders that are not on the supplier's list; those that wait even so."""
        waiting: set[str] = set()
        async for refs in _slices(gone):
            async with self._database.read() as session:
                missing = await orders.waiting_of_refs(session, name, refs)
            await self._rentals.for_all(self._look_up, missing)
            waiting |= {order.supplier_ref for order in missing if order.supplier_ref}
        return waiting

    async def _look_up(self, order: Order) -> None:
        try:
            await self._rentals.sync(order)
        except UpstreamError as error:
            log.warning("reconcile.order_unanswered", order=order.id, error=str(error))


async def _news(remote: dict[str, RemoteSms | None], told: dict[str, RemoteSms | None]) -> list[str]:
    """What a list says that its last edition did not."""
    news: list[str] = []
    async for part in _slices(remote.items()):
        news += [ref for ref, sms in part if ref not in told or told[ref] != sms]
    return news


async def _absent(refs: Iterable[str], remote: dict[str, RemoteSms | None]) -> list[str]:
    absent: list[str] = []
    async for part in _slices(refs):
        absent += [ref for ref in part if ref not in remote]
    return absent


async def _slices(items: Iterable[T]) -> AsyncIterator[list[T]]:
    """All of them, in parts; after each the event loop has its turn."""
    rest = iter(items)
    while part := list(islice(rest, SLICE)):
        yield part
        await asyncio.sleep(0)
