"""Everything that is known to have happened to one order, in order of time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from db import attempts, disputes, ledger, orders, outbox, payments, sms
from db.models import Attempt, AttemptStatus, Dispute, DisputeStatus, Order, OrderStatus, Payment, Sms
from db.session import Database
from services.errors import OrderNotFound


class What(StrEnum):
    PLACED = "placed"
    """The renter tapped Buy: `amount` was set aside."""
    STARS_PAID = "stars_paid"
    """`count` Stars came in for exactly this."""
    ASKED = "asked"
    """`supplier` was asked for `count` numbers at `amount` each."""
    REFUSED = "refused"
    """`supplier` sold none, for the reason in `words`."""
    RENTED = "rented"
    """`supplier` gave the number, for `amount`."""
    HEARD = "heard"
    """An SMS became known: `via` webhook or asking, or unknown where that is forgotten."""
    HEARD_LATE = "heard_late"
    """As `HEARD`, after the money had gone back: it is kept from the renter."""
    SHOWN = "shown"
    """Telegram took the message with the code, `after` it became known."""
    PAID = "paid"
    """The first code came: `amount` was taken."""
    LATE_PAID = "late_paid"
    """The renter bought what had come late, for `amount`."""
    RESENT = "resent"
    """Another SMS was asked for, the last of `count` times."""
    CANCEL_ASKED = "cancel_asked"
    ENDED = "ended"
    """In the state `words`."""
    RELEASED = "released"
    """No code came: `amount` went back."""
    STARS_BACK = "stars_back"
    """`count` Stars went back."""
    DISPUTED = "disputed"
    """The renter reported a problem: the reason in `words`."""
    REFUNDED = "refunded"
    """An operator gave `amount` back."""
    REJECTED = "rejected"


_OPERATORS_ONLY = (What.ASKED, What.REFUSED)
_OUR_COSTS = (What.RENTED,)


@dataclass(frozen=True, slots=True)
class Event:
    """`amount`: minor units of the timeline's currency."""

    at: datetime
    what: What
    amount: int = 0
    count: int = 0
    supplier: str = ""
    words: str = ""
    via: str = ""
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Neither numbers nor codes stand in it."""

    order_id: int
    currency: str
    events: tuple[Event, ...]
    """Oldest first."""

    def for_renter(self) -> "Timeline":
        """Without whom we buy from, at what cost, and how we learn of codes."""
        shown = (
            replace(event, supplier="", via="", amount=0 if event.what in _OUR_COSTS else event.amount)
            for event in self.events
            if event.what not in _OPERATORS_ONLY
        )
        return replace(self, events=tuple(shown))


class Timelines:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_order(self, order_id: int) -> Timeline:
        """Raises OrderNotFound."""
        async with self._database.read() as session:
            order = await orders.find(session, order_id)
            if order is None:
                raise OrderNotFound
            purchase = await orders.get_purchase(session, order.purchase_id)
            heard = await sms.of_orders(session, [order_id])
            events = [
                Event(order.created_at, What.PLACED, amount=purchase.price),
                *_attempts(await attempts.of_purchase(session, order.purchase_id)),
                *_order(order),
                *[event for one in heard for event in await _sms(session, one)],
                *await _money(session, order_id),
                *_payment(await payments.find_of_purchase(session, order.purchase_id)),
                *_disputes(await disputes.of_orders(session, [order_id])),
            ]
        # Of what one commit wrote, cause and effect stay in the order above.
        return Timeline(order_id, purchase.currency, tuple(sorted(events, key=lambda event: event.at)))


def _attempts(tried: Sequence[Attempt]) -> Iterator[Event]:
    for attempt in tried:
        yield Event(
            attempt.created_at,
            What.ASKED,
            supplier=attempt.supplier,
            count=attempt.quantity,
            amount=attempt.cost,
        )
        if attempt.ended_at and attempt.status == AttemptStatus.REFUSED:
            yield Event(attempt.ended_at, What.REFUSED, supplier=attempt.supplier, words=attempt.error or "")


def _order(order: Order) -> Iterator[Event]:
    if order.activated_at:
        yield Event(order.activated_at, What.RENTED, supplier=order.supplier or "", amount=order.cost or 0)
    if order.resent_at:
        yield Event(order.resent_at, What.RESENT, count=order.resends)
    if order.cancel_requested_at:
        yield Event(order.cancel_requested_at, What.CANCEL_ASKED)
    if order.ended_at:
        yield Event(order.ended_at, What.ENDED, words=OrderStatus(order.status))


async def _sms(session: AsyncSession, message: Sms) -> list[Event]:
    """The promise to show a code remembers when we heard of it; the supplier's own time is a whole second."""
    if message.late:
        late = [Event(message.received_at, What.HEARD_LATE)]
        return [*late, *([Event(message.shown_at, What.SHOWN)] if message.shown_at else [])]
    promise = await outbox.find(session, f"code:{message.id}")
    told = promise.payload.get("heard_at") if promise else None
    heard_at = datetime.fromisoformat(told) if told else promise.created_at if promise else None
    via = "" if promise is None else "webhook" if told else "asking"
    events = [Event(heard_at or message.received_at, What.HEARD, via=via)]
    if message.shown_at:
        after = message.shown_at - heard_at if heard_at else None
        events.append(Event(message.shown_at, What.SHOWN, after=after))
    return events


_MOVES: Mapping[str, What] = {
    "capture": What.PAID,
    "release": What.RELEASED,
    "refund": What.REFUNDED,
    "late": What.LATE_PAID,
}


async def _money(session: AsyncSession, order_id: int) -> list[Event]:
    keys = (f"order:{order_id}:settle", f"order:{order_id}:late", f"order:{order_id}:refund")
    entries = [await ledger.find_entry(session, key) for key in keys]
    return [Event(entry.created_at, _MOVES[entry.kind], amount=entry.amount) for entry in entries if entry]


def _payment(payment: Payment | None) -> Iterator[Event]:
    if payment:
        yield Event(payment.paid_at, What.STARS_PAID, count=payment.stars)
        if payment.refunded_at:
            yield Event(payment.refunded_at, What.STARS_BACK, count=payment.stars)


def _disputes(found: Sequence[Dispute]) -> Iterator[Event]:
    for dispute in found:
        yield Event(dispute.created_at, What.DISPUTED, words=dispute.reason)
        if dispute.decided_at and dispute.status == DisputeStatus.REJECTED:
            yield Event(dispute.decided_at, What.REJECTED)
