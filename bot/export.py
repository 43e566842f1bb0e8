"""`numlet export`: every sheet of the books as a file."""

from pathlib import Path

from bot.settings import Settings, WrongSettings
from bot.sheets import SHEETS, write
from bot.upkeep import check_schema
from db.session import Database


async def export(settings: Settings, directory: Path) -> str:
    """Write every sheet into a directory; what there is already is not overwritten. Raises WrongSettings."""
    database = Database(settings.database_url.get_secret_value())
    try:
        await check_schema(database)
        _make_room(directory)
        written = [f"{sheet.name}: {await write(database, sheet, directory):,} rows" for sheet in SHEETS]
    finally:
        await database.aclose()
    return f"Wrote to {directory}: {', '.join(written)}."


def _make_room(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for sheet in SHEETS:
        if (directory / sheet.name).exists():
            raise WrongSettings(f"{directory / sheet.name} exists already; choose another directory.")
