"""A minute of pulled plugs: two processes on one PostgreSQL, and what became of every purchase and code."""

from statistics import median

from tests.conftest import fresh_postgresql
from tests.crash.chaos import chaos

SECONDS = 60


async def measure() -> dict[str, float]:
    """Fails where a promise was broken."""
    async with fresh_postgresql() as url, chaos(url) as raging:
        await raging.rage(SECONDS)
        await raging.check()
        figures = raging.figures
    return {
        "processes killed": figures.kills,
        "  of them while leading": figures.kills_of_the_leader,
        "takeover, median s": median(figures.takeovers),
        "takeover, slowest s": max(figures.takeovers),
        "purchases": figures.purchases,
        "codes shown": figures.codes,
        "  of them once more after a kill": figures.shown_again,
    }
