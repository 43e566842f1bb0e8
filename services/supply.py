"""The suppliers that are connected, and how each is doing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Counter

from services.clock import Clock
from services.errors import (
    AccessRefused,
    SupplierBroke,
    UpstreamBroken,
    UpstreamError,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.suppliers.base import Supplier

log = structlog.get_logger()

CALLS = Counter("numlet_supplier_calls_total", "Calls to suppliers", ["supplier", "result"])

TROUBLE = (UpstreamUnavailable, UpstreamUnknown, AccessRefused, SupplierBroke)
"""Errors that say something about the supplier rather than about what it was asked."""
DOWN_AFTER = 3


@dataclass(slots=True)
class Health:
    """What the last calls to a supplier were like. Times are aware UTC."""

    last_ok_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    failures: int = 0
    """Since the last good answer."""

    @property
    def is_down(self) -> bool:
        """Its offers are hidden until a call succeeds again; the reconciliation keeps trying."""
        return self.failures >= DOWN_AFTER


class Suppliers:
    """All calls to suppliers go through `calling`, so that their health is known."""

    def __init__(self, suppliers: Iterable[Supplier], clock: Clock) -> None:
        self._suppliers = {supplier.name: supplier for supplier in suppliers}
        self._clock = clock
        self._health = {name: Health() for name in self._suppliers}

    def __iter__(self) -> Iterator[Supplier]:
        return iter(self._suppliers.values())

    def __contains__(self, name: object) -> bool:
        return name in self._suppliers

    def __getitem__(self, name: str) -> Supplier:
        return self._suppliers[name]

    def find(self, name: str | None) -> Supplier | None:
        """None for a supplier that has been disconnected since."""
        return self._suppliers.get(name) if name else None

    def health(self, name: str) -> Health:
        return self._health[name]

    @contextmanager
    def calling(self, name: str) -> Iterator[Supplier]:
        """Make calls inside the block; what comes of them is written down.

        Raises UpstreamUnavailable for a supplier that has been disconnected since.
        """
        if name not in self._suppliers:
            raise UpstreamUnavailable("no longer connected", upstream=name)
        health = self._health[name]
        try:
            yield self._suppliers[name]
        except TROUBLE as error:
            self._note_trouble(name, error)
            raise
        except UpstreamError:
            # A refusal is an answer.
            self._note_answer(name, "refused")
            raise
        else:
            if health.is_down:
                log.info("supplier.back", supplier=name)
            self._note_answer(name, "ok")

    def _note_answer(self, name: str, result: str) -> None:
        CALLS.labels(name, result).inc()
        health = self._health[name]
        health.failures = 0
        health.last_ok_at = self._clock.now()

    def _note_trouble(self, name: str, error: UpstreamError) -> None:
        CALLS.labels(name, type(error).__name__).inc()
        health = self._health[name]
        health.failures += 1
        health.last_error_at = self._clock.now()
        health.last_error = str(error)
        if health.failures == DOWN_AFTER or isinstance(error, UpstreamBroken):
            log.warning("supplier.trouble", supplier=name, error=str(error), failures=health.failures)
