"""The command line."""

import asyncio
import gc
import os
import sqlite3
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot import VERSION, logs
from bot.settings import Settings, WrongSettings, read_settings

app = typer.Typer(
    name="numlet",
    help="A Telegram bot that rents virtual phone numbers and pushes their codes into the chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    # Codes and numbers are in whatever is written: it is nobody else's on this machine.
    os.umask(0o077)
    try:
        app(prog_name="numlet")
    except WrongSettings as error:
        _fail(str(error))
    except OSError as error:
        if error.filename:
            _fail(f"{error.filename}: {error.strerror}")
        _fail(f"The database cannot be used: {error}")
    except (SQLAlchemyError, sqlite3.Error) as error:
        # The first line says it; the rest is the statement, which may hold what nobody should read.
        _fail(f"The database cannot be used: {str(error).splitlines()[0]}")


def _fail(text: str) -> NoReturn:
    print(f"numlet: {text}", file=sys.stderr)
    raise SystemExit(1)


def _settings() -> Settings:
    settings = read_settings()
    logs.configure(settings.log_level, settings.log_format, secrets=_secrets(settings))
    return settings


def _secrets(settings: Settings) -> list[str]:
    found = (getattr(settings, name) for name in Settings.model_fields)
    return [value.get_secret_value() for value in found if hasattr(value, "get_secret_value")]


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.run(work)
    return uvloop.run(work)


@contextmanager
def _loading() -> Iterator[None]:
    """What is loaded stays: to look for garbage meanwhile, again and again, takes a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _version(wanted: bool) -> None:
    if wanted:
        print(f"numlet {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None: ...


@app.command()
def run() -> None:
    """Run the bot with the settings of the environment and .env."""
    with _loading():
        from bot.running import run as run_bot

    _run(run_bot(_settings()))


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where the page is served; 0 takes any free port.")
    ] = 8765,
    speed: Annotated[
        float, typer.Option(min=0.01, max=1000, help="How much faster than real the suppliers' time runs.")
    ] = 1,
    code_after: Annotated[
        float, typer.Option(min=0, max=86400, help="Seconds until a code arrives by itself; 0: never.")
    ] = 8,
) -> None:
    """Try the whole product in a browser: no account, no token, nothing leaves this machine."""
    with _loading():
        from bot.demo import run_demo

    _run(run_demo(port=port, speed=speed, code_after=code_after))


@app.command()
def doctor() -> None:
    """Check every setting, the database, Telegram and each supplier; say what is wrong and how to mend it."""
    from bot.doctor.examination import examine

    if not _run(examine(read_settings())):
        raise typer.Exit(1)


@app.command()
def selftest(
    codes: Annotated[
        int, typer.Option(min=1, max=5000, help="How many codes the latencies are taken from.")
    ] = 100,
) -> None:
    """Rehearse purchases, crashes and refunds in the sandbox with your settings; real data is not touched."""
    from bot.selftest import rehearse

    if not _run(rehearse(read_settings(), codes=codes)):
        raise typer.Exit(1)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema (run does it by itself)."""
    from bot.upkeep import migrate_database

    print(_run(migrate_database(_settings())))


@app.command()
def audit() -> None:
    """Say whether all sums agree and what the shop earns; exit status 1 where something does not agree."""
    from bot.upkeep import audit_database

    words, agrees = _run(audit_database(_settings()))
    print(words)
    if not agrees:
        raise typer.Exit(1)


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Where the files go; it is made where it is missing.")],
) -> None:
    """Write the ledger, the orders and the payments as CSV, for a spreadsheet."""
    from bot.export import export as export_books

    print(_run(export_books(_settings(), directory)))


@app.command()
def copy_database(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A database URL; no bot may run on it.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="A database URL; it must be empty.")],
) -> None:
    """Move to another database: every row from SQLite to PostgreSQL, or back, compared one by one."""
    from bot.copying import copy_database as copy

    _run(copy(source, target, currency=_settings().currency, say=print))


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A backup that was made with numlet backup.")]) -> None:
    """Put a backup in the place of a database that is gone, once it has been checked."""
    from bot.restore import restore_database

    print(_run(restore_database(_settings(), file)))


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Where the copy goes; it must not exist yet.")]) -> None:
    """Copy the database while the bot runs."""
    from bot.upkeep import backup_database

    print(backup_database(_settings(), file))
