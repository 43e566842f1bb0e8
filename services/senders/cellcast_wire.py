"""Cellcast: what its JSON looks like, and the same in the port's shapes.

Fields that nothing here needs are not named; what later versions add is ignored.
Source: Cellcast API documentation, sections Quick Send SMS and API Token SMS Credit Usage.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, StrictBool, StrictStr

from services.senders.base import Contact, Outcome, Receipt, Text, Usage

_QUEUED = "Message added to queue."


class Answer(BaseModel):
    """The envelope. `data` is read only after a success: one failure has a number there."""

    status: StrictBool
    message: StrictStr
    data: Any = None


class Complaint(BaseModel):
    """What both shapes of an error have in common."""

    message: StrictStr


class Queued(BaseModel):
    number: str = Field(alias="Number")
    message_id: str = Field(alias="MessageId", min_length=1, max_length=64)
    result: str = Field(default=_QUEUED, alias="Result")


class Batch(BaseModel):
    """What became of the contacts of one call. What the two lists hold is not documented."""

    queued: list[Queued] = Field(alias="queueResponse")
    invalid: list[Any] = Field(default=[], alias="invalidContacts")
    unsubscribed: list[Any] = Field(default=[], alias="unsubscribeContacts")
    total_invalid: int = Field(default=0, alias="totalInvalidContact")
    total_unsubscribed: int = Field(default=0, alias="totalUnsubscribeContact")


class UsageItem(BaseModel):
    name: str = Field(alias="_id")
    total: int
    credits: Decimal = Field(alias="totalCreditAmount")


class UsagePage(BaseModel):
    items: list[UsageItem]


def mobile(number: str) -> str | None:
    """An Australian mobile number in E.164, from any of the four documented forms; None for all others."""
    found = re.fullmatch(r"(?:\+?61|0)?(4\d{8})", number, re.ASCII)
    return f"+61{found[1]}" if found else None


def message(body: str) -> str:
    """Their line breaks; and what would be replaced by a contact's field is told apart by a space."""
    return "\r\n".join(body.splitlines()).replace("{{[", "{ {[")


def moment(at: datetime) -> str:
    """The schedule's form: UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def body(text: Text, numbers: Iterable[str]) -> dict[str, Any]:
    """What to send. The custom string finds a text again in the vendor's own report."""
    wanted: dict[str, Any] = {
        "message": message(text.body),
        "contacts": list(numbers),
        "customString": f"numlet-{text.contacts[0].id}",
    }
    if text.sender_id:
        wanted["sender"] = text.sender_id
    if text.opt_out:
        wanted["replyStopToOptOut"] = True
    if text.send_at:
        wanted["scheduleAt"] = moment(text.send_at)
    return wanted


def receipts(batch: Batch, contacts: Iterable[Contact]) -> Iterator[Receipt]:
    """One for each contact, by its number; the vendor does not promise to keep their order."""
    refs = {mobile(one.number): one.message_id for one in batch.queued if one.result == _QUEUED}
    invalid, unsubscribed = set(_mobiles_in(batch.invalid)), set(_mobiles_in(batch.unsubscribed))
    contacts = tuple(contacts)
    asked = {number for contact in contacts if (number := mobile(contact.phone_number))}
    rest = asked - refs.keys() - invalid - unsubscribed
    otherwise = _of_unnamed(batch, len(rest), invalid=len(invalid), unsubscribed=len(unsubscribed))
    for contact in contacts:
        number = mobile(contact.phone_number)
        if number is None or number in invalid:
            yield Receipt(contact, Outcome.INVALID)
        elif number in unsubscribed:
            yield Receipt(contact, Outcome.UNSUBSCRIBED)
        elif number in refs:
            yield Receipt(contact, Outcome.ACCEPTED, refs[number])
        else:
            yield Receipt(contact, otherwise)


def _of_unnamed(batch: Batch, count: int, *, invalid: int, unsubscribed: int) -> Outcome:
    """What became of contacts that are not named: the totals tell where they are all of one kind."""
    missing = (batch.total_invalid - invalid, batch.total_unsubscribed - unsubscribed)
    return {(count, 0): Outcome.INVALID, (0, count): Outcome.UNSUBSCRIBED}.get(missing, Outcome.UNKNOWN)


def _mobiles_in(value: Any) -> Iterator[str]:
    """Every number in there, whatever it is wrapped in."""
    if isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _mobiles_in(part)
    elif isinstance(value, str | int) and (number := mobile(str(value))):
        yield number


def usage(page: UsagePage) -> list[Usage]:
    return [Usage(item.name, item.total, item.credits) for item in page.items]
