"""What the program remembers about itself, by key."""

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import Setting


async def find(session: AsyncSession, key: str) -> str | None:
    return (await session.exec(select(Setting.value).where(Setting.key == key))).one_or_none()


async def find_all(session: AsyncSession, prefix: str) -> dict[str, str]:
    """Every setting whose key begins with `prefix`, the prefix cut off."""
    rows = await session.exec(select(Setting))
    return {row.key.removeprefix(prefix): row.value for row in rows if row.key.startswith(prefix)}


async def put(session: AsyncSession, key: str, value: str, *, now: datetime) -> None:
    await session.exec(
        upsert(session, Setting, key=["key"], change=["value", "updated_at"]).values(
            key=key, value=value, updated_at=now
        )
    )


async def remove(session: AsyncSession, key: str) -> None:
    await session.exec(delete(Setting).where(col(Setting.key) == key))


async def get_or_create(session: AsyncSession, key: str, value: str, *, now: datetime) -> str:
    """The stored value; `value` where there was none."""
    await session.exec(insert_new(session, Setting).values(key=key, value=value, updated_at=now))
    return (await session.exec(select(Setting.value).where(Setting.key == key))).one()
