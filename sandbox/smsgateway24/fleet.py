"""What the phones do by themselves: look at the server, take what waits there, send it, and report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sandbox.clock import Agenda
from sandbox.phones import Phones, PhoneSms
from sandbox.smsgateway24.devices import Device
from sandbox.smsgateway24.messages import Message, Status
from sandbox.trouble import Trouble

NAME = "smsgateway24"
TAKING = SENDING = timedelta(seconds=1)
DELIVERING = timedelta(seconds=2)
"""How long things take is not documented, but for the phones' own delays."""
OFF = timedelta(seconds=10)
"""After how long a phone that was off is looked after again."""

T = TypeVar("T")


class Fleet:
    def __init__(
        self, agenda: Agenda, trouble: Trouble, phones: Phones, devices: Mapping[int, Device]
    ) -> None:
        self.agenda = agenda
        self.trouble = trouble
        self.phones = phones
        self.devices = devices
        self._waiting: dict[int, list[Message]] = defaultdict(list)

    def is_on(self, device: Device) -> bool:
        return device.online and not self.trouble.phones_off

    def expect(self, message: Message) -> None:
        """A message is on the server; its phone sees it when it looks, after the message's time."""
        due = max(self.agenda.clock.now(), message.send_at or message.created_at)
        self.agenda.add(due, partial(self._offer, message, due))

    def _offer(self, message: Message, at: datetime) -> None:
        device = self.devices[message.device_id]
        waiting = self._waiting[device.id]
        waiting.append(message)
        if len(waiting) == 1:
            self._after(at, timedelta(seconds=device.request_delay), self._look, device)

    def _look(self, device: Device, at: datetime) -> None:
        """Take everything that waits, however old, and urgent texts first."""
        if not self.is_on(device):
            self._after(at, OFF, self._look, device)
            return
        device.seen_at = at
        for message in sorted(self._waiting.pop(device.id), key=lambda message: not message.urgent):
            message.status = Status.QUEUED
            begins_at = max(at, device.free_at)
            device.free_at = begins_at + self.agenda.clock.span(timedelta(seconds=device.sms_delay or 0))
            self._after(begins_at, TAKING, self._take, message)

    def _take(self, message: Message, at: datetime) -> None:
        message.status = Status.TAKEN
        self._after(at, SENDING, self._send, message)

    def _send(self, message: Message, at: datetime) -> None:
        device = self.devices[message.device_id]
        if device.failure not in (None, Status.NOT_DELIVERED):
            message.status = Status(device.failure)
            return
        message.status, message.sent_at = Status.SENT, at
        arrives = device.failure is None
        if arrives:
            self.phones.ring(_sms(message, device, at))
        if device.reports_delivery:
            outcome = Status.DELIVERED if arrives else Status.NOT_DELIVERED
            self._after(at, DELIVERING, partial(self._report, outcome), message)

    def _report(self, outcome: Status, message: Message, at: datetime) -> None:
        message.status = outcome

    def _after(self, at: datetime, delay: timedelta, step: Callable[[T, datetime], None], what: T) -> None:
        """Counted from when it should have happened: a clock that jumps leaves nothing behind."""
        due = at + self.agenda.clock.span(delay)
        self.agenda.add(due, partial(step, what, due))


def _sms(message: Message, device: Device, at: datetime) -> PhoneSms:
    sim = next((sim for sim in device.sims if sim.slot == message.sim), device.sims[0])
    return PhoneSms(vendor=NAME, sender=sim.number.strip(), to=message.sendto, text=message.body, at=at)
