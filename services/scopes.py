"""What rules and pauses are about: a supplier, a service, a country, or any of them."""

from collections.abc import Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

ThingT = TypeVar("ThingT")
Shape = tuple[bool, bool, bool]


class Scope(NamedTuple):
    """Each part narrows it; an empty one (0 for the service) means any."""

    supplier: str = ""
    service_id: int = 0
    country: str = ""

    @property
    def shape(self) -> Shape:
        """Which parts are named."""
        return bool(self.supplier), bool(self.service_id), bool(self.country)


def exactness(shape: Shape) -> tuple[int, bool, bool, bool]:
    """Of two scopes that fit, the greater one wins: the one with more named parts; with as many, a named
    service counts more than a country, and a country more than a supplier."""
    supplier, service, country = shape
    return sum(shape), service, country, supplier


class Scoped(Generic[ThingT]):
    """Things by scope. Finding the most exact one takes as many looks as there are shapes, at most eight."""

    def __init__(self, things: Mapping[Scope, ThingT]) -> None:
        ordered = sorted(things.items(), key=lambda item: (exactness(item[0].shape), item[0]))
        self.things = dict(ordered)
        """The most exact last."""
        # Plain tuples, as those that are looked for: making a named one takes longer than finding it.
        self._by_parts: dict[tuple[str, int, str], ThingT] = {
            (scope.supplier, scope.service_id, scope.country): thing for scope, thing in ordered
        }
        self._shapes = sorted({scope.shape for scope in things}, key=exactness, reverse=True)
        self.services = frozenset(scope.service_id for scope in things if scope.service_id)
        """Those that are named."""

    def find(self, supplier: str, service_id: int | None, country: str) -> ThingT | None:
        """The most exact thing that fits. `service_id`: None for a number that takes the codes of any,
        to which nothing applies that names a service."""
        return next((self._by_parts[parts] for parts in self._fitting(supplier, service_id, country)), None)

    def covers(self, supplier: str, service_id: int | None, country: str) -> bool:
        """Whether there is one that `find` would find."""
        return next(self._fitting(supplier, service_id, country), None) is not None

    def _fitting(self, supplier: str, service_id: int | None, country: str) -> Iterator[tuple[str, int, str]]:
        """The scopes of things that fit, the most exact first."""
        for by_supplier, by_service, by_country in self._shapes:
            parts = (
                supplier if by_supplier else "",
                (service_id or 0) if by_service else 0,
                country if by_country else "",
            )
            if (service_id or not by_service) and parts in self._by_parts:
                yield parts

    def with_thing(self, scope: Scope, thing: ThingT) -> "Scoped[ThingT]":
        """The same but for one scope."""
        return Scoped({**self.things, scope: thing})

    def without(self, scope: Scope) -> "Scoped[ThingT]":
        return Scoped({key: thing for key, thing in self.things.items() if key != scope})
