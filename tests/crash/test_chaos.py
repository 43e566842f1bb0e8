"""Two processes, purchases, codes and plugs pulled at random: in the end every promise was kept."""

import pytest

from tests.crash.chaos import chaos

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SECONDS = 15


async def test_chaos_is_only_a_delay(postgresql_url: str):
    async with chaos(postgresql_url) as raging:
        await raging.rage(SECONDS)
        await raging.check()
    assert raging.figures.kills
    assert raging.figures.codes
