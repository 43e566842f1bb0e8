"""What the panel does with numbers. The rules behind the API, without HTTP.

A number is handed out at each request and never taken back; what comes on it is told by webhook, and cannot
be asked for. Where the documentation is silent: a number stays the customer's for ever.
Source: the panel's documentation, section GET /api/get-number.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from sandbox.clock import Agenda
from sandbox.numberpanel.catalog import COUNTRIES, OPERATORS, Country, Operator
from sandbox.numberpanel.errors import ApiError
from sandbox.trouble import Trouble

Format = Literal["full", "national", "remove_plus"]
FORMATS: tuple[Format, ...] = ("full", "national", "remove_plus")
_CODE = re.compile(r"\d{3}[- ]\d{3}|\d{4,8}")
_FIRST_SERIAL = 1001


@dataclass(eq=False)
class Number:
    """One number that was handed out; the panel shows nobody its id."""

    id: int
    phone_number: str
    """E.164."""
    country: Country
    operator: Operator | None
    taken_at: datetime
    messages: list[str] = field(default_factory=list)
    code: str | None = None
    """Of the last SMS."""
    received_at: datetime | None = None
    """When that came."""

    def written(self, form: Format) -> str:
        """What `national` makes exactly is not documented; by its name, it lacks the country's code."""
        digits = self.phone_number.removeprefix("+")
        match form:
            case "full":
                return self.phone_number
            case "remove_plus":
                return digits
            case "national":
                return digits.removeprefix(self.country.phone_code)


class Numbers:
    """Everything that was ever handed out to one customer."""

    def __init__(
        self,
        agenda: Agenda,
        trouble: Trouble,
        announce: Callable[[Number, str, str | None], None],
        *,
        code_after: timedelta | None,
    ) -> None:
        self.clock = agenda.clock
        self.agenda = agenda
        self.trouble = trouble
        self.code_after = code_after
        self.countries = {country.id: country for country in COUNTRIES}
        self.operators = {operator.id: operator for operator in OPERATORS}
        self.numbers: dict[int, Number] = {}
        self.next_numbers: deque[str] = deque()
        """To be handed out before new ones: the same number may come again."""
        self.left: int | None = None
        """How many numbers there are still; None: no end of them."""
        self._announce = announce

    def take(self, country_id: int, operator_id: int | None) -> Number:
        """A number; of no certain network where none is named. Raises ApiError."""
        country = self.countries.get(country_id)
        operator = self.operators.get(operator_id) if operator_id else None
        none_left = self.trouble.out_of_stock or self.left == 0
        if country is None or none_left or (operator_id and operator is None):
            raise ApiError(404, "No number received")
        if self.left:
            self.left -= 1
        serial = _FIRST_SERIAL + len(self.numbers)
        phone_number = self.next_numbers.popleft() if self.next_numbers else country.phone_number(serial)
        number = Number(serial, phone_number, country, operator, self.clock.now())
        self.numbers[number.id] = number
        if self.code_after is not None:
            self.agenda.add(
                self.clock.now() + self.clock.span(self.code_after), partial(self._arrive, number)
            )
        return number

    async def receive_sms(self, number_id: int, text: str) -> None:
        """An SMS reaches a number that was handed out. Its code is found in the text."""
        number = self.numbers.get(number_id)
        if number is None:
            raise ApiError(404, "No such number")
        self._receive(number, text)

    def _receive(self, number: Number, text: str) -> None:
        found = _CODE.search(text)
        number.code = re.sub(r"\D", "", found[0]) if found else None
        number.messages.append(text)
        number.received_at = self.clock.now()
        self._announce(number, text, number.code)

    def _arrive(self, number: Number) -> None:
        if not number.messages and not self.trouble.withhold_codes:
            self._receive(number, f"Your verification code is {number.id * 7919 % 1_000_000:06}")
