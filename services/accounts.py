"""Renters and their wallets."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import ledger as db_ledger
from db import users
from db.models import LedgerEntry, User
from db.session import Database
from services import acts, ledger
from services.acts import What
from services.clock import Clock
from services.errors import NotPossible, UserNotFound

CODES_ERASED_AFTER = (10, 60, 24 * 60, 47 * 60)
"""Minutes to choose from; Telegram lets nobody delete a message that is older than 48 hours."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """Minor units of `currency`."""

    available: int
    held: int
    currency: str
    moves: tuple[LedgerEntry, ...]
    """Newest first."""
    debt: int = 0
    """What the renter owes us; then nothing is available."""


class Accounts:
    """Who the renters are and what they have."""

    def __init__(self, database: Database, clock: Clock, *, currency: str) -> None:
        self._database = database
        self._clock = clock
        self._currency = currency

    async def meet(self, user_id: int, *, name: str, username: str | None, language_code: str) -> User:
        """Write down somebody who writes to us, if that is news."""
        user = await self.find(user_id)
        if user is None or _is_news(user, name, username, language_code, self._clock.now()):
            async with self._database.write() as session:
                await users.meet(
                    session,
                    user_id,
                    name=name,
                    username=username,
                    language_code=language_code,
                    now=self._clock.now(),
                )
            user = await self.get(user_id)
        return user

    async def find(self, user_id: int) -> User | None:
        async with self._database.read() as session:
            return await users.find(session, user_id)

    async def get(self, user_id: int) -> User:
        """Raises UserNotFound."""
        user = await self.find(user_id)
        if user is None:
            raise UserNotFound
        return user

    async def accept_terms(self, user_id: int) -> None:
        async with self._database.write() as session:
            await users.accept_terms(session, user_id, now=self._clock.now())

    async def choose_language(self, user_id: int, code: str | None) -> None:
        """None: what Telegram speaks to them."""
        async with self._database.write() as session:
            await users.choose(session, user_id, chosen_language=code)

    async def choose_currency(self, user_id: int, currency: str | None) -> None:
        """To show prices in, beside the shop's. Empty: in no other; None: their language's."""
        async with self._database.write() as session:
            await users.choose(session, user_id, chosen_currency=currency)

    async def take_broadcasts(self, user_id: int, *, on: bool) -> None:
        """Whether news of the shop reaches them in the chat; an answer to them always does."""
        async with self._database.write() as session:
            await users.choose(session, user_id, takes_broadcasts=on)

    async def tell_of_rewards(self, user_id: int, *, on: bool) -> None:
        """Whether a message comes for each reward of their invitations; the money does in any case."""
        async with self._database.write() as session:
            await users.choose(session, user_id, told_of_rewards=on)

    async def erase_codes_after(self, user_id: int, minutes: int | None) -> None:
        """From the next code on; None: codes stay in the chat. Raises NotPossible."""
        if minutes is not None and minutes not in CODES_ERASED_AFTER:
            raise NotPossible("erase codes", status="unknown")
        async with self._database.write() as session:
            await users.choose(session, user_id, codes_erased_after=minutes)

    async def mark_blocked(self, user_id: int) -> None:
        """They blocked the bot: nothing more is sent until they write again."""
        async with self._database.write() as session:
            await users.mark_blocked(session, user_id, now=self._clock.now())

    async def wallet(self, user_id: int, *, moves: int = 5) -> Wallet:
        async with self._database.read() as session:
            name = ledger.wallet(user_id)
            return Wallet(
                await db_ledger.balance(session, name),
                await db_ledger.held_for(session, user_id),
                self._currency,
                tuple(await db_ledger.last_moves(session, name, limit=moves)),
                await ledger.owed(session, user_id),
            )

    async def settled_by(self, key: str) -> int:
        """How much of the credit that `key` named went into a debt."""
        async with self._database.read() as session:
            return await ledger.settled_by(session, key)

    async def credit(
        self, user_id: int, amount: int, *, key: str, reason: str | None, by: int | None = None
    ) -> bool:
        """The operator `by` gives money; False where `key` did it before. They need not have met the bot.

        `by` is None for what no person does, as the demo's first credits.
        """
        async with self._database.write() as session:
            now = self._clock.now()
            await users.ensure(session, user_id, now=now)
            moved = await ledger.top_up(
                session,
                user_id,
                amount,
                currency=self._currency,
                by="operator",
                key=key,
                now=now,
                reason=reason,
            )
            if moved and by:
                gained = amount - await ledger.settled_by(session, key)
                await self._record(session, What.CREDIT, user_id, gained, by=by, reason=reason)
            return moved

    async def debit(
        self, user_id: int, amount: int, *, key: str, reason: str | None, by: int | None = None
    ) -> bool:
        """The operator `by` takes money back; False where `key` did it before. Raises InsufficientFunds."""
        async with self._database.write() as session:
            moved = await ledger.debit(
                session,
                user_id,
                amount,
                currency=self._currency,
                key=key,
                now=self._clock.now(),
                reason=reason,
            )
            if moved and by:
                await self._record(session, What.DEBIT, user_id, -amount, by=by, reason=reason)
            return moved

    async def _record(
        self, session: AsyncSession, what: What, user_id: int, gained: int, *, by: int, reason: str | None
    ) -> None:
        """In the trail, with the balance around it; its lock is still ours."""
        balance = await db_ledger.balance(session, ledger.wallet(user_id))
        await acts.record(
            session,
            what,
            by=by,
            now=self._clock.now(),
            user_id=user_id,
            before={"balance": balance - gained},
            after={"balance": balance, **({"reason": reason} if reason else {})},
        )


def _is_news(user: User, name: str, username: str | None, language_code: str, now: datetime) -> bool:
    told = (user.name, user.username, user.language_code)
    if told != (name, username, language_code) or user.blocked_at or user.seen_at is None:
        return True
    # Once a day is often enough to know who is still around.
    return now - user.seen_at > timedelta(days=1)
