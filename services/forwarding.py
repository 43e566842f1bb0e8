"""Codes that go to their renter's own phone as well, by SMS and at their cost.

The chat is never kept waiting: with the code goes a promise of its own, which is kept in another lane. The
price is held in the commit that promises the text, taken when a sender has it or may have it, and given
back when certainly none has.
"""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import phones
from db import sms as db_sms
from db.models import Order, OutboxMessage, Service, Sms, TextMessage, TextStatus
from db.session import Database
from services import ledger
from services.announcer import Announcer
from services.clock import Clock
from services.errors import InsufficientFunds
from services.outbox import SENDER, Effect, Outbox
from services.phones import PhoneBook, Wish
from services.senders.parts import count_parts
from services.texting import ALARM, CHECK, NEWS, Draft, Listener, Texting
from services.texting import FORWARD as PURPOSE

FORWARD = "forward"
WORTH = timedelta(minutes=10)
"""An older code is not forwarded."""
LONGEST_TEXT = 300
"""Characters of an SMS without a code that the supplier has found in it."""


class Forwarding:
    """`promise` in the transaction that writes a code down; `forward` is the outbox's worker."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        outbox: Outbox,
        texting: Texting,
        phones: PhoneBook,
        announcer: Announcer,
        *,
        price: int | None,
        currency: str,
    ) -> None:
        """`price`: minor units of `currency` for each part of an SMS; None: not offered."""
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._texting = texting
        self._phones = phones
        self._announcer = announcer
        self.price = price
        self._currency = currency

    async def switch(self, user_id: int, *, on: bool) -> None:
        """Raises InsufficientFunds where the wallet does not hold the price of one part, PhoneStopped."""
        if on and self.price is not None:
            async with self._database.write() as session:
                available = await ledger.available(session, user_id)
            if available < self.price:
                raise InsufficientFunds(needed=self.price, available=available, currency=self._currency)
        await self._phones.wish(user_id, Wish.CODES, on=on)

    async def promise(self, session: AsyncSession, user_id: int, sms_id: int) -> None:
        """A code came: it is to be forwarded, if its renter wishes that."""
        if self.price is None:
            return
        phone = await phones.find(session, user_id)
        if phone and phone.forwards_codes:
            await self._outbox.add(
                session,
                FORWARD,
                {"sms_id": sms_id},
                lane=SENDER,
                serial=f"{FORWARD}:{user_id}",
                key=f"{FORWARD}:{sms_id}",
            )

    async def forward(self, message: OutboxMessage) -> Effect | None:
        """Promise the text, and hold its price, in the commit that ends this message."""
        async with self._database.read() as session:
            sms, order, _, service, _ = await db_sms.get_arrival(session, message.payload["sms_id"])
        now = self._clock.now()
        expires_at = min(sms.received_at, now) + WORTH
        if self.price is None or expires_at <= now or not (sms.code or sms.text):
            return None
        body = words(sms, order, service)

        async def promised(session: AsyncSession) -> None:
            await self._promise_text(session, order.user_id, sms.id or 0, body, expires_at)

        return promised

    async def _promise_text(
        self, session: AsyncSession, user_id: int, sms_id: int, body: str, expires_at: datetime
    ) -> None:
        assert self.price is not None
        charge = self.price * count_parts(body)
        # Texts, then money, then phones: whoever locks more than one does so in this order.
        available = await ledger.available(session, user_id)
        phone = await phones.lock(session, user_id)
        if phone is None or not phone.forwards_codes:
            return
        if available < charge:
            await phones.change(session, user_id, **{Wish.CODES: False})
            await self._announcer.notice(session, user_id, "forwarding_unpaid", str(sms_id))
            return
        draft = Draft(f"{FORWARD}:{sms_id}", phone.phone_number, user_id)
        for text_id in await self._texting.add(
            session, body, [draft], purpose=PURPOSE, charge=charge, expires_at=expires_at
        ):
            await ledger.hold_for_text(
                session, user_id, text_id, charge, currency=self._currency, now=self._clock.now()
            )

    async def hear_of_text(self, session: AsyncSession, text: TextMessage) -> None:
        """How a forwarded code fares settles its price."""
        assert text.id
        assert text.user_id
        assert text.charge
        now = self._clock.now()
        if text.status in (TextStatus.ACCEPTED, TextStatus.UNKNOWN):
            await ledger.capture_text(session, text.id, text.charge, currency=self._currency, now=now)
        elif text.status == TextStatus.FAILED:
            await ledger.release_text(
                session, text.user_id, text.id, text.charge, currency=self._currency, now=now
            )
        await self._phones.hear_of_text(session, text)


def listeners(phones: PhoneBook, forwarding: Forwarding) -> dict[str, Listener]:
    """Who hears how texts fare, by what they are for."""
    return {
        PURPOSE: forwarding.hear_of_text,
        CHECK: phones.hear_of_check,
        NEWS: phones.hear_of_text,
        ALARM: phones.hear_of_text,
    }


def words(sms: Sms, order: Order, service: Service) -> str:
    """In no language, and short: "WhatsApp 7890: 482913". The digits tell one rented number from another."""
    number = (order.phone_number or "")[-4:]
    return f"{service.name} {number}: {sms.code or (sms.text or '')[:LONGEST_TEXT]}"
