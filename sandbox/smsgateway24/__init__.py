"""smsgateway24.com, a sender of SMS through the customer's own phones, as its API v1.0 documentation says."""

from __future__ import annotations

from datetime import timedelta

from sandbox.clock import Agenda, Clock
from sandbox.phones import Phones
from sandbox.smsgateway24.account import Access, Account
from sandbox.smsgateway24.api import Api
from sandbox.smsgateway24.devices import Device, Sim
from sandbox.smsgateway24.fleet import NAME
from sandbox.smsgateway24.messages import Message, Status
from sandbox.trouble import Trouble

__all__ = ["Device", "Message", "Sim", "SmsGateway24", "Status"]


class SmsGateway24(Account):
    """The vendor put together: one customer's account, its phones, and the API over them."""

    name = NAME
    switches: tuple[tuple[str, str, str], ...] = (
        ("phones_off", "Phones off", "Texts wait on the server until they are on again"),
    )
    """Its own kinds of trouble for the page: field, title and note."""

    def __init__(
        self,
        clock: Clock,
        phones: Phones,
        *,
        email: str = "owner@shop.example",
        password: str = "sandbox-smsgateway24-password",
        token_lifetime: timedelta | None = None,
    ) -> None:
        """`phones`: of those who get the texts. Without `token_lifetime` a token is good for ever."""
        access = Access(clock, email=email, password=password, lifetime=token_lifetime)
        super().__init__(Agenda(clock), Trouble(), phones, access)
        self.app = Api(self).app

    @property
    def facts(self) -> list[str]:
        return [
            f"{device.title} ({device.id}): {'on' if self.fleet.is_on(device) else 'off'},"
            f" {', '.join(sim.carrier for sim in device.sims)}"
            for device in self.devices.values()
        ]

    async def tick(self) -> None:
        """Let happen what has fallen due: phones that look, send and report."""
        self.agenda.run_due()

    async def run(self) -> None:
        """Let everything happen at its time, until cancelled."""
        await self.agenda.run()
