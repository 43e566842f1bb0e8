"""The command line as a person meets it: no traceback, and the true reason."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.anyio


async def numlet(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit status, and all that is said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), "NUMLET_ENV_FILE": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_database_is_its_owners_and_a_place_that_cannot_be_written_to_is_named(tmp_path: Path):
    status, said = await numlet(tmp_path, "migrate")
    assert status == 0, said
    assert stat.S_IMODE((tmp_path / "numlet.db").stat().st_mode) == 0o600
    (tmp_path / "taken").write_text("mine")
    assert await numlet(tmp_path, "export", "taken") == (1, "numlet: taken: File exists\n")


@pytest.mark.parametrize("wrong", ["--port=99999", "--speed=0", "--speed=nan", "--code-after=-1"])
async def test_the_demo_refuses_what_it_cannot_do(tmp_path: Path, wrong: str):
    status, said = await numlet(tmp_path, "demo", wrong)
    assert status == 2
    assert "Invalid value" in said
