"""Who works here: appointed and dismissed by owners, in one commit with its trace and the news of it."""

import secrets
from collections.abc import Collection

from sqlmodel.ext.asyncio.session import AsyncSession

from db import users
from db.models import User
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.errors import NotPossible, UserNotFound
from services.lanes import Lane
from services.outbox import Outbox
from services.roles import RIGHTS, Right, Role, role_of

ROLE = "role"
"""The outbox's word for: tell somebody their role, and give them the menu that belongs to it."""


class Team:
    def __init__(
        self, database: Database, clock: Clock, outbox: Outbox, *, owner_ids: Collection[int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._owner_ids = frozenset(owner_ids)

    def role_of(self, user: User) -> Role | None:
        """None for renters."""
        return role_of(user, self._owner_ids)

    async def roles(self) -> dict[int, Role]:
        """Everybody who works here, owners first."""
        async with self._database.read() as session:
            return await self._roles(session)

    async def holders_within(self, session: AsyncSession, right: Right) -> list[int]:
        """As `holders`, in the caller's transaction."""
        return [user_id for user_id, role in (await self._roles(session)).items() if right in RIGHTS[role]]

    async def holders(self, right: Right) -> list[int]:
        """Everybody whose role has a right, owners first."""
        async with self._database.read() as session:
            return await self.holders_within(session, right)

    async def _roles(self, session: AsyncSession) -> dict[int, Role]:
        appointed = await users.with_role(session)
        roles = {user.id: Role(user.role) for user in appointed if user.role}
        return dict.fromkeys(sorted(self._owner_ids), Role.OWNER) | {
            user_id: role for user_id, role in roles.items() if user_id not in self._owner_ids
        }

    async def members(self) -> list[tuple[User, Role]]:
        """Those who work here and have met the bot, with what they are."""
        roles = await self.roles()
        async with self._database.read() as session:
            return [(user, roles[user.id]) for user in await users.find_all(session, roles)]

    async def appoint(self, user_id: int, role: Role | None, *, by: int) -> None:
        """Give somebody a role, or take it from them (None). Repeated, it changes nothing.

        Raises UserNotFound; NotPossible for owners and for the banned.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            user = await users.lock(session, user_id)
            if user is None:
                raise UserNotFound
            if user_id in self._owner_ids or role is Role.OWNER:
                raise NotPossible("appoint", status="owner")
            if role and user.banned_at:
                raise NotPossible("appoint", status="banned")
            if user.role == role:
                return
            before = user.role
            await users.set_role(session, user_id, role)
            await acts.record(
                session,
                What.ROLE,
                by=by,
                now=now,
                user_id=user_id,
                before={"role": before} if before else {},
                after={"role": role} if role else {},
            )
            await self._outbox.add(
                session,
                ROLE,
                {"user_id": user_id},
                lane=Lane.REPLY.name,
                serial=f"role:{user_id}",
                key=f"role:{user_id}:{secrets.token_hex(8)}",
            )
