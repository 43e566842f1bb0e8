"""Cellcast, a sender of SMS to Australia, as its API documentation describes it."""

from __future__ import annotations

from sandbox.cellcast.account import NAME, SHARED, Account
from sandbox.cellcast.api import Api
from sandbox.clock import Agenda, Clock
from sandbox.phones import Phones
from sandbox.trouble import Trouble

__all__ = ["SHARED", "Cellcast"]


class Cellcast(Account):
    """The vendor put together: one customer's account, and the API over it."""

    name = NAME
    switches: tuple[tuple[str, str, str], ...] = (("out_of_credit", "Out of credit", "Nothing can be sent"),)

    def __init__(
        self,
        clock: Clock,
        phones: Phones,
        *,
        token: str = "sandbox-cellcast-token",
        credit: int = 1000,
    ) -> None:
        super().__init__(Agenda(clock), Trouble(), phones, credit=credit)
        self.token = token
        self.app = Api(self, token=token).app

    @property
    def facts(self) -> list[str]:
        return [f"{self.credit_tenths / 10:g} credits"]

    async def tick(self) -> None:
        """Send what was scheduled for an earlier moment."""
        self.agenda.run_due()

    async def run(self) -> None:
        """Let everything happen at its time, until cancelled."""
        await self.agenda.run()
