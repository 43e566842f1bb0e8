"""The bot's own account of Stars at Telegram: refunds that were decided, and what never reached us."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from db import settings
from db.models import OutboxMessage, PaymentStatus
from db.session import Database
from services.clock import Clock
from services.errors import UpstreamRefused
from services.outbox import Effect
from services.payments import Payments, StarPayment
from services.refunds import Refunds

log = structlog.get_logger()

PAGE = 100
"""Transactions that Telegram gives at most at once."""


@dataclass(frozen=True, slots=True)
class StarTransaction:
    """One move on the account. `id` is the charge's, for a payment and for its refund."""

    id: str
    stars: int
    at: datetime
    """Aware UTC."""
    is_incoming: bool
    user_id: int | None
    """The other side; None where that is no person."""
    payload: str
    """The invoice's; empty for what was no invoice."""


class StarAccount(Protocol):
    """Raises UpstreamUnavailable for what may work later."""

    name: str

    async def refund(self, user_id: int, charge_id: str) -> None:
        """Give a payment back; one that was given back before counts as done. Raises UpstreamRefused."""

    async def transactions(self, offset: int) -> list[StarTransaction]:
        """The next of all transactions there ever were, oldest first, at most PAGE of them."""


class Stars:
    """A worker of the outbox, and a job."""

    def __init__(
        self, database: Database, clock: Clock, payments: Payments, refunds: Refunds, account: StarAccount
    ) -> None:
        self._database = database
        self._clock = clock
        self._payments = payments
        self._refunds = refunds
        self._account = account

    async def refund(self, message: OutboxMessage) -> Effect | None:
        """Return the Stars. However often this is begun, they go back once. Raises UpstreamUnavailable."""
        payment = await self._payments.get(message.payload["payment_id"])
        if payment.status != PaymentStatus.REFUNDING:
            return None
        try:
            await self._account.refund(payment.user_id, payment.charge_id)
        except UpstreamRefused as error:
            log.error("refund.refused", payment=payment.id, error=str(error))
            return partial(self._refunds.undo, payment=payment, error=str(error))
        return partial(self._refunds.settle, payment=payment)

    async def reconcile(self) -> None:
        """Read what happened on the account since the last time. Raises UpstreamUnavailable."""
        offset, since = await self._position()
        while page := await self._account.transactions(offset):
            for transaction in page:
                # What is older than this shop is not its business.
                if transaction.at >= since:
                    await self._apply(transaction)
            offset += len(page)
            await self._remember(offset)

    async def _apply(self, transaction: StarTransaction) -> None:
        if transaction.user_id is None:
            return
        if not transaction.is_incoming:
            await self._refunds.note_refunded(transaction.id)
        elif transaction.payload and await self._payments.record(
            StarPayment(
                transaction.id, transaction.payload, transaction.user_id, transaction.stars, transaction.at
            )
        ):
            log.warning("stars.payment_found", user=transaction.user_id, stars=transaction.stars)

    async def _position(self) -> tuple[int, datetime]:
        """How many transactions have been read, and when this shop began to read them."""
        now = self._clock.now()
        async with self._database.write() as session:
            offset = await settings.get_or_create(session, self._key("read"), "0", now=now)
            since = await settings.get_or_create(session, self._key("since"), now.isoformat(), now=now)
        # Telegram tells whole seconds.
        return int(offset), datetime.fromisoformat(since).replace(microsecond=0)

    async def _remember(self, offset: int) -> None:
        async with self._database.write() as session:
            await settings.put(session, self._key("read"), str(offset), now=self._clock.now())

    def _key(self, what: str) -> str:
        return f"stars:{self._account.name}:{what}"
