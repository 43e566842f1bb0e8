"""Everything for sale as one compact text, made once for each state of the catalogue and sent to all."""

import asyncio
import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from services.catalog import Catalog
from services.lines import Line
from services.money import exponent
from services.search import country_keys, service_keys

_LEVEL = 6
"""Of compression; more costs twice the time for a hundredth of the size."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One state of the catalogue, ready to be sent."""

    plain: bytes
    zipped: bytes
    etag: str


class Shelf:
    """Prints the catalogue when somebody asks for it and it has changed since."""

    def __init__(self, catalog: Catalog, currency: str) -> None:
        self._catalog = catalog
        self._currency = currency
        self._printing = asyncio.Lock()
        self._edition: object = None
        self._printed = Printed(b"", b"", "")

    async def read(self) -> Printed:
        async with self._printing:
            edition = self._catalog.edition()
            if edition != self._edition:
                names = {service.id or 0: service.name for service in self._catalog.known_services()}
                lines = self._catalog.lines()
                # Tens of thousands of lines: not where codes are waited for.
                self._printed = await asyncio.to_thread(_print, lines, names, self._currency)
                self._edition = edition
            return self._printed


def _print(lines: list[Line], names: dict[int, str], currency: str) -> Printed:
    content: dict[str, Any] = {
        "currency": currency,
        "exponent": exponent(currency),
        "services": {
            service_id: [names[service_id], *service_keys(names[service_id])]
            for service_id in sorted({line.service_id for line in lines})
        },
        "countries": {
            country: sorted(country_keys(country)) for country in sorted({line.country for line in lines})
        },
        # Service, country, price, percent of orders with a code (null: not known), most at once.
        "lines": [
            [line.service_id, line.country, line.price, line.odds and line.odds.percent] for line in lines
        ],
    }
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Printed(plain, gzip.compress(plain, _LEVEL), f'"{hashlib.sha256(plain).hexdigest()[:24]}"')
