"""The port to a sender: what Numlet may ask of anyone who sends SMS.

One file a vendor beside this one turns its HTTP into these shapes and into the errors of
`services.errors`; nothing of a vendor's own vocabulary leaves its file.

`Sender` is what all of them can do. What only some can do is a protocol of its own below it, and a vendor
has it by having its methods: `isinstance(sender, Metered)`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Contact:
    """One person to text."""

    id: int
    """Our own number for this text to this person, never used twice: a vendor that keeps one for us is
    given it, so that the text can be found again."""
    phone_number: str
    """E.164."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same words to one person or to many."""

    body: str
    """Line breaks are `\\n`. Sent as it stands: an adapter disarms what its vendor would replace in it."""
    contacts: tuple[Contact, ...]
    """At most the sender's `contacts_per_call`."""
    sender_id: str | None = None
    """Whom it seems to come from; the vendor's own choice where None, or where there is no choosing."""
    urgent: bool = False
    """Somebody waits for it: before whatever else the vendor has to send."""
    send_at: datetime | None = None
    """Aware UTC; at once where None."""
    opt_out: bool = False
    """Let the receiver stop such texts by answering STOP, where the vendor offers that."""


class Outcome(StrEnum):
    """What the vendor said about one contact. None of them means that a phone has rung."""

    ACCEPTED = "accepted"
    INVALID = "invalid"
    """No number that this vendor can reach: do not try again."""
    UNSUBSCRIBED = "unsubscribed"
    """Has opted out with the vendor: do not try again."""
    REFUSED = "refused"
    """Not taken, and not clear whether that is about the number."""
    UNKNOWN = "unknown"
    """The vendor answered, but not about this contact."""


@dataclass(frozen=True, slots=True)
class Receipt:
    contact: Contact
    outcome: Outcome
    ref: str | None = None
    """The vendor's own id of the message; None where it gave none."""
    reason: str | None = None
    """Why not, in the vendor's own words, where they can hold nothing secret."""


class Delivery(StrEnum):
    """How far an accepted text has come."""

    ACCEPTED = "accepted"
    SENT = "sent"
    """It has left for the network. Where the operator reports nothing, no more is ever known."""
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """A status this program has not heard of: change nothing, look again later."""


@dataclass(frozen=True, slots=True)
class Progress:
    delivery: Delivery
    reason: str | None = None
    """Why it failed, in the vendor's own words, where they can hold nothing secret."""


class Sender(Protocol):
    """Every method that calls the vendor raises `UpstreamError`s and nothing else."""

    name: str
    """Short, lower case, stable: it stands in the database."""
    countries: frozenset[str] | None
    """ISO 3166-1 alpha-2 of the countries that it reaches; None for all."""
    contacts_per_call: int
    heeds_stop: bool
    """Whether answering STOP to a text with `opt_out` ends them: the vendor sees to that itself, or it is
    `Answering`."""

    async def check(self) -> None:
        """A harmless call that only works with good credentials. Raises AccessRefused."""

    async def send(self, text: Text) -> list[Receipt]:
        """Hand a text to the vendor; one receipt for each contact, in the same order.

        Contacts that the vendor cannot reach are refused before the call (INVALID), and there is no call
        where none is left. Raises NoCredit, AccessRefused, UpstreamRefused and UpstreamUnavailable when
        nobody was texted, and UpstreamUnknown when everybody may have been: it must not be repeated then.
        """

    async def aclose(self) -> None:
        """Close the connections."""


@runtime_checkable
class Tracked(Protocol):
    """Tells how an accepted text fared."""

    async def progress(self, ref: str) -> Progress:
        """Of the message with this `Receipt.ref`. Raises UpstreamRefused where there is none."""


@runtime_checkable
class Searchable(Protocol):
    """Can be asked what it has after an answer was lost."""

    async def find_sent(self, text: Text, *, since: datetime) -> list[Receipt]:
        """ACCEPTED receipts of those contacts whose message the vendor has, given at or after `since`.

        A contact that is missing may still turn up: nothing follows from it.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """An SMS that somebody has sent to where our texts come from."""

    ref: str
    phone_number: str | None
    """E.164 of who sent it; None for what is no number, as the name of a company."""
    body: str
    at: datetime | None
    """When it came in, aware UTC; None where the vendor's moment cannot be read."""


@runtime_checkable
class Answering(Protocol):
    """Tells what people answer."""

    async def answers(self, *, since: datetime, after: str | None) -> list[Answer]:
        """What came in at or after `since` and behind the answer with the ref `after`, oldest first."""


@runtime_checkable
class Newsletters(Protocol):
    """Can send a text to many as a newsletter, which the vendor keeps together under a title."""

    async def send_newsletter(self, title: str, text: Text) -> list[Receipt]:
        """As `send`; every call is a newsletter of its own, to these contacts and to nobody else."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used of an account, under one of the vendor's own headings."""

    name: str
    parts: int
    """SMS as networks count them: a long text takes several."""
    credits: Decimal


@runtime_checkable
class Metered(Protocol):
    """Counts what we use."""

    async def usage(self) -> list[Usage]:
        """Since the account began."""


@dataclass(frozen=True, slots=True)
class Sim:
    slot: int
    carrier: str
    phone_number: str | None
    country: str | None
    """ISO 3166-1 alpha-2, upper case."""


@dataclass(frozen=True, slots=True)
class Device:
    """A phone of the operator's own that does the sending."""

    ref: str
    name: str
    sims: tuple[Sim, ...]
    last_seen_at: datetime | None
    """Aware UTC."""


@runtime_checkable
class Phones(Protocol):
    """Sends through phones of the operator's own."""

    async def devices(self) -> list[Device]:
        """All that are registered, whether they are on or not."""


@runtime_checkable
class SenderIds(Protocol):
    """Lets texts come from a number or a name of the operator's own."""

    async def add_number(self, name: str, phone_number: str) -> bool:
        """Register a number under a name; True where it can be used at once, False where the number has
        been sent an OTP for `verify_number`.

        Raises NameRequired, NumberRequired, NumberInvalid, NumberTaken.
        """

    async def verify_number(self, name: str, phone_number: str, *, otp: str) -> None:
        """Prove that a number is ours. Raises NameRequired, NumberRequired, OtpRefused."""

    async def request_name(self, name: str, *, phone_number: str | None = None) -> None:
        """Ask the vendor's people to let us send under a name; they call `phone_number` about it.

        Raises NameRequired, NameInvalid.
        """
