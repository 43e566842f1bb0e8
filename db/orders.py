"""Purchases and the orders that they are made of."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import and_, col, false, func, insert, not_, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import among, table
from db.models import OPEN, Invitation, LinkedPhone, Order, OrderStatus, Purchase, Service, User

WAITING = (OrderStatus.ACTIVE, OrderStatus.RECEIVED)
"""With a number that may get a code."""


def _in_state(statuses: Sequence[OrderStatus]) -> ColumnElement[bool]:
    # Written out in the statement: a partial index is only used where its condition can be read there.
    return col(Order.status).in_(
        bindparam("statuses", statuses, expanding=True, literal_execute=True, unique=True)
    )


async def add_purchase(session: AsyncSession, **values: Any) -> Purchase:
    """Whoever adds one holds the renter's lock, and has looked for the key."""
    purchase = Purchase(**values)
    session.add(purchase)
    await session.flush()
    return purchase


async def find_purchase(session: AsyncSession, user_id: int, idempotency_key: str) -> Purchase | None:
    return (
        await session.exec(
            select(Purchase).where(Purchase.user_id == user_id, Purchase.idempotency_key == idempotency_key)
        )
    ).one_or_none()


async def find_purchase_by_id(session: AsyncSession, purchase_id: int) -> Purchase | None:
    return await session.get(Purchase, purchase_id)


async def get_purchase(session: AsyncSession, purchase_id: int) -> Purchase:
    return await session.get_one(Purchase, purchase_id)


async def set_message(session: AsyncSession, purchase_id: int, message_id: int | None) -> None:
    """Remember which message is the purchase's card."""
    await session.exec(update(Purchase).where(col(Purchase.id) == purchase_id).values(message_id=message_id))


async def set_swap_agreed(session: AsyncSession, purchase_id: int, agreed_at: datetime | None) -> None:
    await session.exec(
        update(Purchase).where(col(Purchase.id) == purchase_id).values(swap_agreed_at=agreed_at)
    )


async def set_failure(session: AsyncSession, purchase_id: int, failure: str) -> None:
    await session.exec(update(Purchase).where(col(Purchase.id) == purchase_id).values(failure=failure))


async def add_orders(session: AsyncSession, purchase: Purchase) -> list[int]:
    """One pending order for each number of a purchase; their ids, lowest first."""
    rows = [_pending(purchase, purchase.created_at)] * purchase.quantity
    added = await session.exec(insert(Order).returning(col(Order.id)), params=rows)
    return sorted(order_id for order_id in added.scalars() if order_id)


async def add_order(session: AsyncSession, purchase: Purchase, *, now: datetime) -> int:
    """One more pending order of a purchase; its id."""
    added = await session.exec(insert(Order).returning(col(Order.id)), params=[_pending(purchase, now)])
    return int(added.scalar_one() or 0)


def _pending(purchase: Purchase, created_at: datetime) -> dict[str, Any]:
    return {
        "purchase_id": purchase.id,
        "user_id": purchase.user_id,
        "status": OrderStatus.PENDING,
        "created_at": created_at,
        "resends": 0,
    }


async def count_open(session: AsyncSession, user_id: int) -> int:
    return (await session.exec(select(func.count()).where(Order.user_id == user_id, _in_state(OPEN)))).one()


async def count_bought(session: AsyncSession, user_id: int, *, since: datetime) -> int:
    """How many numbers a renter has asked for since a moment."""
    return (
        await session.exec(
            select(func.coalesce(func.sum(Purchase.quantity), 0)).where(
                Purchase.user_id == user_id, Purchase.created_at > since
            )
        )
    ).one()


async def find(session: AsyncSession, order_id: int) -> Order | None:
    return await session.get(Order, order_id, populate_existing=True)


async def lock(session: AsyncSession, order_id: int) -> Order | None:
    """As `find`; and nobody else changes the order before this transaction ends."""
    return await session.get(Order, order_id, populate_existing=True, with_for_update=True)


async def lock_with_purchase(session: AsyncSession, order_id: int) -> tuple[Order, Purchase] | None:
    """An order that nobody else changes before this transaction ends."""
    return await _one_with_purchase(session, col(Order.id) == order_id)


class Rented(NamedTuple):
    """An order and whatever decides what follows from its code."""

    order: Order
    purchase: Purchase
    service: Service
    renter: User
    is_invited: bool
    """Its renter came by somebody's link."""
    forwards_codes: bool
    """Its renter has codes sent to a phone of their own as well."""


async def lock_rented(session: AsyncSession, order_id: int) -> Rented | None:
    """As `lock_with_purchase`, with all that a code needs, in one question: its renter waits."""
    return await _one_rented(session, _RENTED_BY_ID, {"order_id": order_id})


async def lock_rented_by_ref(session: AsyncSession, supplier: str, ref: str) -> Rented | None:
    return await _one_rented(session, _RENTED_BY_REF, {"supplier": supplier, "ref": ref})


