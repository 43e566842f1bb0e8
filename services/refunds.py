"""Stars that go back: decided once, taken out of the wallet at once, returned by a worker.

Everything here holds the payer's row first, then the payment's, then the ledger's locks: so nothing that
moves Stars waits in a circle.
"""

import secrets

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import payments, users
from db.models import Payment, PaymentStatus, Purchase
from db.session import Database
from services import acts, ledger
from services.acts import What
from services.announcer import Announcer
from services.clock import Clock
from services.errors import PaymentNotFound
from services.outbox import SUPPLIER, Outbox

log = structlog.get_logger()

REFUND = "refund"
STARS = "stars"
"""The gateway's name."""
NO_CODE, OPERATOR, STORE, DISPUTE = "no_code", "operator", "store", "dispute"


class Refunds:
    """`paid → refunding → refunded`, by compare-and-set; a refusal by Telegram leads back to `paid`."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox, announcer: Announcer) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._announcer = announcer

    async def begin(
        self, session: AsyncSession, payment: Payment, *, reason: str, by: int | None = None
    ) -> bool:
        """Take the money back and promise the Stars; False where that was decided before.

        What has been spent becomes a debt. The caller holds the payer's row.
        """
        begun = await payments.move(
            session,
            payment.id or 0,
            PaymentStatus.REFUNDING,
            from_=[PaymentStatus.PAID],
            refund_reason=reason,
            refunded_by=by,
        )
        if begun:
            await self._take_back(session, payment)
            await self._outbox.add(
                session,
                REFUND,
                {"payment_id": payment.id},
                # The lane whose messages are never given up.
                lane=SUPPLIER,
                serial=f"refund:{payment.id}",
                key=f"refund:{payment.id}:{secrets.token_hex(4)}",
            )
        return begun

    async def return_for(self, session: AsyncSession, purchase: Purchase) -> None:
        """No code came: the Stars that paid for exactly this go back, unless they have. As `begin`."""
        payment = await payments.find_of_purchase(session, purchase.id or 0)
        if payment:
            await self.begin(session, payment, reason=NO_CODE)

    async def refund(self, payment_id: int, *, by: int) -> bool:
        """An operator gives a payment back; False where that was decided before. Raises PaymentNotFound."""
        async with self._database.write() as session:
            payment = await self._lock(session, payment_id)
            begun = await self.begin(session, payment, reason=OPERATOR, by=by)
            if begun:
                await acts.record(
                    session,
                    What.REFUND,
                    by=by,
                    now=self._clock.now(),
                    user_id=payment.user_id,
                    subject=str(payment_id),
                    after={"stars": payment.stars, "amount": payment.amount},
                )
            return begun

    async def note_refunded(self, charge_id: str) -> None:
        """Telegram says that the Stars went back: because we asked for it, or because its store did."""
        async with self._database.write() as session:
            payment = await payments.find_charge(session, charge_id)
            if payment is None:
                # The reconciliation will learn of the payment first, and then of this.
                log.warning("refund.unknown_charge")
                return
            payment = await self._lock(session, payment.id or 0)
            by_store = await payments.move(
                session,
                payment.id or 0,
                PaymentStatus.REFUNDED,
                from_=[PaymentStatus.PAID],
                refund_reason=STORE,
                refunded_at=self._clock.now(),
            )
            if by_store:
                debt = await self._take_back(session, payment)
                await self._announcer.payment(session, payment.id or 0, "returned")
                await self._announcer.alert(
                    session,
                    "store_refund",
                    str(payment.id),
                    user=payment.user_id,
                    stars=payment.stars,
                    debt=debt,
                    currency=payment.currency,
                )
            else:
                await self.settle(session, payment)

    async def settle(self, session: AsyncSession, payment: Payment) -> None:
        """The Stars are back with who paid them. A replay changes nothing."""
        done = await payments.move(
            session,
            payment.id or 0,
            PaymentStatus.REFUNDED,
            from_=[PaymentStatus.REFUNDING],
            refunded_at=self._clock.now(),
        )
        # Other refunds were told of when they were decided: by the card, or by the refusal.
        if done and payment.refund_reason == OPERATOR:
            await self._announcer.payment(session, payment.id or 0, "returned")

    async def undo(self, session: AsyncSession, payment: Payment, *, error: str) -> None:
        """Telegram refused for good: the money goes back into the wallet. A replay changes nothing."""
        await users.lock(session, payment.user_id)
        undone = await payments.move(
            session,
            payment.id or 0,
            PaymentStatus.PAID,
            from_=[PaymentStatus.REFUNDING],
            refund_reason=None,
            refunded_by=None,
        )
        if undone:
            await ledger.top_up(
                session,
                payment.user_id,
                payment.amount,
                currency=payment.currency,
                by=STARS,
                key=f"payment:{payment.id}:undo:{secrets.token_hex(4)}",
                now=self._clock.now(),
            )
            await self._announcer.payment(session, payment.id or 0, "kept")
            await self._announcer.alert(
                session,
                "refund_refused",
                f"{payment.id}:{secrets.token_hex(4)}",
                payment=payment.id,
                error=error,
            )

    async def _lock(self, session: AsyncSession, payment_id: int) -> Payment:
        payment = await payments.find(session, payment_id)
        if payment is None:
            raise PaymentNotFound
        await users.lock(session, payment.user_id)
        return await payments.find(session, payment_id) or payment

    async def _take_back(self, session: AsyncSession, payment: Payment) -> int:
        return await ledger.take_back(
            session,
            payment.user_id,
            payment.amount,
            currency=payment.currency,
            by=STARS,
            key=f"payment:{payment.id}:{secrets.token_hex(4)}",
            now=self._clock.now(),
        )
