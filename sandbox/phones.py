"""The phones of the rehearsed world: what every sender of SMS has made ring, whichever it was."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Protocol

from starlette.applications import Starlette

from sandbox.trouble import Trouble

MEMORY = 500


@dataclass
class PhoneSms:
    """One SMS to a phone. Whoever sends it changes `status` as it goes its way."""

    vendor: str
    """Which sender took it: "cellcast"."""
    sender: str
    """Whom the phone shows it from."""
    to: str
    """E.164."""
    text: str
    at: datetime
    status: str = "delivered"
    """In one word, for the page."""
    id: int = 0
    answers: list[str] = field(default_factory=list)
    """What was written back."""


class Sender(Protocol):
    """A vendor that makes phones ring, with the kinds of trouble that the page offers beside the usual."""

    name: str
    """Also where its API is, under the sandbox's address."""
    app: Starlette
    trouble: Trouble
    switches: tuple[tuple[str, str, str], ...]
    """Field of `trouble`, title and note."""

    def take_answer(self, sms: PhoneSms, text: str) -> None:
        """Somebody writes back to where a text of this vendor's came from."""

    async def run(self) -> None:
        """Let everything happen at its time, until cancelled."""

    @property
    def facts(self) -> list[str]:
        """What it has, in lines for the page."""


class Phones:
    """The last texts, oldest first."""

    def __init__(self) -> None:
        self.texts: deque[PhoneSms] = deque(maxlen=MEMORY)
        self._ids = count(1)

    def ring(self, sms: PhoneSms) -> None:
        sms.id = next(self._ids)
        self.texts.append(sms)

    def find(self, sms_id: int) -> PhoneSms | None:
        return next((sms for sms in self.texts if sms.id == sms_id), None)

    def at(self, number: str) -> list[str]:
        """What stands on one phone, oldest first."""
        return [sms.text for sms in self.texts if sms.to == number]
