"""The vendors that are connected, suppliers and senders, and how each is doing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from time import perf_counter
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import OrderStatus
from db.session import after_commit
from services.breaker import Breaker, State
from services.clock import Clock
from services.errors import (
    AccessRefused,
    NoCredit,
    SupplierBroke,
    UpstreamBroken,
    UpstreamError,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.recent_calls import RecentCalls
from services.senders.base import Sender
from services.suppliers.base import Supplier

log = structlog.get_logger()

CALLS = Counter("numlet_supplier_calls_total", "Calls to suppliers", ["supplier", "result"])
UP = Gauge("numlet_supplier_up", "1 while a supplier is called, 0 while it is out of order", ["supplier"])

TEXTING = Counter("numlet_sender_calls_total", "Calls to senders of SMS", ["sender", "result"])
TEXTING_UP = Gauge("numlet_sender_up", "1 while a sender is called, 0 while it is out of order", ["sender"])
ORDERS = Counter("numlet_orders_total", "Orders that came to a state", ["supplier", "status"])
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CALL_SECONDS = Histogram(
    "numlet_supplier_call_seconds", "How long calls to suppliers take", ["supplier"], buckets=BUCKETS
)
TEXTING_SECONDS = Histogram(
    "numlet_sender_call_seconds", "How long calls to senders of SMS take", ["sender"], buckets=BUCKETS
)

TROUBLE = (UpstreamUnavailable, UpstreamUnknown, AccessRefused, SupplierBroke, NoCredit)
"""Errors that say something about the vendor rather than about what it was asked."""
RESULTS = ("ok", "refused", UpstreamBroken.__name__, *(error.__name__ for error in TROUBLE))


def count_order(session: AsyncSession, order_id: int, supplier: str | None, status: OrderStatus) -> None:
    """Count an order's new state, once this commit is on disk."""
    after_commit(session, f"count:{order_id}:{status}", ORDERS.labels(supplier or "", status).inc)


@dataclass(slots=True)
class Health:
    """What the last calls to a vendor were like. Times are aware UTC."""

    last_ok_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    breaker: Breaker = field(default_factory=Breaker)
    recent: RecentCalls = field(default_factory=RecentCalls)

    @property
    def is_down(self) -> bool:
        """A supplier's offers are hidden until a call succeeds after the breaker's rest."""
        return self.breaker.opened_at is not None

    @property
    def failures(self) -> int:
        """Since the last good answer."""
        return self.breaker.failures


class _Named(Protocol):
    name: str


VendorT = TypeVar("VendorT", bound=_Named)


class Vendors(Generic[VendorT]):
    """All calls to vendors go through `calling`, so that their health is known."""

    _calls: ClassVar[Counter]
    _up: ClassVar[Gauge]
    _seconds: ClassVar[Histogram]

    def __init__(self, vendors: Iterable[VendorT], clock: Clock) -> None:
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._clock = clock
        self._health = {name: Health() for name in self._vendors}
        for name in self._vendors:
            self._up.labels(name).set(1)
        for name, result in product(self._vendors, RESULTS):
            # From zero on: Prometheus sees no rise in what begins at one.
            self._calls.labels(name, result)

    def __iter__(self) -> Iterator[VendorT]:
        return iter(self._vendors.values())

    def __contains__(self, name: object) -> bool:
        return name in self._vendors

    def __getitem__(self, name: str) -> VendorT:
        return self._vendors[name]

    def find(self, name: str | None) -> VendorT | None:
        """None for a vendor that has been disconnected since."""
        return self._vendors.get(name) if name else None

    def health(self, name: str) -> Health:
        return self._health[name]

    @contextmanager
    def calling(self, name: str, *, always: bool = False) -> Iterator[VendorT]:
        """Make calls inside the block; what comes of them is written down.

        While the breaker is open only those pass that ask `always`: the regular ones on which codes
        depend, of which there is one at a time. Raises UpstreamUnavailable for the others, and for a
        vendor that has been disconnected since.
        """
        if name not in self._vendors:
            raise UpstreamUnavailable("no longer connected", upstream=name)
        breaker = self._health[name].breaker
        wait = breaker.admit(self._clock.now())
        if wait and not always:
            raise UpstreamUnavailable("out of order, left alone", upstream=name, retry_after=wait)
        began = perf_counter()
        try:
            yield self._vendors[name]
        except TROUBLE as error:
            self._note_trouble(name, error)
            self._note_time(name, perf_counter() - began, answered=False)
            raise
        except UpstreamError:
            # A refusal is an answer.
            self._note_answer(name, "refused")
            self._note_time(name, perf_counter() - began, answered=True)
            raise
        else:
            self._note_answer(name, "ok")
            self._note_time(name, perf_counter() - began, answered=True)
        finally:
            if not wait:
                breaker.leave()

    def _note_time(self, name: str, seconds: float, *, answered: bool) -> None:
        self._seconds.labels(name).observe(seconds)
        self._health[name].recent.note(self._clock.now(), seconds, answered=answered)

    def _note_answer(self, name: str, result: str) -> None:
        self._calls.labels(name, result).inc()
        health, now = self._health[name], self._clock.now()
        was_down = health.is_down
        health.breaker.succeed(now)
        health.last_ok_at = now
        if was_down and not health.is_down:
            self._up.labels(name).set(1)
            log.info("vendor.back", vendor=name)

    def _note_trouble(self, name: str, error: UpstreamError) -> None:
        self._calls.labels(name, type(error).__name__).inc()
        health, now = self._health[name], self._clock.now()
        health.last_error_at, health.last_error = now, str(error)
        if health.breaker.fail(now):
            self._up.labels(name).set(0)
            log.warning("vendor.out_of_order", vendor=name, error=str(error))
        elif isinstance(error, UpstreamBroken):
            log.warning("vendor.trouble", vendor=name, error=str(error))


class Suppliers(Vendors[Supplier]):
    """Whom we buy numbers from."""

    _calls, _up, _seconds = CALLS, UP, CALL_SECONDS

    async def probe(self, name: str) -> None:
        """Once the rest of a supplier is over: ask it something harmless. Raises UpstreamError."""
        if self._health[name].breaker.state(self._clock.now()) is State.HALF_OPEN:
            with self.calling(name) as supplier:
                await (supplier.balance() if supplier.capabilities.balance else supplier.quotes())


class Senders(Vendors[Sender]):
    """Through whom we text."""

    _calls, _up, _seconds = TEXTING, TEXTING_UP, TEXTING_SECONDS
