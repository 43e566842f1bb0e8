"""Offers that renters pin to have them at hand."""

from dataclasses import dataclass

from db import favourites, users
from db.session import Database
from services.clock import Clock
from services.errors import TooManyPins

MOST = 4
"""As many as the home screen has room for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a number can be bought for, whatever it costs today."""

    service_id: int
    country: str
    network: str | None = None
    """None: whichever mobile network comes."""


class Favourites:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def pin(self, user_id: int, choice: Choice) -> None:
        """Pinned again, it changes nothing. Raises TooManyPins."""
        key = choice.service_id, choice.country, choice.network or ""
        async with self._database.write() as session:
            # Two taps at a time count one after the other.
            await users.lock(session, user_id)
            if await favourites.find(session, user_id, *key):
                return
            if await favourites.count(session, user_id) >= MOST:
                raise TooManyPins(most=MOST)
            await favourites.add(session, user_id, *key, now=self._clock.now())

    async def unpin(self, user_id: int, choice: Choice) -> None:
        key = choice.service_id, choice.country, choice.network or ""
        async with self._database.write() as session:
            await favourites.remove(session, user_id, *key)

    async def of_user(self, user_id: int) -> list[Choice]:
        """In the order in which they were pinned."""
        async with self._database.read() as session:
            found = await favourites.of_user(session, user_id)
        return [Choice(one.service_id, one.country, one.network or None) for one in found]

    async def is_pinned(self, user_id: int, choice: Choice) -> bool:
        key = choice.service_id, choice.country, choice.network or ""
        async with self._database.read() as session:
            return await favourites.find(session, user_id, *key) is not None
