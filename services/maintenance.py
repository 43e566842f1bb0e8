"""Closed for maintenance: nothing new is sold, open orders go on. Kept in the database for all processes."""

from sqlmodel.ext.asyncio.session import AsyncSession

from db import settings
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.errors import ShopClosed

TEXT_LIMIT = 150
"""Characters: it has to fit an alert."""
_KEY = "maintenance"


async def check_open(session: AsyncSession) -> None:
    """Raises ShopClosed. Read in the transaction that would sell, so that no other process is too late."""
    text = await settings.find(session, _KEY)
    if text is not None:
        raise ShopClosed(text)


class Maintenance:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def notice(self) -> str | None:
        """Why nothing is sold, in the operator's words if they gave any; None while the shop is open."""
        async with self._database.read() as session:
            return await settings.find(session, _KEY)

    async def close(self, text: str = "", *, by: int) -> None:
        """Sell nothing from this commit on; said again with another text, it changes the text."""
        await self._change(text[:TEXT_LIMIT], by=by)

    async def open(self, *, by: int) -> None:
        await self._change(None, by=by)

    async def _change(self, text: str | None, *, by: int) -> None:
        now = self._clock.now()
        async with self._database.write() as session:
            before = await settings.find(session, _KEY)
            if before == text:
                return
            if text is None:
                await settings.remove(session, _KEY)
            else:
                await settings.put(session, _KEY, text, now=now)
            await acts.record(
                session, What.MAINTENANCE, by=by, now=now, before=_fact(before), after=_fact(text)
            )


def _fact(text: str | None) -> dict[str, str]:
    return {"shop": "open"} if text is None else {"shop": f"closed {text}".strip()}
