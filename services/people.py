"""What operators do about renters: find them, ban them, take notes, write to them, forget them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from db import acts as db_acts
from db import deliveries, disputes, favourites, ledger, lookouts, notes, orders, outbox, sms, texts, users
from db.models import Note, User
from db.session import Database
from services import acts, support
from services.acts import KEPT_FACTS, What
from services.announcer import Announcer
from services.clock import Clock
from services.errors import NotPossible, StillInUse, UserNotFound
from services.lanes import Lane
from services.ledger import owed, wallet
from services.outbox import Outbox
from services.roles import role_of

LETTER = "letter"
"""The outbox's word for what an operator writes to a renter."""
REASON_LIMIT = 200
NOTE_LIMIT, LETTER_LIMIT = 500, 3000
MOST_ALLOWED = 10_000
"""The highest limit that can be set."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What keeps somebody from being forgotten without a second thought."""

    open_orders: int
    balance: int
    """Minor units of the shop's currency, as is `debt`; what is on hold belongs to open orders."""
    debt: int

    def __bool__(self) -> bool:
        return bool(self.open_orders or self.balance or self.debt)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a renter may buy; None: as much as the settings say."""

    open_orders: int | None = None
    per_hour: int | None = None


class People:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        outbox: Outbox,
        announcer: Announcer,
        *,
        owner_ids: Collection[int],
    ) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._announcer = announcer
        self._owner_ids = frozenset(owner_ids)

    async def search(self, text: str, *, limit: int, offset: int = 0) -> list[User]:
        """By name, @username, id, rented number or order; everybody for no text. Last seen first."""
        async with self._database.read() as session:
            return await users.search(session, text.strip(), limit=limit, offset=offset)

    async def ban(self, user_id: int, *, by: int, reason: str) -> None:
        """From now on they buy nothing; open orders go on. Said again, it changes the reason.

        Raises UserNotFound; NotPossible for those who work here.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            user = await self._lock(session, user_id)
            if role_of(user, self._owner_ids):
                raise NotPossible("ban", status="operator")
            reason = reason[:REASON_LIMIT]
            if user.banned_at and (user.ban_reason or "") == reason:
                return
            before = {"reason": user.ban_reason or ""} if user.banned_at else {}
            await users.set_ban(session, user_id, banned_at=user.banned_at or now, reason=reason or None)
            await acts.record(
                session, What.BAN, by=by, now=now, user_id=user_id, before=before, after={"reason": reason}
            )

    async def unban(self, user_id: int, *, by: int) -> None:
        """Raises UserNotFound."""
        async with self._database.write() as session:
            user = await self._lock(session, user_id)
            if user.banned_at is None:
                return
            before = {"reason": user.ban_reason or ""}
            await users.set_ban(session, user_id, banned_at=None, reason=None)
            await acts.record(
                session, What.UNBAN, by=by, now=self._clock.now(), user_id=user_id, before=before
            )

    async def set_limits(self, user_id: int, limits: Limits, *, by: int) -> None:
        """Have other limits go for somebody than for the rest. Raises UserNotFound."""
        async with self._database.write() as session:
            user = await self._lock(session, user_id)
            was = Limits(user.open_limit, user.hourly_limit)
            if was == limits:
                return
            await users.set_limits(
                session, user_id, open_limit=limits.open_orders, hourly_limit=limits.per_hour
            )
            await acts.record(
                session,
                What.LIMITS,
                by=by,
                now=self._clock.now(),
                user_id=user_id,
                before=_set(was),
                after=_set(limits),
            )

    async def add_note(self, user_id: int, text: str, *, by: int, key: str) -> None:
        """`key` names the intent: repeated, one note is kept. Raises UserNotFound."""
        now, text = self._clock.now(), text[:NOTE_LIMIT]
        async with self._database.write() as session:
            await self._lock(session, user_id)
            if await notes.add(session, user_id, by, text, idempotency_key=key, now=now):
                await acts.record(session, What.NOTE, by=by, now=now, user_id=user_id, after={"text": text})

    async def notes(self, user_id: int, *, limit: int, offset: int = 0) -> list[Note]:
        """Newest first."""
        async with self._database.read() as session:
            return await notes.of_user(session, user_id, limit=limit, offset=offset)

    async def write(self, user_id: int, text: str, *, by: int, key: str) -> None:
        """Promise to send them a message as the shop, once for each `key`. Raises UserNotFound."""
        text = text[:LETTER_LIMIT]
        async with self._database.write() as session:
            await self._lock(session, user_id)
            promised = await self._outbox.add(
                session,
                LETTER,
                {"user_id": user_id, "text": text},
                lane=Lane.REPLY.name,
                serial=_letters(user_id),
                key=f"letter:{key}",
            )
            if promised:
                await acts.record(
                    session,
                    What.MESSAGE,
                    by=by,
                    now=self._clock.now(),
                    user_id=user_id,
                    after={"text": text},
                )

    async def ask_erasure(self, user_id: int) -> None:
        """Somebody wants to be forgotten: the owners are told, once a day at most."""
        now = self._clock.now()
        async with self._database.write() as session:
            await users.ask_erasure(session, user_id, now=now)
            await self._announcer.alert(session, "erasure_asked", f"{user_id}:{now:%F}", user=user_id)

    async def ties(self, user_id: int) -> Ties:
        async with self._database.read() as session:
            return await self._ties(session, user_id)

    async def erase(self, user_id: int, *, by: int, forced: bool = False) -> None:
        """Forget who somebody is and what they did; the ledger stays, as it must.

        Open orders and what is in the wallet stay theirs, and need `forced`. A ban stays, too.
        Raises UserNotFound, StillInUse; NotPossible for those who work here.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            user = await self._lock(session, user_id)
            if role_of(user, self._owner_ids):
                raise NotPossible("erase", status="operator")
            ties = await self._ties(session, user_id)
            if ties and not forced:
                raise StillInUse
            closed = await orders.closed_ids(session, user_id)
            await orders.erase_numbers(session, closed)
            await sms.erase_of_orders(session, closed)
            await texts.erase_of_user(session, user_id)
            await lookouts.remove_of_user(session, user_id)
            await notes.remove_all(session, user_id)
            await favourites.remove_all(session, user_id)
            await disputes.erase_of_user(session, user_id)
            await support.forget(session, self._outbox, user_id)
            await outbox.erase_kept(session, _letters(user_id))
            await deliveries.erase_updates_of(session, user_id)
            await db_acts.strip(session, user_id, keep=KEPT_FACTS)
            # A code that they wait for must still reach them.
            blocked_at = user.blocked_at if ties.open_orders else now
            await users.erase(session, user_id, blocked_at=blocked_at)
            await acts.record(session, What.ERASE, by=by, now=now, user_id=user_id)

    async def _ties(self, session: AsyncSession, user_id: int) -> Ties:
        return Ties(
            await orders.count_open(session, user_id),
            await ledger.balance(session, wallet(user_id)),
            await owed(session, user_id),
        )

    async def _lock(self, session: AsyncSession, user_id: int) -> User:
        """Raises UserNotFound."""
        user = await users.lock(session, user_id)
        if user is None:
            raise UserNotFound
        return user


def _set(limits: Limits) -> dict[str, int]:
    """As the trail shows it: what is not as for everybody."""
    facts = {"open orders": limits.open_orders, "an hour": limits.per_hour}
    return {name: limit for name, limit in facts.items() if limit is not None}


def _letters(user_id: int) -> str:
    return f"letters:{user_id}"
