"""Money. Every function takes the caller's session and never commits.

Accounts are strings: `wallet:<user>`, `held:<order>`, `held:text:<id>`, `revenue`, `gateway:<name>`,
`debt:<user>`. One entry is one positive, immutable move from one account to another, so the sum over all
accounts is always zero. Amounts are minor units of `currency`. A replay of an idempotency key changes
nothing.

Nobody has money and a debt: what comes into a wallet settles the debt first. A debt is touched only by
those who hold its wallet's lock.
"""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db import ledger
from services.errors import InsufficientFunds, KeyReused

REVENUE = "revenue"
_HELD = "held:"


def wallet(user_id: int) -> str:
    return f"wallet:{user_id}"


def held(order_id: int) -> str:
    return f"{_HELD}{order_id}"


def held_for_text(text_id: int) -> str:
    return f"{_HELD}text:{text_id}"


def gateway(name: str) -> str:
    """The outside world as seen through one way of paying; owes us what it paid in, so it may be negative."""
    return f"gateway:{name}"


def debt(user_id: int) -> str:
    """What a renter owes us, as a balance below zero: money that was spent and then taken back."""
    return f"debt:{user_id}"


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
    if destination.startswith(_HELD):
        await _open(session, destination, currency)  # each hold has an account of its own
    if not await ledger.shift(session, source, destination, amount, key=key):
        if await _is_replay(session, source, destination, amount, key=key):
            return False
        await _open(session, destination, currency)
        if _may_go_below_zero(source):
            await _open(session, source, currency)
        if not await ledger.shift(session, source, destination, amount, key=key):
            available = await ledger.balance(session, source)
            raise InsufficientFunds(needed=amount, available=available, currency=currency)
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


async def _is_replay(session: AsyncSession, source: str, destination: str, amount: int, *, key: str) -> bool:
    """Whether this very move was made before. Raises KeyReused where the key named a different one."""
    existing = await ledger.find_entry(session, key)
    if existing and (existing.source, existing.destination, existing.amount) != (source, destination, amount):
        raise KeyReused(key)
    return existing is not None


async def _open(session: AsyncSession, account: str, currency: str) -> None:
    await ledger.open_account(
        session, account, currency=currency, may_go_below_zero=_may_go_below_zero(account)
    )


