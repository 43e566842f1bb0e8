"""One customer's account: the way in, the messages, and the tags whose contacts newsletters go to.

Source: smsgateway24 API documentation, sections gettoken, addsms, savetag, savecontact and savepaket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

from sandbox.clock import Agenda, Clock
from sandbox.phones import Phones, PhoneSms
from sandbox.smsgateway24.devices import Device, new_devices
from sandbox.smsgateway24.errors import LOGIN_INCORRECT, TOKEN_INCORRECT, ApiError
from sandbox.smsgateway24.fleet import Fleet
from sandbox.smsgateway24.messages import Message, Newsletter, Status
from sandbox.trouble import Trouble


class Access:
    """A login, and one token that belongs to it. How long a token lives is not documented."""

    def __init__(self, clock: Clock, *, email: str, password: str, lifetime: timedelta | None) -> None:
        self.email = email
        self.password = password
        self.lifetime = lifetime
        self._clock = clock
        self._serials = count(1)
        self.expire_token()

    def expire_token(self) -> None:
        self._token = sha256(f"{self.email} {next(self._serials)}".encode()).hexdigest()[:33]
        self._issued_at = self._clock.now()

    @property
    def token(self) -> str:
        """The one that is valid now."""
        if self.lifetime and self._clock.now() >= self._issued_at + self.lifetime:
            self.expire_token()
        return self._token

    def check_token(self, token: str) -> None:
        if token != self.token:
            raise ApiError(TOKEN_INCORRECT)

    def check_login(self, email: str, password: str) -> None:
        if (email, password) != (self.email, self.password):
            raise ApiError(LOGIN_INCORRECT)


@dataclass
class Tag:
    id: int
    title: str
    phones: dict[str, int] = field(default_factory=dict)
    """The contacts' numbers, and their ids."""


@dataclass(frozen=True)
class Draft:
    """An SMS as it is asked for."""

    sendto: str
    body: str
    device_id: int
    sim: int = 0
    customer_id: int | None = None
    urgent: bool = False
    send_at: datetime | None = None
    newsletter: Newsletter | None = None


class Account:
    def __init__(self, agenda: Agenda, trouble: Trouble, phones: Phones, access: Access) -> None:
        self.agenda = agenda
        self.trouble = trouble
        self.access = access
        self.zone = "Europe/Paris"
        """In which its dates are shown."""
        self.devices: dict[int, Device] = {device.id: device for device in new_devices()}
        self.fleet = Fleet(agenda, trouble, phones, self.devices)
        self.messages: dict[int, Message] = {}
        self.tags: dict[int, Tag] = {}
        self._message_ids, self._tag_ids = count(62807347), count(8303)
        self._contact_ids, self._newsletter_ids = count(15954765), count(501)

    def send(self, draft: Draft) -> Message:
        """Put one message on the server. That its phone is off changes nothing."""
        self.check(draft)
        message = self._store(draft, Status.NEW)
        self.fleet.expect(message)
        return message

    def check(self, draft: Draft) -> None:
        if draft.device_id not in self.devices:
            raise ApiError("Device not found")
        if not draft.sendto.strip() or not draft.body:
            raise ApiError("Number or text is empty")

    def receive(self, device_id: int, sender: str, body: str) -> Message:
        """An SMS from outside reaches a phone. Which field bears its sender is not documented."""
        return self._store(Draft(sendto=sender, body=body, device_id=device_id), Status.INCOMING)

    def take_answer(self, sms: PhoneSms, text: str) -> None:
        """It comes in at the phone whose SIM had sent that text."""
        sent_from = (device for device in self.devices.values() if device.has_number(sms.sender))
        if device := next(sent_from, None):
            self.receive(device.id, sms.to, text)

    def _store(self, draft: Draft, status: Status) -> Message:
        message = Message(
            id=next(self._message_ids),
            sendto=draft.sendto.replace(" ", ""),
            body=draft.body,
            device_id=draft.device_id,
            created_at=self.agenda.clock.now(),
            sim=draft.sim,
            customer_id=draft.customer_id,
            urgent=draft.urgent,
            send_at=draft.send_at,
            status=status,
            newsletter=draft.newsletter,
        )
        self.messages[message.id] = message
        return message

    def find(self, message_id: int) -> Message:
        if message_id not in self.messages:
            raise ApiError("Sms not found")
        return self.messages[message_id]

    def see_devices(self) -> None:
        for device in self.devices.values():
            if self.fleet.is_on(device):
                device.seen_at = self.agenda.clock.now()

    def save_tag(self, title: str) -> Tag:
        """What a title leads to that exists already is not documented; here to its tag."""
        known = next((tag for tag in self.tags.values() if tag.title == title), None)
        tag = known or Tag(next(self._tag_ids), title)
        self.tags[tag.id] = tag
        return tag

    def save_contact(self, phone: str, tag_id: int) -> int:
        if tag_id not in self.tags:
            raise ApiError("Tag not found")
        return self.tags[tag_id].phones.setdefault(phone, next(self._contact_ids))

    def save_newsletter(self, title: str, draft: Draft, tag_ids: list[int]) -> Newsletter:
        """One message to each contact of the tags; `draft` names nobody."""
        if not set(tag_ids) <= self.tags.keys():
            raise ApiError("Tag not found")
        letter = Newsletter(next(self._newsletter_ids), title, draft.body)
        phones = {phone: None for tag_id in tag_ids for phone in self.tags[tag_id].phones}
        for phone in phones:
            self.send(
                Draft(phone, draft.body, draft.device_id, draft.sim, send_at=draft.send_at, newsletter=letter)
            )
        return letter
