"""Where people stand in what takes typing step by step."""

from typing import Any

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import upsert
from db.models import Conversation


async def of_name(session: AsyncSession, name: str) -> list[Conversation]:
    return list(await session.exec(select(Conversation).where(Conversation.name == name)))


async def put(session: AsyncSession, name: str, key: str, *, state: str, context: dict[str, Any]) -> None:
    await session.exec(
        upsert(session, Conversation, key=["name", "key"], change=["state", "context"]).values(
            name=name, key=key, state=state, context=context
        )
    )


async def remove(session: AsyncSession, name: str, key: str) -> None:
    await session.exec(
        delete(Conversation).where(col(Conversation.name) == name, col(Conversation.key) == key)
    )
