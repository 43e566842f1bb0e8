"""The phones of the rehearsed world: what every sender of SMS has made ring, whichever it was."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

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


class Sender(Protocol):
    """A vendor that makes phones ring, with the kinds of trouble that the page offers beside the usual."""

    name: str
    trouble: Trouble
    switches: tuple[tuple[str, str, str], ...]
    """Field of `trouble`, title and note."""

    @property
    def facts(self) -> list[str]:
        """What it has, in lines for the page."""


class Phones:
    """The last texts, oldest first."""

    def __init__(self) -> None:
        self.texts: deque[PhoneSms] = deque(maxlen=MEMORY)

    def ring(self, sms: PhoneSms) -> None:
        self.texts.append(sms)

    def at(self, number: str) -> list[str]:
        """What stands on one phone, oldest first."""
        return [sms.text for sms in self.texts if sms.to == number]
