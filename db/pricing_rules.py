"""How prices follow from costs."""

from typing import Any

from sqlmodel import delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import upsert
from db.models import PricingRule

SCOPE = ["supplier", "service_id", "country"]
"""What a rule is known by."""


async def all_rules(session: AsyncSession) -> list[PricingRule]:
    return list(await session.exec(select(PricingRule)))


async def put(session: AsyncSession, scope: tuple[str, int, str], **values: Any) -> None:
    """Write a rule, in place of the one that is about the same."""
    own = dict(zip(SCOPE, scope, strict=True))
    await session.exec(upsert(session, PricingRule, key=SCOPE, change=list(values)).values(**own, **values))


async def remove(session: AsyncSession, scope: tuple[str, int, str]) -> None:
    await session.exec(delete(PricingRule).filter_by(**dict(zip(SCOPE, scope, strict=True))))
