"""What happens by the clock, and how it ends."""

import asyncio
from datetime import timedelta

import pytest

from bot.jobs import Jobs
from services.clock import SystemClock

pytestmark = pytest.mark.anyio


async def test_a_job_that_is_cut_off_at_the_end_is_no_error(stage, caplog):
    jobs = Jobs(SystemClock(), stage.world.rentals)
    begun = asyncio.get_running_loop().create_future()

    async def work() -> None:
        begun.set_result(asyncio.current_task())
        await asyncio.Event().wait()

    jobs.every(timedelta(hours=1), "work", work, at_once=True)
    await jobs.start()
    task = await asyncio.wait_for(begun, 30)
    jobs.stop()
    await asyncio.wait([task], timeout=30)
    assert task.done()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
