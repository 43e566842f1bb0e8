"""Numbers and names of the operator's own that texts may come from.

No vendor lists them, so what was registered through us is remembered here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum

from db import settings
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.errors import NumberTaken, UpstreamUnknown
from services.places import mask_phone
from services.senders.base import SenderIds
from services.supply import Senders


class Standing(StrEnum):
    UNVERIFIED = "unverified"
    """A number whose OTP is still to be told, as far as we know."""
    VERIFIED = "verified"
    REQUESTED = "requested"
    """A name: the vendor's people decide, and tell the operator by other ways."""


@dataclass(frozen=True, slots=True)
class OwnId:
    sender_id: str
    """A number in E.164, or a name."""
    standing: Standing
    name: str = ""
    """What a number is called with the vendor, which wants to hear it again with the OTP."""


class SenderIdBook:
    """Registers sender IDs, and remembers them. Raises UpstreamErrors, each documented failure its own."""

    def __init__(self, database: Database, clock: Clock, senders: Senders) -> None:
        self._database = database
        self._clock = clock
        self._senders = senders

    async def of_sender(self, sender: str) -> list[OwnId]:
        async with self._database.read() as session:
            rows = await settings.find_all(session, _key(sender))
        return [_read(sender_id, value) for sender_id, value in sorted(rows.items())]

    async def add_number(self, sender: str, name: str, phone_number: str, *, by: int) -> OwnId:
        """VERIFIED where it can be used at once, else an OTP is on its way to it.

        A number that exists already, or whose answer was lost, is remembered as UNVERIFIED before the error
        goes on: its OTP may have been sent.
        """
        try:
            with self._calling(sender) as vendor:
                usable = await vendor.add_number(name, phone_number)
        except (NumberTaken, UpstreamUnknown):
            await self._remember(sender, OwnId(phone_number, Standing.UNVERIFIED, name), by=by)
            raise
        standing = Standing.VERIFIED if usable else Standing.UNVERIFIED
        return await self._remember(sender, OwnId(phone_number, standing, name), by=by)

    async def verify_number(self, sender: str, name: str, phone_number: str, *, otp: str, by: int) -> OwnId:
        with self._calling(sender) as vendor:
            await vendor.verify_number(name, phone_number, otp=otp)
        return await self._remember(sender, OwnId(phone_number, Standing.VERIFIED, name), by=by)

    async def request_name(self, sender: str, name: str, *, by: int) -> OwnId:
        with self._calling(sender) as vendor:
            await vendor.request_name(name)
        return await self._remember(sender, OwnId(name, Standing.REQUESTED), by=by)

    @contextmanager
    def _calling(self, sender: str) -> Iterator[SenderIds]:
        with self._senders.calling(sender) as vendor:
            assert isinstance(vendor, SenderIds)
            yield vendor

    async def _remember(self, sender: str, own: OwnId, *, by: int) -> OwnId:
        value = {name: part for name, part in asdict(own).items() if name != "sender_id"}
        async with self._database.write() as session:
            key, now = _key(sender) + own.sender_id, self._clock.now()
            await settings.put(session, key, json.dumps(value), now=now)
            after = {"own": _shown(own.sender_id), "standing": own.standing}
            await acts.record(session, What.SENDER_ID, by=by, now=now, subject=sender, after=after)
        return own


def _shown(sender_id: str) -> str:
    return mask_phone(sender_id) if sender_id.startswith("+") else sender_id


def _key(sender: str) -> str:
    return f"own id:{sender}:"


def _read(sender_id: str, value: str) -> OwnId:
    stored = json.loads(value)
    return OwnId(sender_id, Standing(stored["standing"]), stored["name"])
