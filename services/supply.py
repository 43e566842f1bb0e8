"""The vendors that are connected, suppliers and senders, and how each is doing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog
from prometheus_client import Counter

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
from services.senders.base import Sender
from services.suppliers.base import Supplier

log = structlog.get_logger()

CALLS = Counter("numlet_supplier_calls_total", "Calls to suppliers", ["supplier", "result"])

TEXTING = Counter("numlet_sender_calls_total", "Calls to senders of SMS", ["sender", "result"])

TROUBLE = (UpstreamUnavailable, UpstreamUnknown, AccessRefused, SupplierBroke, NoCredit)
"""Errors that say something about the vendor rather than about what it was asked."""
DOWN_AFTER = 3


@dataclass(slots=True)
class Health:
    """What the last calls to a vendor were like. Times are aware UTC."""

    last_ok_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    failures: int = 0
    """Since the last good answer."""

    @property
    def is_down(self) -> bool:
        """A supplier's offers are hidden until a call succeeds again; the reconciliation keeps trying."""
        return self.failures >= DOWN_AFTER


class _Named(Protocol):
    name: str


VendorT = TypeVar("VendorT", bound=_Named)


class Vendors(Generic[VendorT]):
    """All calls to vendors go through `calling`, so that their health is known."""

    _calls: ClassVar[Counter]

    def __init__(self, vendors: Iterable[VendorT], clock: Clock) -> None:
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._clock = clock
        self._health = {name: Health() for name in self._vendors}

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
    def calling(self, name: str) -> Iterator[VendorT]:
        """Make calls inside the block; what comes of them is written down.

        Raises UpstreamUnavailable for a vendor that has been disconnected since.
        """
        if name not in self._vendors:
            raise UpstreamUnavailable("no longer connected", upstream=name)
        health = self._health[name]
        try:
            yield self._vendors[name]
        except TROUBLE as error:
            self._note_trouble(name, error)
            raise
        except UpstreamError:
            # A refusal is an answer.
            self._note_answer(name, "refused")
            raise
        else:
            if health.is_down:
                log.info("vendor.back", vendor=name)
            self._note_answer(name, "ok")

    def _note_answer(self, name: str, result: str) -> None:
        self._calls.labels(name, result).inc()
        health = self._health[name]
        health.failures = 0
        health.last_ok_at = self._clock.now()

    def _note_trouble(self, name: str, error: UpstreamError) -> None:
        self._calls.labels(name, type(error).__name__).inc()
        health = self._health[name]
        health.failures += 1
        health.last_error_at = self._clock.now()
        health.last_error = str(error)
        if health.failures == DOWN_AFTER or isinstance(error, UpstreamBroken):
            log.warning("vendor.trouble", vendor=name, error=str(error), failures=health.failures)


class Suppliers(Vendors[Supplier]):
    """Whom we buy numbers from."""

    _calls = CALLS


class Senders(Vendors[Sender]):
    """Through whom we text."""

    _calls = TEXTING
