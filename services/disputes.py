"""Problems with orders: reported by the renter, decided once by an operator."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import disputes, orders, payments, users
from db import ledger as db_ledger
from db.models import Dispute, DisputeStatus, Order, OrderStatus, Purchase
from db.session import Database
from services import acts, ledger
from services.acts import What
from services.announcer import Announcer
from services.clock import Clock
from services.errors import DisputeNotFound, NotPossible, OrderNotFound
from services.outbox import SUPPORT, Outbox
from services.refunds import DISPUTE, STARS, Refunds
from services.support import Support, series

CASE, VERDICT = "case", "verdict"
"""Words of the outbox: show operators a dispute as it stands; tell the renter what was decided."""
REASONS = ("no_code", "wrong_code", "used", "other")
ANSWERS = ("delivered", "nothing", "terms")
"""Ready reasons for a rejection: the code was delivered, we find nothing wrong, it broke the terms."""
TEXT_LIMIT, ANSWER_LIMIT = 500, 500
_PAID = (OrderStatus.RECEIVED, OrderStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Case:
    """A dispute with the order that it is about."""

    dispute: Dispute
    order: Order
    purchase: Purchase

    @property
    def can_refund(self) -> bool:
        """Whether money was taken that can go back."""
        return self.order.status in _PAID or self.order.late_paid_at is not None

    @property
    def stars(self) -> int | None:
        """What was paid in Stars for it; a code that came late is paid from the wallet."""
        return None if self.order.late_paid_at else self.purchase.stars


class Disputes:
    """`open → refunded | rejected`, by compare-and-set."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        outbox: Outbox,
        announcer: Announcer,
        refunds: Refunds,
        support: Support,
        *,
        within: timedelta,
    ) -> None:
        """`within`: how long after it was bought an order can be complained about."""
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._announcer = announcer
        self._refunds = refunds
        self._support = support
        self._within = within

    async def check(self, user_id: int, order_id: int) -> Dispute | None:
        """What was reported about an order before. Raises OrderNotFound; NotPossible while there can be no
        problem yet, and where it is too long ago."""
        async with self._database.read() as session:
            order = await orders.find(session, order_id)
            known = await disputes.of_orders(session, [order_id])
        if order is None or order.user_id != user_id:
            raise OrderNotFound
        if not known:
            self._check_time(order)
        return known[0] if known else None

    def _check_time(self, order: Order) -> None:
        if order.status != OrderStatus.RECEIVED and order.ended_at is None:
            raise NotPossible("dispute", status="open")
        if self._clock.now() - order.created_at > self._within:
            raise NotPossible("dispute", status="too_old")

    async def report(self, user_id: int, order_id: int, reason: str, *, text: str | None = None) -> Dispute:
        """Tell the operators; said again, it changes nothing. Raises as `check`."""
        assert reason in REASONS
        chats = await self._support.chats()
        async with self._database.write() as session:
            await users.lock(session, user_id)
            order = await orders.find(session, order_id)
            if order is None or order.user_id != user_id:
                raise OrderNotFound
            known = await disputes.of_orders(session, [order_id])
            if known:
                return known[0]
            self._check_time(order)
            dispute_id = await disputes.add(
                session,
                order_id=order_id,
                user_id=user_id,
                reason=reason,
                text=text and text[:TEXT_LIMIT],
                created_at=self._clock.now(),
            )
            assert dispute_id is not None
            for chat_id in chats:
                await self.show(session, dispute_id, user_id, chat_id)
            await self._announcer.card(session, order.purchase_id)
            found = await disputes.find(session, dispute_id)
            assert found
            return found

    async def get(self, dispute_id: int) -> Case:
        """Raises DisputeNotFound."""
        async with self._database.read() as session:
            return await self._case(session, await disputes.find(session, dispute_id))

    async def open_ones(self, *, limit: int, offset: int = 0) -> list[Dispute]:
        """What waits for a decision, the longest first."""
        async with self._database.read() as session:
            return await disputes.open_ones(session, limit=limit, offset=offset)

    async def refund(self, dispute_id: int, *, by: int) -> None:
        """Give the renter back what the order cost: to the wallet, or as Stars where those paid for it.

        Raises DisputeNotFound; NotPossible where it is decided, or nothing was paid.
        """
        async with self._database.write() as session:
            case = await self._lock(session, dispute_id)
            if not case.can_refund:
                raise NotPossible("refund", status="unpaid")
            await self._decide(session, case, DisputeStatus.REFUNDED, by=by)
            await self._give_back(session, case, by=by)
            facts = {"amount": case.purchase.price}
            await self._record(session, What.ORDER_REFUND, case, by=by, **facts)

    async def _give_back(self, session: AsyncSession, case: Case, *, by: int) -> None:
        """The price comes back from revenue. Where Stars paid, it leaves the wallet again with them."""
        order, purchase = case.order, case.purchase
        payment = await payments.find_of_purchase(session, purchase.id or 0) if case.stars else None
        if payment:
            # All that is moved below, in the order in which everybody takes these.
            await db_ledger.lock(
                session, ledger.gateway(STARS), ledger.REVENUE, ledger.wallet(purchase.user_id)
            )
        await ledger.refund(
            session,
            purchase.user_id,
            order.id or 0,
            purchase.price,
            currency=purchase.currency,
            now=self._clock.now(),
        )
        if payment:
            await self._refunds.begin(session, payment, reason=DISPUTE, by=by)

    async def reject(
        self, dispute_id: int, *, by: int, answer: str | None = None, text: str | None = None
    ) -> None:
        """The money stays. `answer`: one of `ANSWERS`, or else `text`, the operator's own words.

        Raises DisputeNotFound; NotPossible where it is decided.
        """
        assert (answer in ANSWERS) != bool(text)
        text = text and text[:ANSWER_LIMIT]
        async with self._database.write() as session:
            case = await self._lock(session, dispute_id)
            await self._decide(session, case, DisputeStatus.REJECTED, by=by, answer=answer, answer_text=text)
            await self._record(session, What.ORDER_REJECT, case, by=by, reason=text or answer)

    async def adopt_card(
        self, dispute_id: int, chat_id: int, message_id: int, *, asks_words_of: int | None = None
    ) -> None:
        """From now on this message is the dispute's card in this chat.

        `asks_words_of`: the operator whose reply to it is the reason for a rejection.
        """
        async with self._database.write() as session:
            await disputes.put_card(session, dispute_id, chat_id, message_id)
            await disputes.ask_words(session, dispute_id, chat_id, asks_words_of)

    async def asked(self, chat_id: int, message_id: int, operator_id: int) -> int | None:
        """The dispute whose card this is, where it waits for this operator's words."""
        async with self._database.read() as session:
            card = await disputes.find_by_card(session, chat_id, message_id)
        return card.dispute_id if card and card.asks_words_of == operator_id else None

    async def renter_behind(self, chat_id: int, message_id: int) -> int | None:
        """Whose dispute a card shows; None for what is no card."""
        async with self._database.read() as session:
            card = await disputes.find_by_card(session, chat_id, message_id)
            dispute = await disputes.find(session, card.dispute_id) if card else None
        return dispute.user_id if dispute else None

    async def card_in(self, dispute_id: int, chat_id: int) -> int | None:
        """The message that shows it in a chat."""
        async with self._database.read() as session:
            card = await disputes.find_card(session, dispute_id, chat_id)
        return card.message_id if card else None

    async def put_card(self, session: AsyncSession, dispute_id: int, chat_id: int, message_id: int) -> None:
        """In the caller's transaction."""
        await disputes.put_card(session, dispute_id, chat_id, message_id)

    async def show(self, session: AsyncSession, dispute_id: int, user_id: int, chat_id: int) -> None:
        """Promise to draw it for operators, as it stands then; in the caller's transaction."""
        await self._outbox.add(
            session,
            CASE,
            {"dispute_id": dispute_id, "chat_id": chat_id},
            lane=SUPPORT,
            serial=series(user_id, chat_id),
            key=f"{CASE}:{dispute_id}:{chat_id}:{secrets.token_hex(4)}",
        )

    async def _lock(self, session: AsyncSession, dispute_id: int) -> Case:
        """The renter's row comes first, as everywhere where Stars may move."""
        found = await disputes.find(session, dispute_id)
        if found is None:
            raise DisputeNotFound
        await users.lock(session, found.user_id)
        return await self._case(session, found)

    async def _case(self, session: AsyncSession, dispute: Dispute | None) -> Case:
        if dispute is None:
            raise DisputeNotFound
        order = await orders.find(session, dispute.order_id)
        assert order
        return Case(dispute, order, await orders.get_purchase(session, order.purchase_id))

    async def _decide(
        self,
        session: AsyncSession,
        case: Case,
        to: DisputeStatus,
        *,
        by: int,
        answer: str | None = None,
        answer_text: str | None = None,
    ) -> None:
        dispute = case.dispute
        dispute_id = dispute.id or 0
        decided = await disputes.decide(
            session,
            dispute_id,
            to,
            decided_at=self._clock.now(),
            decided_by=by,
            answer=answer,
            answer_text=answer_text,
        )
        if not decided:
            raise NotPossible("decide", status="decided")
        for card in await disputes.cards(session, dispute_id):
            await self.show(session, dispute_id, dispute.user_id, card.chat_id)
        await self._announcer.card(session, case.purchase.id or 0)
        await self._outbox.add(
            session,
            VERDICT,
            {"dispute_id": dispute_id},
            lane=SUPPORT,
            serial=series(dispute.user_id, dispute.user_id),
            key=f"{VERDICT}:{dispute_id}",
        )

    async def _record(
        self, session: AsyncSession, what: What, case: Case, *, by: int, **facts: int | str | None
    ) -> None:
        now: datetime = self._clock.now()
        subject = str(case.order.id)
        await acts.record(
            session, what, by=by, now=now, user_id=case.purchase.user_id, subject=subject, after=facts
        )
