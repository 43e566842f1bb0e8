"""Invitations: renters bring friends, and have a share of their first purchases."""

import secrets
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from db import invitations, users
from db.models import Purchase, User
from db.session import Database
from services import ledger
from services.announcer import Announcer
from services.clock import Clock


@dataclass(frozen=True, slots=True)
class Invites:
    """What a renter's invitations came to."""

    token: str
    """Stands in their link."""
    friends: int
    earned: int
    """Minor units of the shop's currency."""


class Invitations:
    def __init__(
        self, database: Database, clock: Clock, announcer: Announcer, *, percent: Decimal, purchases: int
    ) -> None:
        """`percent` of each of a friend's first `purchases` captured orders is the reward; 0: none at all."""
        self._database = database
        self._clock = clock
        self._announcer = announcer
        self.percent = percent
        self.purchases = purchases

    @property
    def are_open(self) -> bool:
        return self.percent > 0

    async def of_user(self, user_id: int) -> Invites:
        """Their link, and what came of it. It stays the same for good."""
        async with self._database.write() as session:
            return Invites(
                await invitations.get_or_create_token(session, user_id, secrets.token_urlsafe(9)),
                await invitations.count_friends(session, user_id),
                await invitations.earned(session, ledger.wallet(user_id)),
            )

    async def inviter_of(self, user_id: int) -> int | None:
        """By whose link somebody came; None where they came by themselves."""
        async with self._database.read() as session:
            return await invitations.find_inviter_of(session, user_id)

    async def accept(self, user_id: int, token: str) -> User | None:
        """Somebody came by a link: who invited them, where that counts.

        It does for those who are new, which is until they accept the terms: nobody buys before, or has
        counting friends. So nobody is invited by a friend of their own, and the first link stays the one.
        """
        if not self.are_open:
            return None
        async with self._database.write() as session:
            inviter = await invitations.find_inviter(session, token)
            friend = await users.lock(session, user_id)
            if friend is None or friend.terms_accepted_at or not _may_invite(inviter):
                return None
            assert inviter
            invitation = await invitations.get_or_create(session, user_id, inviter.id, now=self._clock.now())
            return inviter if invitation.inviter_id == inviter.id else None

    async def reward(self, session: AsyncSession, order_id: int, purchase: Purchase) -> None:
        """Share an order's price with whoever invited its renter: once, in the commit of its capture."""
        if not self.are_open:
            return
        inviter_id = await invitations.count_purchase(session, purchase.user_id, most=self.purchases)
        amount = int((purchase.price * self.percent / 100).to_integral_value(ROUND_FLOOR))
        if inviter_id is None or amount == 0:
            return
        now = self._clock.now()
        await ledger.reward(session, inviter_id, order_id, amount, currency=purchase.currency, now=now)
        await self._announcer.reward(session, inviter_id, order_id, amount, purchase.currency)


def _may_invite(inviter: User | None) -> bool:
    """A banned renter may not; nor may one who is new themselves, so that no circle can close."""
    return bool(inviter and inviter.terms_accepted_at and not inviter.banned_at)
