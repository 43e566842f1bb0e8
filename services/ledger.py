"""Money. Every function takes the caller's session and never commits.

Accounts are strings: `wallet:<user>`, `held:<order>`, `revenue`, `gateway:<name>`. One entry is one
positive, immutable move from one account to another, so the sum over all accounts is always zero.
Amounts are minor units of `currency`. A replay of an idempotency key changes nothing.
"""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db import ledger
from services.errors import InsufficientFunds, KeyReused

REVENUE = "revenue"


def wallet(user_id: int) -> str:
    return f"wallet:{user_id}"


def held(order_id: int) -> str:
    return f"held:{order_id}"


def gateway(name: str) -> str:
    """The outside world as seen through one way of paying; owes us what it paid in, so it may be negative."""
    return f"gateway:{name}"


async def move(
    session: AsyncSession,
    source: str,
    destination: str,
    amount: int,
    *,
    currency: str,
    kind: str,
    key: str,
    now: datetime,
    order_id: int | None = None,
    reason: str | None = None,
) -> bool:
    """Make one entry; False where `key` has made it before.

    Raises InsufficientFunds, or KeyReused where the key named a different move.
    """
    await ledger.lock(session, source, destination)
    existing = await ledger.find_entry(session, key)
    if existing:
        if (existing.source, existing.destination, existing.amount) != (source, destination, amount):
            raise KeyReused(key)
        return False
    await _take(session, source, amount, currency)
    await ledger.give(
        session, destination, amount, currency=currency, may_go_below_zero=_is_gateway(destination)
    )
    await ledger.add_entry(
        session,
        source=source,
        destination=destination,
        amount=amount,
        currency=currency,
        kind=kind,
        idempotency_key=key,
        order_id=order_id,
        reason=reason,
        created_at=now,
    )
    return True


async def _take(session: AsyncSession, source: str, amount: int, currency: str) -> None:
    if _is_gateway(source):
        await ledger.open_account(session, source, currency=currency, may_go_below_zero=True)
    if not await ledger.take(session, source, amount):
        available = await ledger.balance(session, source)
        raise InsufficientFunds(needed=amount, available=available, currency=currency)


def _is_gateway(account: str) -> bool:
    return account.startswith("gateway:")


async def top_up(
    session: AsyncSession,
    user_id: int,
    amount: int,
    *,
    currency: str,
    by: str,
    key: str,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Money that came in through the gateway `by` ("operator", "stars")."""
    return await move(
        session,
        gateway(by),
        wallet(user_id),
        amount,
        currency=currency,
        kind="topup",
        key=key,
        now=now,
        reason=reason,
    )


async def debit(
    session: AsyncSession,
    user_id: int,
    amount: int,
    *,
    currency: str,
    key: str,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Take back through the operator's gateway. Raises InsufficientFunds."""
    return await move(
        session,
        wallet(user_id),
        gateway("operator"),
        amount,
        currency=currency,
        kind="correction",
        key=key,
        now=now,
        reason=reason,
    )


async def hold(
    session: AsyncSession, user_id: int, order_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Reserve an order's price. Raises InsufficientFunds."""
    await move(
        session,
        wallet(user_id),
        held(order_id),
        amount,
        currency=currency,
        kind="hold",
        key=f"order:{order_id}:hold",
        now=now,
        order_id=order_id,
    )


async def capture(session: AsyncSession, order_id: int, amount: int, *, currency: str, now: datetime) -> None:
    """Take what was held: the code came. An order is settled once, by a capture or by a release."""
    await move(
        session,
        held(order_id),
        REVENUE,
        amount,
        currency=currency,
        kind="capture",
        key=f"order:{order_id}:settle",
        now=now,
        order_id=order_id,
    )


async def release(
    session: AsyncSession, user_id: int, order_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Give back all that was held: no code came. An order is settled once, by a capture or by a release."""
    await move(
        session,
        held(order_id),
        wallet(user_id),
        amount,
        currency=currency,
        kind="release",
        key=f"order:{order_id}:settle",
        now=now,
        order_id=order_id,
    )


async def refund(
    session: AsyncSession,
    user_id: int,
    order_id: int,
    amount: int,
    *,
    currency: str,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Give back what was captured, once per order, by the operator's decision.

    A reward that somebody had for the order goes back to us, as far as their wallet allows.
    """
    key = f"order:{order_id}:refund"
    await ledger.lock(session, REVENUE)
    if not await ledger.find_entry(session, key):
        await _take_back_reward(session, order_id, now=now)
    return await move(
        session,
        REVENUE,
        wallet(user_id),
        amount,
        currency=currency,
        kind="refund",
        key=key,
        now=now,
        order_id=order_id,
        reason=reason,
    )


async def reward(
    session: AsyncSession, user_id: int, order_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Share what was captured for an order with whoever invited the renter."""
    await move(
        session,
        REVENUE,
        wallet(user_id),
        amount,
        currency=currency,
        kind="reward",
        key=f"reward:{order_id}",
        now=now,
        order_id=order_id,
    )


async def _take_back_reward(session: AsyncSession, order_id: int, *, now: datetime) -> None:
    paid = await ledger.find_entry(session, f"reward:{order_id}")
    if paid is None:
        return
    await ledger.lock(session, paid.destination)
    amount = min(paid.amount, await ledger.balance(session, paid.destination))
    if amount:
        await move(
            session,
            paid.destination,
            REVENUE,
            amount,
            currency=paid.currency,
            kind="reward",
            key=f"reward:{order_id}:back",
            now=now,
            order_id=order_id,
        )
