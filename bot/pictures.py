"""Pictures of figures, drawn one at a time in a process that ends with each."""

import asyncio
import sys
from collections.abc import Sequence

import structlog

from bot import charts
from bot.charts import Chart

log = structlog.get_logger()

TIME_LIMIT_SECONDS = 30


class NotDrawn(Exception):
    """There is no picture; the log says why. The figures are well."""


class Pictures:
    """Draws for whoever asks first; the others wait, so that one process more is all that there ever is."""

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "bot.drawing"),
        *,
        time_limit: float = TIME_LIMIT_SECONDS,
    ) -> None:
        self._command = command
        self._time_limit = time_limit
        self._turn = asyncio.Lock()

    async def draw(self, chart: Chart, *same_in_english: Chart) -> bytes:
        """A PNG; of `same_in_english` where no font here can write the chart's words. Raises NotDrawn."""
        async with self._turn:
            drawing = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(self._time_limit):
                    picture, said = await drawing.communicate(charts.write([chart, *same_in_english]))
            except TimeoutError:
                log.error("picture.too_slow", seconds=self._time_limit)
                raise NotDrawn from None
            finally:
                if drawing.returncode is None:
                    drawing.kill()
                    await drawing.wait()
        if drawing.returncode or not picture:
            log.error(
                "picture.not_drawn", returncode=drawing.returncode, said=said.decode(errors="replace")[-500:]
            )
            raise NotDrawn
        return picture
