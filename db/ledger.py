"""Money moves. The only code that writes accounts and entries."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import case, col, exists, func, insert, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, is_sqlite, table
from db.models import Account, LedgerEntry, Order, OrderStatus, Purchase


async def lock(session: AsyncSession, *names: str) -> None:
    """Have other moves of these accounts wait for this transaction; SQLite has one writer at a time anyway.

    By name, because an account may not be there yet; in one order, so that no two wait for each other.
    """
    if not is_sqlite(session):
        await session.exec(
            select(*(func.pg_advisory_xact_lock(func.hashtextextended(name, 0)) for name in sorted(names)))
        )


async def open_account(
    session: AsyncSession, name: str, *, currency: str, may_go_below_zero: bool = False
) -> None:
    """Make sure that the account exists."""
    await session.exec(
        insert_new(session, Account).values(
            name=name, currency=currency, balance=0, may_go_below_zero=may_go_below_zero
        )
    )


async def find_entry(session: AsyncSession, idempotency_key: str) -> LedgerEntry | None:
    return (
        await session.exec(select(LedgerEntry).where(LedgerEntry.idempotency_key == idempotency_key))
    ).one_or_none()


_ACCOUNT, _ENTRY = table(Account), table(LedgerEntry)
_PAYER, _PAYEE = _ACCOUNT.alias(), _ACCOUNT.alias()
_SOURCE: Any = bindparam("source")
_DESTINATION: Any = bindparam("destination")
_AMOUNT: Any = bindparam("amount")
_SHIFT = (
    update(_ACCOUNT)
    .where(
        _ACCOUNT.c.name.in_((_SOURCE, _DESTINATION)),
        exists().where(
            _PAYER.c.name == _SOURCE, or_(_PAYER.c.balance >= _AMOUNT, _PAYER.c.may_go_below_zero)
        ),
        exists().where(_PAYEE.c.name == _DESTINATION),
        ~exists().where(_ENTRY.c.idempotency_key == bindparam("key")),
    )
    .values(
        balance=case(
            (_ACCOUNT.c.name == _SOURCE, _ACCOUNT.c.balance - _AMOUNT), else_=_ACCOUNT.c.balance + _AMOUNT
        )
    )
)
_NEW_ENTRY = insert(_ENTRY)


async def shift(session: AsyncSession, source: str, destination: str, amount: int, *, key: str) -> bool:
    """Lower one balance and raise another.

    False, and nothing changed, where `key` names an entry, the source has less, or one of them is not open.
    """
    move = {"source": source, "destination": destination, "amount": amount, "key": key}
    return bool((await session.exec(_SHIFT, params=move)).rowcount)


async def add_entry(
    session: AsyncSession,
    *,
    source: str,
    destination: str,
    amount: int,
    currency: str,
    kind: str,
    idempotency_key: str,
    order_id: int | None,
    reason: str | None,
    created_at: datetime,
) -> None:
    entry = {
        "source": source,
        "destination": destination,
        "amount": amount,
        "currency": currency,
        "kind": kind,
        "idempotency_key": idempotency_key,
        "order_id": order_id,
        "reason": reason,
        "created_at": created_at,
    }
    await session.exec(_NEW_ENTRY, params=entry)


async def balance(session: AsyncSession, name: str) -> int:
    """Minor units; zero for an account that was never used."""
    return (await session.exec(select(Account.balance).where(Account.name == name))).one_or_none() or 0


async def held_for(session: AsyncSession, user_id: int) -> int:
    """What is on hold for a renter's open orders."""
    held = select(func.coalesce(func.sum(Purchase.price), 0)).join(
        Order, col(Order.purchase_id) == Purchase.id
    )
    return (
        await session.exec(
            held.where(
                Order.user_id == user_id, col(Order.status).in_((OrderStatus.PENDING, OrderStatus.ACTIVE))
            )
        )
    ).one()


async def last_moves(session: AsyncSession, name: str, *, limit: int) -> list[LedgerEntry]:
    """The newest entries of an account, newest first."""
    rows = await session.exec(
        select(LedgerEntry)
        .where(or_(LedgerEntry.source == name, LedgerEntry.destination == name))
        .order_by(col(LedgerEntry.id).desc())
        .limit(limit)
    )
    return list(rows)


async def moves_after(session: AsyncSession, name: str, entry_id: int, *, limit: int) -> list[LedgerEntry]:
    """The next entries of an account, oldest first."""
    rows = await session.exec(
        select(LedgerEntry)
        .where(
            or_(LedgerEntry.source == name, LedgerEntry.destination == name), col(LedgerEntry.id) > entry_id
        )
        .order_by(col(LedgerEntry.id))
        .limit(limit)
    )
    return list(rows)


async def entries_after(session: AsyncSession, entry_id: int, *, limit: int) -> list[LedgerEntry]:
    """The next entries of the whole ledger, oldest first."""
    rows = await session.exec(
        select(LedgerEntry).where(col(LedgerEntry.id) > entry_id).order_by(col(LedgerEntry.id)).limit(limit)
    )
    return list(rows)


async def balance_by_kind(session: AsyncSession) -> dict[tuple[str, str], int]:
    """What all accounts of a kind (`wallet`, `held` …) hold together, by kind and currency."""
    colon = func.instr if is_sqlite(session) else func.strpos
    kind = func.substr(Account.name, 1, colon(col(Account.name) + ":", ":") - 1).label("kind")
    rows = await session.exec(
        select(kind, Account.currency, func.sum(Account.balance))
        # Most accounts are those of orders that are over: empty, and not worth sorting into kinds.
        .where(Account.balance != 0)
        .group_by("kind", col(Account.currency))
    )
    return {(kind, currency): int(balance) for kind, currency, balance in rows}


async def total(session: AsyncSession) -> int:
    """The sum over all accounts: zero, always."""
    return (await session.exec(select(func.coalesce(func.sum(Account.balance), 0)))).one()
