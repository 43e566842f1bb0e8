"""What is offered for Telegram Stars, and whether it may be paid."""

import secrets
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import invoices, payments, users
from db import orders as db_orders
from db.models import Invoice, InvoicePurpose, User
from db.session import Database
from services import ledger
from services.clock import Clock
from services.errors import Banned, InDebt, InvoiceRefused, StarsLimitReached
from services.orders import Intent, Orders

CURRENCY = "XTR"
"""What Telegram calls Stars."""
MOST_STARS = 10_000
"""In one invoice, by Telegram's rules."""
TOPUP_LIFETIME = timedelta(hours=24)
PURCHASE_LIFETIME = timedelta(minutes=15)
NEWCOMER_FOR = timedelta(days=21)
"""After the first payment, as long as Telegram itself keeps Stars locked: the store may take them back."""
DAY = timedelta(days=1)


class Invoices:
    """Offers to the people in the chat, and what Telegram asks before it charges them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        orders: Orders,
        *,
        currency: str,
        rate: int,
        newcomer_limit: int,
    ) -> None:
        """`rate`: minor units of `currency` that one Star buys, zero where nothing is sold for Stars;
        `newcomer_limit`: Stars a day.
        """
        self._database = database
        self._clock = clock
        self._orders = orders
        self._currency = currency
        self.rate = rate
        self._newcomer_limit = newcomer_limit

    def stars_for(self, amount: int) -> int | None:
        """The fewest Stars that buy an amount; None where they cannot."""
        stars = -(-amount // self.rate) if self.rate else MOST_STARS + 1
        return stars if stars <= MOST_STARS else None

    async def allowance(self, user_id: int) -> int | None:
        """How many Stars somebody may pay today; None for those who have paid before."""
        async with self._database.read() as session:
            return await self._allowance(session, user_id)

    async def offer_topup(self, user_id: int, stars: int) -> Invoice:
        """Raises InvoiceRefused, StarsLimitReached."""
        if not (self.rate and 1 <= stars <= MOST_STARS):
            raise InvoiceRefused("too_large")
        async with self._database.write() as session:
            await self._check_allowance(session, user_id, stars)
            return await self._add_invoice(
                session,
                user_id,
                TOPUP_LIFETIME,
                purpose=InvoicePurpose.TOPUP,
                stars=stars,
                amount=stars * self.rate,
            )

    async def offer_purchase(self, user_id: int, intent: Intent) -> Invoice:
        """An invoice for exactly one number; bought when it is paid, and paid back when no code comes.

        Raises InvoiceRefused, StarsLimitReached, InDebt and, but for InsufficientFunds, what `Orders.place`
        raises.
        """
        assert intent.quantity == 1
        stars = self.stars_for(intent.price)
        if stars is None:
            raise InvoiceRefused("too_large")
        async with self._database.write() as session:
            await self._check_allowance(session, user_id, stars)
            await self._check_purchase(session, await users.find(session, user_id), intent)
            return await self._add_invoice(
                session,
                user_id,
                PURCHASE_LIFETIME,
                purpose=InvoicePurpose.PURCHASE,
                stars=stars,
                amount=intent.price,
                intent_key=intent.key,
                service_id=intent.service_id,
                country=intent.country,
                network=intent.network,
            )

    async def check(self, user_id: int, payload: str, *, stars: int, currency: str) -> None:
        """Whether this person may pay this invoice now, by our own record of it. Changes nothing.

        Raises InvoiceRefused, Banned, StarsLimitReached, and for a purchase what `offer_purchase` raises.
        """
        async with self._database.read() as session:
            invoice = await invoices.find(session, payload)
            if invoice is None:
                raise InvoiceRefused("expired")
            if invoice.user_id != user_id:
                raise InvoiceRefused("not_yours")
            if invoice.paid_at:
                raise InvoiceRefused("paid")
            if (invoice.stars, CURRENCY) != (stars, currency):
                raise InvoiceRefused("changed")
            if invoice.expires_at <= self._clock.now():
                raise InvoiceRefused("expired")
            user = await users.find(session, user_id)
            if user is None or user.banned_at:
                raise Banned(user.ban_reason if user else None)
            await self._check_allowance(session, user_id, stars)
            if invoice.purpose == InvoicePurpose.PURCHASE:
                await self._check_purchase(session, user, intent_of(invoice))

    async def _allowance(self, session: AsyncSession, user_id: int) -> int | None:
        now = self._clock.now()
        first_at = await payments.first_paid_at(session, user_id)
        if first_at and now - first_at >= NEWCOMER_FOR:
            return None
        return max(0, self._newcomer_limit - await payments.stars_paid(session, user_id, since=now - DAY))

    async def _check_allowance(self, session: AsyncSession, user_id: int, stars: int) -> None:
        left = await self._allowance(session, user_id)
        if left is not None and stars > left:
            raise StarsLimitReached(limit=self._newcomer_limit, left=left)

    async def _check_purchase(self, session: AsyncSession, user: User | None, intent: Intent) -> None:
        await self._orders.check(session, user, intent)
        assert user
        if await db_orders.find_purchase(session, user.id, intent.key):
            raise InvoiceRefused("paid")
        if debt := await ledger.owed(session, user.id):
            raise InDebt(amount=debt, currency=self._currency)

    async def _add_invoice(
        self, session: AsyncSession, user_id: int, lifetime: timedelta, **terms: object
    ) -> Invoice:
        now = self._clock.now()
        return await invoices.add(
            session,
            user_id=user_id,
            token=secrets.token_urlsafe(18),
            currency=self._currency,
            created_at=now,
            expires_at=now + lifetime,
            **terms,
        )


def intent_of(invoice: Invoice) -> Intent:
    """The tap that a purchase's invoice was made for."""
    assert invoice.intent_key
    assert invoice.service_id
    assert invoice.country
    return Intent(invoice.intent_key, invoice.service_id, invoice.country, 1, invoice.amount, invoice.network)
