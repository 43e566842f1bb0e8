"""One sound for all who wait: something has changed, look again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    def __init__(self) -> None:
        self.rings = 0
        self._next = asyncio.Event()

    def ring(self) -> int:
        """Wake everybody. Answers the number of this ring, by which changes can be told apart in time."""
        self.rings += 1
        rung, self._next = self._next, asyncio.Event()
        rung.set()
        return self.rings

    async def wait(self) -> None:
        await self._next.wait()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self.wait()
