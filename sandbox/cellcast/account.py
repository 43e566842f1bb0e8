"""What Cellcast does with texts, credit and sender IDs. The rules behind the API, without HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count

from sandbox.cellcast.errors import LOW_BALANCE, Shape, refused
from sandbox.clock import Agenda
from sandbox.phones import Phones, PhoneSms
from sandbox.trouble import Trouble

NAME = "cellcast"
SHARED = "#SharedNum#"
SHARED_SHOWN_AS = "+61400000999"
SHARED_PRICE, OWN_PRICE = 10, 13
"""Tenths of a credit for one part. The price of the shared number is not documented."""
_FIELD = re.compile(r"\{\{\[[^\]]*\]\}\}")


@dataclass
class CustomNumber:
    name: str
    otp: str | None
    """What must be told to use the number; None once it is verified."""


@dataclass
class Batch:
    """What became of the contacts of one call."""

    queued: list[tuple[str, str, str]] = field(default_factory=list)
    """Number as it was given, the same in national form, and the id of its message."""
    invalid: list[str] = field(default_factory=list)
    unsubscribed: list[str] = field(default_factory=list)


class Account:
    """One customer of Cellcast.

    Where the documentation is silent: a call in which some contacts are good is accepted for those; a
    field of a contact that nobody has stored is replaced by nothing.
    """

    def __init__(self, agenda: Agenda, trouble: Trouble, phones: Phones, *, credit: int) -> None:
        """`credit` in whole credits."""
        self.agenda = agenda
        self.trouble = trouble
        self.phones = phones
        self.credit_tenths = credit * 10
        self.unsubscribed: set[str] = set()
        """E.164."""
        self.numbers: dict[str, CustomNumber] = {}
        """By their nine digits."""
        self.names: dict[str, str] = {}
        """Business names, and whether they are REQUESTED or APPROVED."""
        self.requires_otp = True
        self.usage: dict[str, tuple[int, int]] = {}
        """Parts and tenths of a credit, by custom string."""
        self.messages = 0
        self._ids = count(1)

    def send(
        self, message: str, contacts: Iterable[str], *, sender: str, tag: str, send_at: datetime
    ) -> Batch:
        """Queue a text for all who can have it. Raises ApiError where the credit does not suffice."""
        batch = self._sort(contacts)
        parts = parts_of(message) * len(batch.queued)
        price = parts * (SHARED_PRICE if sender == SHARED else OWN_PRICE)
        if price > (0 if self.trouble.out_of_credit else self.credit_tenths):
            raise refused(LOW_BALANCE, key="errorMessage", status=422)
        self.credit_tenths -= price
        used = self.usage.get(tag, (0, 0))
        self.usage[tag] = (used[0] + parts, used[1] + price)
        self.messages += len(batch.queued)
        shown_as = SHARED_SHOWN_AS if sender == SHARED else sender
        for _number, national, _id in batch.queued:
            sms = PhoneSms(NAME, shown_as, f"+61{national}", _FIELD.sub("", message), send_at)
            self.agenda.add(send_at, partial(self.phones.ring, sms))
        return batch

    def take_answer(self, sms: PhoneSms, text: str) -> None:
        """STOP opts out, also from texts that did not offer it: what else it takes is not documented."""
        if text.strip().upper() == "STOP":
            self.unsubscribed.add(sms.to)

    def _sort(self, contacts: Iterable[str]) -> Batch:
        batch = Batch()
        for contact in contacts:
            national = contact_digits(contact)
            if national is None:
                batch.invalid.append(contact)
            elif f"+61{national}" in self.unsubscribed:
                batch.unsubscribed.append(contact)
            else:
                batch.queued.append((contact, national, self.new_id()))
        return batch

    def may_send_as(self, sender: str) -> bool:
        if sender == SHARED:
            return True
        number = self.numbers.get(national_digits(sender) or "")
        return number.otp is None if number else self.names.get(sender) == "APPROVED"

    def add_number(self, name: str, national: str) -> bool:
        """True where it can be used at once; else an OTP is on its way."""
        otp = f"{next(self._ids) * 7919 % 1_000_000:06}" if self.requires_otp else None
        self.numbers[national] = CustomNumber(name, otp)
        if otp:
            text = f"{otp} is your Cellcast verification code."
            self.phones.ring(PhoneSms(NAME, "Cellcast", f"+61{national}", text, self.agenda.clock.now()))
        return otp is None

    def verify_number(self, name: str, national: str | None, otp: str) -> bool:
        """How an unknown or already verified number is answered is not documented; here like a wrong OTP."""
        number = self.numbers.get(national or "")
        if number is None or number.otp is None or number.otp != otp:
            return False
        number.name, number.otp = name, None
        return True

    def approve(self, name: str) -> None:
        """Cellcast's people have called, and are content."""
        self.names[name] = "APPROVED"

    def new_id(self) -> str:
        """24 hexadecimal digits, as theirs are."""
        return f"6752c257{next(self._ids):016x}"


def contact_digits(contact: str) -> str | None:
    """The nine digits of a contact, by the rule of the API's own error text: the documented form with a
    zero in front is not in it."""
    found = re.fullmatch(r"\+?61(\d{9})|([1-9]\d{8})", contact)
    return (found[1] or found[2]) if found else None


def national_digits(number: str) -> str | None:
    """The nine digits of a number in any of the four documented forms."""
    return contact_digits(number[1:] if re.fullmatch(r"0\d{9}", number) else number)


def parts_of(message: str) -> int:
    """How many SMS it takes, roughly: by characters, whether GSM's alphabet has them or not."""
    single, joined = (160, 153) if message.isascii() else (70, 67)
    return 1 if len(message) <= single else -(-len(message) // joined)


def shape_of_usage(usage: dict[str, tuple[int, int]]) -> list[Shape]:
    return [
        {"_id": tag, "total": parts, "totalCreditAmount": _number(tenths)}
        for tag, (parts, tenths) in usage.items()
    ]


def _number(tenths: int) -> int | float:
    return tenths // 10 if tenths % 10 == 0 else tenths / 10