async def of_numbers(session: AsyncSession, supplier: str, numbers: Sequence[str]) -> list[Order]:
    """All that a supplier ever sold under these numbers, newest first."""
    rows = await session.exec(
        select(Order)
        .where(col(Order.phone_number).in_(numbers), Order.supplier == supplier)
        .order_by(col(Order.id).desc())
    )
    return list(rows)


async def is_rented_again(session: AsyncSession, order: Order) -> bool:
    """Whether somebody else has had the number of an order since."""
    since = select(Order.id).where(
        Order.phone_number == order.phone_number,
        Order.user_id != order.user_id,
        col(Order.activated_at) > order.activated_at,
    )
    return (await session.exec(since.limit(1))).first() is not None


async def _one_with_purchase(
    session: AsyncSession, *conditions: ColumnElement[bool]
) -> tuple[Order, Purchase] | None:
    found = await session.exec(
        select(Order, Purchase)
        .join(Purchase, col(Purchase.id) == Order.purchase_id)
        .where(*conditions)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


_RENTED = (
    select(  # type: ignore[call-overload]
        Order,
        Purchase,
        Service,
        User,
        col(Invitation.friend_id).is_not(None),
        func.coalesce(LinkedPhone.forwards_codes, false()),
    )
    .join(Purchase, col(Purchase.id) == Order.purchase_id)
    .join(Service, col(Service.id) == Purchase.service_id)
    .join(User, col(User.id) == Order.user_id)
    .outerjoin(Invitation, col(Invitation.friend_id) == Order.user_id)
    .outerjoin(LinkedPhone, col(LinkedPhone.user_id) == Order.user_id)
    .with_for_update(of=Order)
    .execution_options(populate_existing=True)
)
_RENTED_BY_ID = _RENTED.where(col(Order.id) == bindparam("order_id"))
_RENTED_BY_REF = _RENTED.where(
    col(Order.supplier) == bindparam("supplier"), col(Order.supplier_ref) == bindparam("ref")
)


async def _one_rented(session: AsyncSession, question: Any, params: dict[str, Any]) -> Rented | None:
    found = (await session.exec(question, params=params)).one_or_none()
    return Rented(*found) if found else None


async def known_refs(session: AsyncSession, supplier: str, refs: Collection[str]) -> set[str]:
    """Which of a supplier's orders are ours already."""
    rows = await session.exec(
        select(Order.supplier_ref).where(
            Order.supplier == supplier, among(session, col(Order.supplier_ref), refs)
        )
    )
    return {ref for ref in rows if ref}


async def of_purchase(session: AsyncSession, purchase_id: int) -> list[Order]:
    return list(
        await session.exec(select(Order).where(Order.purchase_id == purchase_id).order_by(col(Order.id)))
    )


async def pending_of(session: AsyncSession, purchase_id: int) -> list[Order]:
    return list(
        await session.exec(
            select(Order)
            .where(Order.purchase_id == purchase_id, Order.status == OrderStatus.PENDING)
            .order_by(col(Order.id))
        )
    )


_ORDER = table(Order)
_CHANGE = update(_ORDER).where(_ORDER.c.id == bindparam("order_id"))
_MOVE = _CHANGE.where(_ORDER.c.status.in_(bindparam("from_", expanding=True)))


async def move(
    session: AsyncSession,
    order_id: int,
    to: OrderStatus,
    *,
    from_: Sequence[OrderStatus],
    **values: Any,
) -> bool:
    """Compare-and-set: False, and nothing changed, where the order is in none of the states `from_`."""
    move = {"order_id": order_id, "from_": from_, "status": to, **values}
    return bool((await session.exec(_MOVE, params=move)).rowcount)


async def change(session: AsyncSession, order_id: int, **values: Any) -> None:
    """Change anything but the state."""
    await session.exec(_CHANGE, params={"order_id": order_id, **values})


_DUE = (
    select(Order)
    .where(_in_state(WAITING), col(Order.check_at) <= bindparam("now"))
    .order_by(col(Order.check_at))
    .limit(bindparam("most"))
)
_NEXT_CHECK = select(func.min(Order.check_at)).where(_in_state(WAITING))


async def due(session: AsyncSession, *, now: datetime, limit: int) -> list[Order]:
    """Orders whose time is up, the longest overdue first."""
    return list(await session.exec(_DUE, params={"now": now, "most": limit}))


async def next_check(session: AsyncSession) -> datetime | None:
    """When the next order's time is up."""
    return (await session.exec(_NEXT_CHECK)).one()


async def waiting_refs(
    session: AsyncSession, supplier: str, *, since: datetime | None, at_a_time: int
) -> AsyncIterator[list[str]]:
    """A supplier's references of orders that wait for codes; `since`: that have done so since a moment."""
    # Columns, not objects, and in parts: there may be a hundred thousand.
    statement = (
        select(Order.supplier, Order.supplier_ref)
        .where(_in_state(WAITING))
        .execution_options(yield_per=at_a_time)
    )
    if since is not None:
        statement = statement.where(col(Order.activated_at) >= since)
    # Suppliers are told apart here: SQLite would rather go through all that one ever sold.
    async for rows in (await session.stream(statement)).partitions():
        yield [ref for seller, ref in rows if seller == supplier and ref]


async def waiting_of_refs(session: AsyncSession, supplier: str, refs: Sequence[str]) -> list[Order]:
    """Of a supplier's orders those that wait for codes."""
    rows = await session.exec(
        select(Order).where(
            Order.supplier == supplier,
            among(session, col(Order.supplier_ref), refs),
            col(Order.status).in_(WAITING),
        )
    )
    return list(rows)


async def spent_since(session: AsyncSession, supplier: str, *, since: datetime) -> int:
    """What a supplier took for numbers rented since a moment, and has not given back; our minor units."""
    spent = select(func.coalesce(func.sum(Order.cost), 0)).where(
        Order.supplier == supplier,
        col(Order.activated_at) >= since,
        col(Order.status).in_((*WAITING, OrderStatus.COMPLETED)),
    )
    return int((await session.exec(spent)).one() or 0)


async def of_user(
    session: AsyncSession,
    user_id: int,
    *,
    open_only: bool,
    limit: int,
    offset: int,
    with_code: bool | None = None,
    service_id: int | None = None,
) -> list[tuple[Order, Purchase]]:
    """A renter's orders with their purchases, newest first.

    `with_code`: only those that got one, or only those that ended without. `service_id`: only those for it.
    """
    statement = (
        select(Order, Purchase)
        .join(Purchase, col(Purchase.id) == Order.purchase_id)
        .where(Order.user_id == user_id)
        .order_by(col(Order.id).desc())
        .limit(limit)
        .offset(offset)
    )
    if open_only:
        statement = statement.where(_in_state(OPEN))
    if with_code is not None:
        paid = col(Order.status).in_((OrderStatus.RECEIVED, OrderStatus.COMPLETED))
        got_one = or_(paid, col(Order.late_paid_at).is_not(None))
        ended_without = and_(col(Order.ended_at).is_not(None), not_(got_one))
        statement = statement.where(got_one if with_code else ended_without)
    if service_id is not None:
        statement = statement.where(Purchase.service_id == service_id)
    return [(order, purchase) for order, purchase in await session.exec(statement)]


async def services_of(session: AsyncSession, user_id: int) -> list[Service]:
    """What a renter has ever ordered numbers for, by name."""
    ordered = select(Purchase.service_id).where(Purchase.user_id == user_id)
    rows = await session.exec(
        select(Service).where(col(Service.id).in_(ordered)).order_by(func.lower(Service.name))
    )
    return list(rows)


async def last_bought(
    session: AsyncSession, user_id: int, *, limit: int
) -> list[tuple[int, str, str | None]]:
    """Service, country and network of a renter's last purchases, newest first."""
    rows = await session.exec(
        select(Purchase.service_id, Purchase.country, Purchase.network)
        .where(Purchase.user_id == user_id)
        .order_by(col(Purchase.created_at).desc())
        .limit(limit)
    )
    return list(rows)


async def all_after(session: AsyncSession, order_id: int, *, limit: int) -> list[tuple[Order, Purchase, str]]:
    """The next orders of everybody, with their purchase and the name of their service, oldest first."""
    rows = await session.exec(
        select(Order, Purchase, Service.name)
        .join(Purchase, col(Purchase.id) == Order.purchase_id)
        .join(Service, col(Service.id) == Purchase.service_id)
        .where(col(Order.id) > order_id)
        .order_by(col(Order.id))
        .limit(limit)
    )
    return [(order, purchase, service) for order, purchase, service in rows]


async def closed_ids(session: AsyncSession, user_id: int) -> list[int]:
    """A renter's orders that are over."""
    closed = select(Order.id).where(Order.user_id == user_id, col(Order.ended_at).is_not(None))
    return [order_id for order_id in await session.exec(closed) if order_id]


async def erase_numbers(session: AsyncSession, order_ids: Sequence[int]) -> None:
    """Forget which numbers they were."""
    await session.exec(
        update(Order)
        .where(col(Order.id).in_(order_ids), col(Order.phone_number).is_not(None))
        .values(phone_number="")
        .execution_options(synchronize_session=False)
    )


async def count_by_state(session: AsyncSession) -> dict[tuple[str, str], int]:
    """How many orders are open, by supplier (empty while nobody has sold the number) and state."""
    # Grouped by the bare column, SQLite would rather go through all that was ever sold, in its order.
    seller = func.coalesce(Order.supplier, "").label("seller")
    rows = await session.exec(
        select(seller, Order.status, func.count())
        .where(_in_state(OPEN))
        .group_by("seller", col(Order.status))
    )
    return {(supplier, str(status)): count for supplier, status, count in rows}
