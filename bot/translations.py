"""What translators work with: brings the catalogues up to date with the texts in the code.

`./numlet translations` updates all that there are, `./numlet translations pt_BR` begins a new one. Nothing
of this is needed where the bot runs.
"""

import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.language import ENGLISH, LOCALES
from services.places import get_locale

SOURCES = Path(__file__).parent
KEYWORDS = {"_": None, "ngettext": (1, 2)}
COMMENT = "Translators:"
"""What a comment in the code begins with that is meant for them."""
_WIDTH = 100


@lru_cache(maxsize=1)
def texts() -> Catalog:
    """Every text in the code that somebody reads, in alphabetical order."""
    catalog = Catalog(project="Numlet", charset="utf-8")
    found = extract_from_dir(
        SOURCES,
        method_map=[("**.py", "python")],
        keywords=KEYWORDS,
        comment_tags=[COMMENT],
        strip_comment_tags=True,
    )
    for file, _line, message, comments, _context in found:
        # Without the line: it would change in every catalogue with every change of the code.
        catalog.add(message, locations=[(f"{SOURCES.name}/{file}", 0)], auto_comments=comments)
    return catalog


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def update(path: Path) -> Catalog:
    """Add what is new to a catalogue and drop what is gone; a changed text becomes a doubtful one."""
    catalog = read(path) if path.exists() else _new(path.stem)
    # Babel moves what is new from one catalogue into the other.
    catalog.update(deepcopy(texts()), update_creation_date=False)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file,
            catalog,
            width=_WIDTH,
            sort_output=True,
            ignore_obsolete=True,
            include_previous=True,
            include_lineno=False,
        )
    return catalog


def _new(code: str) -> Catalog:
    name = get_locale(code).english_name
    return Catalog(
        locale=code,
        header_comment=f"# Numlet in {name}. docs/translating.md says how to work on it.",
        project="Numlet",
        version="0",
        msgid_bugs_address="the project's issues",
        last_translator="-",
        language_team=name,
        fuzzy=False,
    )


def forms(message: Message) -> tuple[str, ...]:
    """The translations of a text: as many as there are plural forms, else one."""
    return (message.string or "",) if isinstance(message.string, str | None) else tuple(message.string)


def open_texts(catalog: Catalog) -> Iterator[str]:
    """What is not translated yet, or doubtful."""
    for message in catalog:
        if message.id and (message.fuzzy or not all(forms(message))):
            yield message.id if isinstance(message.id, str) else message.id[0]


def main(codes: Sequence[str]) -> None:
    """Raises SystemExit for what is no language."""
    for code in codes:
        if str(get_locale(code)) != code or code == ENGLISH:
            raise SystemExit(f"{code!r} is not the code of a language to translate into, like hi or pt_BR.")
    for path in sorted({*LOCALES.glob("*.po"), *(LOCALES / f"{code}.po" for code in codes)}):
        left = sum(1 for _ in open_texts(update(path)))
        print(f"{path}: {len(texts())} texts, {left} to translate")
    if not codes and not any(LOCALES.glob("*.po")):
        print(f"{len(texts())} texts and no catalogue yet: ./numlet translations hi begins one in {LOCALES}")


if __name__ == "__main__":
    main(sys.argv[1:])
