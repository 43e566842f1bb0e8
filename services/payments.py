"""What was paid with Telegram Stars: credited once, and spent at once where it was for one number."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db import invoices, payments, users
from db import orders as db_orders
from db.models import Invoice, InvoicePurpose, Payment
from db.session import Database
from services import ledger
from services.announcer import Announcer
from services.clock import Clock
from services.errors import (
    CustomerError,
    InsufficientFunds,
    InvoiceRefused,
    LimitReached,
    OutOfStock,
    PaymentNotFound,
    PriceChanged,
)
from services.invoices import intent_of
from services.orders import Intent, Orders
from services.refunds import STARS, Refunds

_WHY: dict[type[CustomerError], str] = {
    OutOfStock: "out_of_stock",
    PriceChanged: "price_changed",
    LimitReached: "limit",
    InvoiceRefused: "bought_already",
    InsufficientFunds: "debt",
}


@dataclass(frozen=True, slots=True)
class StarPayment:
    """A charge, as Telegram tells of it."""

    charge_id: str
    payload: str
    user_id: int
    """Who paid, whoever the invoice was for."""
    stars: int
    paid_at: datetime
    """Aware UTC."""


class Payments:
    """The way in for Stars. What goes back is `Refunds`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        orders: Orders,
        refunds: Refunds,
        announcer: Announcer,
        *,
        currency: str,
        rate: int,
    ) -> None:
        """`rate`: as for `Invoices`."""
        self._database = database
        self._clock = clock
        self._orders = orders
        self._refunds = refunds
        self._announcer = announcer
        self._currency = currency
        self._rate = rate

    async def record(self, paid: StarPayment) -> bool:
        """The Stars are ours: credit who paid, and buy what they paid for, in one commit.

        False, and nothing changed, for a charge that is known. The payer is credited even where the
        invoice was not theirs, is paid already or is gone; a purchase that cannot be made is paid back.
        """
        async with self._database.write() as session:
            now = self._clock.now()
            await users.ensure(session, paid.user_id, now=now)
            await users.lock(session, paid.user_id)
            if await payments.find_charge(session, paid.charge_id):
                return False
            invoice = await self._settle_invoice(session, paid)
            payment = await payments.add(
                session,
                charge_id=paid.charge_id,
                invoice_id=invoice and invoice.id,
                user_id=paid.user_id,
                stars=paid.stars,
                amount=invoice.amount if invoice else self._worth(paid.stars),
                currency=self._currency,
                paid_at=paid.paid_at,
            )
            key = f"payment:{payment.id}"
            await ledger.top_up(
                session, paid.user_id, payment.amount, currency=self._currency, by=STARS, key=key, now=now
            )
            if invoice and invoice.purpose == InvoicePurpose.PURCHASE:
                await self._buy(session, payment, intent_of(invoice))
            else:
                settled = await ledger.settled_by(session, key)
                await self._announcer.payment(session, payment.id or 0, "credited", settled=settled)
            return True

    async def get(self, payment_id: int) -> Payment:
        """Raises PaymentNotFound."""
        async with self._database.read() as session:
            payment = await payments.find(session, payment_id)
        if payment is None:
            raise PaymentNotFound
        return payment

    async def of_user(self, user_id: int, *, limit: int, offset: int = 0) -> list[Payment]:
        """Newest first."""
        async with self._database.read() as session:
            return await payments.of_user(session, user_id, limit=limit, offset=offset)

    def _worth(self, stars: int) -> int:
        """What Stars buy; never nothing, so that no payment is lost where none is offered any more."""
        return stars * max(1, self._rate)

    async def _settle_invoice(self, session: AsyncSession, paid: StarPayment) -> Invoice | None:
        """The invoice that this pays; None where it cannot be that."""
        invoice = await invoices.find(session, paid.payload)
        if invoice is None or (invoice.user_id, invoice.stars) != (paid.user_id, paid.stars):
            return None
        return invoice if await invoices.mark_paid(session, invoice.id or 0, now=paid.paid_at) else None

    async def _buy(self, session: AsyncSession, payment: Payment, intent: Intent) -> None:
        """Make the purchase, or decide in the same commit that the Stars go back."""
        try:
            if await db_orders.find_purchase(session, payment.user_id, intent.key):
                raise InvoiceRefused("paid")
            async with session.begin_nested():
                purchase_id = await self._orders.place_within(
                    session, payment.user_id, intent, stars=payment.stars
                )
        except CustomerError as error:
            await self._refunds.begin(session, payment, reason=_WHY.get(type(error), "refused"))
            await self._announcer.payment(session, payment.id or 0, "refused")
        else:
            await payments.set_purchase(session, payment.id or 0, purchase_id)
