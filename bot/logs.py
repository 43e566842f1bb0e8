"""Logs: structured, and without secrets, codes or whole phone numbers."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

PHONE = re.compile(r"\+\d{7,15}")
BOT_TOKEN = re.compile(r"\d{5,}:[A-Za-z0-9_-]{20,}")
# These say too much at their usual level: whole URLs, which hold the bot's token.
QUIET = ("httpx", "httpcore", "telegram", "alembic", "aiosqlite", "asyncio")


class Redactor:
    """Takes secrets out of everything that is logged, wherever they hide: a safety net, not a licence."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((secret for secret in secrets if len(secret) > 3), key=len, reverse=True)

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return PHONE.sub(lambda number: f"…{number.group()[-2:]}", BOT_TOKEN.sub("[token]", text))

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        # What begins with an underscore is between the processors, and never printed.
        return {key: value if key[0] == "_" else self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        return value if isinstance(value, int | float | None) else self.text(repr(value))


def configure(level: str, form: str, *, secrets: Iterable[str]) -> None:
    """Set up structlog and the standard library's logging, which libraries use, alike."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Tracebacks become text here, so that the redactor sees what is in them.
        structlog.processors.format_exc_info,
        Redactor(secrets),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.stdlib.ExtraAdder(),
                *shared,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns of each tick that it leaves out because the last one still runs, which is what we want.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
