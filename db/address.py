"""Addresses of databases, as people write them into settings and commands."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_OPTIONS: dict[str, set[str]] = {
    "sqlite": set(),
    "postgresql": {"sslmode", "ssl", "search_path", "host", "port"},
}


class BadAddress(ValueError):
    """Nothing that could be opened; the text says what is wrong, without repeating what may be a password."""


def read_address(text: str) -> URL:
    """Raises BadAddress."""
    try:
        address = make_url(text)
    except ArgumentError:
        raise BadAddress("must begin with sqlite:/// or postgresql://") from None
    except ValueError:
        raise BadAddress("has a port that is no number") from None
    kind = address.get_backend_name()
    if kind not in _OPTIONS:
        raise BadAddress("must begin with sqlite:/// or postgresql://")
    if kind == "sqlite" and address.database in (None, "", ":memory:"):
        raise BadAddress("must name a file: sqlite:///numlet.db")
    if unknown := sorted(set(address.query) - _OPTIONS[kind]):
        raise BadAddress(f"has an option that is not understood, {unknown[0]}: leave it out")
    return address