def _may_go_below_zero(account: str) -> bool:
    return account.startswith(("gateway:", "debt:"))


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
    """Money that came in through the gateway `by` ("operator", "stars"); a debt is settled from it first."""
    fresh = await move(
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
    if fresh:
        await _settle_debt(session, user_id, currency=currency, key=_settlement(key), now=now)
    return fresh


async def take_back(
    session: AsyncSession, user_id: int, amount: int, *, currency: str, by: str, key: str, now: datetime
) -> int:
    """Money that leaves through the gateway `by`, spent or not; how much of it became a debt.

    `key` is new: whoever calls this has made sure that it happens once.
    """
    await ledger.lock(session, gateway(by), wallet(user_id))
    available = min(amount, await ledger.balance(session, wallet(user_id)))
    for source, part in ((wallet(user_id), available), (debt(user_id), amount - available)):
        if part:
            kind = "return" if source == wallet(user_id) else "debt"
            await move(
                session,
                source,
                gateway(by),
                part,
                currency=currency,
                kind=kind,
                key=f"{key}:{kind}",
                now=now,
            )
    return amount - available


async def owed(session: AsyncSession, user_id: int) -> int:
    """A renter's debt."""
    return -await ledger.balance(session, debt(user_id))


async def settled_by(session: AsyncSession, key: str) -> int:
    """How much of the top-up that `key` named went into a debt."""
    settlement = await ledger.find_entry(session, _settlement(key))
    return settlement.amount if settlement else 0


async def _settle_debt(
    session: AsyncSession, user_id: int, *, currency: str, key: str, now: datetime
) -> None:
    if debt_amount := await owed(session, user_id):
        await move(
            session,
            wallet(user_id),
            debt(user_id),
            min(debt_amount, await ledger.balance(session, wallet(user_id))),
            currency=currency,
            kind="settlement",
            key=key,
            now=now,
        )


def _settlement(key: str) -> str:
    return f"{key}:debt"


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
    key = f"order:{order_id}:settle"
    fresh = await move(
        session,
        held(order_id),
        wallet(user_id),
        amount,
        currency=currency,
        kind="release",
        key=key,
        now=now,
        order_id=order_id,
    )
    if fresh:
        await _settle_debt(session, user_id, currency=currency, key=_settlement(key), now=now)


async def pass_hold(
    session: AsyncSession, order_id: int, next_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Leave what was held for an order to the next one, which tries its luck for the same money.

    It settles the order, as a release would; the wallet sees nothing of it.
    """
    await move(
        session,
        held(order_id),
        held(next_id),
        amount,
        currency=currency,
        kind="swap",
        key=f"order:{order_id}:settle",
        now=now,
        order_id=order_id,
    )


async def sell_late(
    session: AsyncSession, user_id: int, order_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Take the price of what came after an order had ended, once per order. Raises InsufficientFunds."""
    await move(
        session,
        wallet(user_id),
        REVENUE,
        amount,
        currency=currency,
        kind="late",
        key=f"order:{order_id}:late",
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
    fresh = await move(
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
    if fresh:
        await _settle_debt(session, user_id, currency=currency, key=_settlement(key), now=now)
    return fresh


async def reward(
    session: AsyncSession, user_id: int, order_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Share what was captured for an order with whoever invited the renter."""
    key = f"reward:{order_id}"
    fresh = await move(
        session,
        REVENUE,
        wallet(user_id),
        amount,
        currency=currency,
        kind="reward",
        key=key,
        now=now,
        order_id=order_id,
    )
    if fresh:
        await _settle_debt(session, user_id, currency=currency, key=_settlement(key), now=now)


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


async def available(session: AsyncSession, user_id: int) -> int:
    """What is in a wallet; nobody else takes from it before this transaction ends."""
    await ledger.lock(session, wallet(user_id))
    return await ledger.balance(session, wallet(user_id))


async def hold_for_text(
    session: AsyncSession, user_id: int, text_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Reserve what an SMS to a renter costs them. Raises InsufficientFunds."""
    await move(
        session,
        wallet(user_id),
        held_for_text(text_id),
        amount,
        currency=currency,
        kind="sms_hold",
        key=f"text:{text_id}:hold",
        now=now,
    )


async def capture_text(
    session: AsyncSession, text_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Take what was held: the SMS was sent, or may have been. Settled once: later news change nothing."""
    await _settle_text(session, text_id, REVENUE, amount, currency=currency, kind="sms_capture", now=now)


async def release_text(
    session: AsyncSession, user_id: int, text_id: int, amount: int, *, currency: str, now: datetime
) -> None:
    """Give back what was held: the SMS was certainly not sent. Settled once, as by `capture_text`."""
    owner = wallet(user_id)
    if await _settle_text(session, text_id, owner, amount, currency=currency, kind="sms_release", now=now):
        key = _settlement(_settling_of_text(text_id))
        await _settle_debt(session, user_id, currency=currency, key=key, now=now)


async def _settle_text(
    session: AsyncSession,
    text_id: int,
    destination: str,
    amount: int,
    *,
    currency: str,
    kind: str,
    now: datetime,
) -> bool:
    """False where it was settled before, whichever way."""
    key = _settling_of_text(text_id)
    await ledger.lock(session, held_for_text(text_id), destination)
    if await ledger.find_entry(session, key):
        return False
    return await move(
        session, held_for_text(text_id), destination, amount, currency=currency, kind=kind, key=key, now=now
    )


def _settling_of_text(text_id: int) -> str:
    return f"text:{text_id}:settle"
