"""Who invited whom."""

from datetime import datetime

from sqlmodel import case, col, exists, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new
from db.models import Invitation, InviteLink, LedgerEntry, User


async def get_or_create_token(session: AsyncSession, user_id: int, token: str) -> str:
    """The token of a renter's link; `token` where they had none."""
    await session.exec(insert_new(session, InviteLink).values(user_id=user_id, token=token))
    return (await session.exec(select(InviteLink.token).where(InviteLink.user_id == user_id))).one()


async def find_inviter(session: AsyncSession, token: str) -> User | None:
    """Whose link it is."""
    found = await session.exec(
        select(User).join(InviteLink, col(InviteLink.user_id) == User.id).where(InviteLink.token == token)
    )
    return found.one_or_none()


async def find_inviter_of(session: AsyncSession, friend_id: int) -> int | None:
    """By whose link somebody came."""
    return (
        await session.exec(select(Invitation.inviter_id).where(Invitation.friend_id == friend_id))
    ).one_or_none()


async def get_or_create(
    session: AsyncSession, friend_id: int, inviter_id: int, *, now: datetime
) -> Invitation:
    """How somebody came here: by the first link that they followed."""
    await session.exec(
        insert_new(session, Invitation).values(
            friend_id=friend_id, inviter_id=inviter_id, invited_at=now, purchases=0
        )
    )
    return await session.get_one(Invitation, friend_id)


async def count_purchase(session: AsyncSession, friend_id: int, *, most: int) -> int | None:
    """Count one of the first `most` purchases of somebody who was invited; by whom.

    Compare-and-set: None, and nothing changed, for later ones, and where the inviter is banned.
    """
    banned = exists().where(col(User.id) == Invitation.inviter_id, col(User.banned_at).is_not(None))
    counted = await session.exec(
        update(Invitation)
        .where(col(Invitation.friend_id) == friend_id, col(Invitation.purchases) < most, ~banned)
        .values(purchases=Invitation.purchases + 1)
        .returning(col(Invitation.inviter_id))
        .execution_options(synchronize_session=False)
    )
    return counted.scalar_one_or_none()


async def count_friends(session: AsyncSession, inviter_id: int) -> int:
    return (await session.exec(select(func.count()).where(Invitation.inviter_id == inviter_id))).one()


async def earned(session: AsyncSession, wallet: str) -> int:
    """Minor units of rewards that came into a wallet, less what was taken back."""
    signed = case((col(LedgerEntry.destination) == wallet, LedgerEntry.amount), else_=-LedgerEntry.amount)
    rewards = select(func.coalesce(func.sum(signed), 0)).where(
        or_(LedgerEntry.source == wallet, LedgerEntry.destination == wallet), LedgerEntry.kind == "reward"
    )
    return int((await session.exec(rewards)).one())
