"""Catalogues for tests: one that a machine made of every text, and small ones of a few."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from bot import translations
from bot.language import CATALOGUES

Words: TypeAlias = Mapping[Any, str | tuple[str, ...]]
"""Translations by text; by singular and plural where there are several forms."""
PSEUDO = "eo"
"""A language that the bot does not speak: Esperanto, whose words are the English ones."""


def write_pseudo(directory: Path) -> Path:
    """Every text stands for itself."""
    path = directory / f"{PSEUDO}.po"
    catalog = translations.update(path)
    for message in catalog:
        if isinstance(message.id, tuple):
            message.string = (message.id[0], *message.id[1:] * (catalog.num_plurals - 1))
        elif message.id:
            message.string = message.id
    with path.open("wb") as file:
        write_po(file, catalog)
    return path


@contextmanager
def spoken(directory: Path, code: str, words: Words) -> Iterator[None]:
    """The bot speaks `code` as far as these words go."""
    directory.mkdir(exist_ok=True)
    catalog = Catalog(locale=code)
    for message, translated in words.items():
        catalog.add(message, translated)
    with (directory / f"{code}.po").open("wb") as file:
        write_po(file, catalog)
    CATALOGUES.add(directory)
    try:
        yield
    finally:
        CATALOGUES.remove(directory)
