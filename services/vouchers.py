"""Vouchers: codes that the operator makes, and that put money into a wallet."""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from sqlmodel.ext.asyncio.session import AsyncSession

from db import ledger as db_ledger
from db import users, vouchers
from db.models import Voucher
from db.session import Database
from services import acts, ledger
from services.acts import What
from services.announcer import Announcer
from services.clock import Clock
from services.errors import TooManyGuesses, VoucherRefused, WordRefused

GATEWAY = "vouchers"
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No two that look alike: neither 0 and O, nor 1, I and L, nor U and V."""
LENGTH, GROUP = 11, 4
"""Eleven of thirty are 53 bits: at the pace that guesses are taken, a code outlives the sun."""
WORD = re.compile(r"[A-Z0-9]{6,20}")
LARGEST_AMOUNT, MOST_USES, LONGEST = 10**9, 10**6, timedelta(days=3650)

GUESSES, GUESSES_OF_ALL = 5, 200
"""Wrong codes within `GUESS_WINDOW` after which one renter, or everybody, has to wait."""
GUESS_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """A voucher to be made; `amount`: minor units of the shop's currency, for each use."""

    amount: int
    max_uses: int
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class VoucherList:
    vouchers: tuple[Voucher, ...]
    """Newest first."""
    given_out: int
    """By all vouchers ever; minor units."""


def read_code(text: str) -> str:
    """What was typed as it is compared: without regard to case, spaces and dashes."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).upper()


def spell(code: str) -> str:
    """A code as people read it: ABCD-EFGH-JKM; a word that was chosen stays one."""
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        return code
    return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class Vouchers:
    def __init__(self, database: Database, clock: Clock, announcer: Announcer, *, currency: str) -> None:
        self._database = database
        self._clock = clock
        self._announcer = announcer
        self._currency = currency

    async def create(self, operator_id: int, draft: Draft, *, key: str, word: str | None = None) -> Voucher:
        """Make a voucher, with the operator's own `word` as its code or a random one.

        A replay of the operator's `key` returns the first one. Raises WordRefused.
        """
        code = _read_word(word) if word else _new_code()
        now = self._clock.now()
        async with self._database.write() as session:
            voucher, fresh = await vouchers.add(
                session,
                idempotency_key=f"{operator_id}:{key}",
                code=code,
                amount=draft.amount,
                currency=self._currency,
                max_uses=draft.max_uses,
                expires_at=now + draft.lifetime,
                created_by=operator_id,
                created_at=now,
            )
            if voucher and fresh:
                after = {"amount": draft.amount, "uses": draft.max_uses, "state": "made"}
                await self._record(session, voucher.id or 0, after, by=operator_id)
        if voucher is None:
            raise WordRefused("taken")
        return voucher

    async def redeem(self, user_id: int, text: str) -> Voucher:
        """Take one use of the voucher whose code `text` is; its amount is in the wallet.

        Raises VoucherRefused, and TooManyGuesses, even for a right code.
        """
        async with self._database.write() as session:
            # One try of a renter at a time: each counts what the one before it committed.
            await users.lock(session, user_id)
            await self._check_guesses(session, user_id)
            voucher = await vouchers.find_by_code(session, read_code(text))
            if voucher:
                await self._take_use(session, voucher, user_id)
            else:
                await self._note_guess(session, user_id)
        if voucher is None:
            # Only now: a guess counts because it is committed.
            raise VoucherRefused("unknown")
        return voucher

    async def revoke(self, voucher_id: int, *, by: int) -> Voucher:
        """Nobody redeems it any more; what was redeemed stays with the renters."""
        async with self._database.write() as session:
            if await vouchers.revoke(session, voucher_id, now=self._clock.now()):
                await self._record(session, voucher_id, {"state": "revoked"}, by=by)
        return await self.get(voucher_id)

    async def get(self, voucher_id: int) -> Voucher:
        async with self._database.read() as session:
            return await vouchers.get(session, voucher_id)

    async def newest(self, *, limit: int, offset: int = 0) -> VoucherList:
        async with self._database.read() as session:
            found = await vouchers.newest(session, limit=limit, offset=offset)
            given_out = -await db_ledger.balance(session, ledger.gateway(GATEWAY))
        return VoucherList(tuple(found), given_out)

    async def _record(
        self, session: AsyncSession, voucher_id: int, after: dict[str, Any], *, by: int
    ) -> None:
        """In the trail; a code is money, so it is known by its number."""
        now, subject = self._clock.now(), str(voucher_id)
        await acts.record(session, What.VOUCHER, by=by, now=now, subject=subject, after=after)

    async def _take_use(self, session: AsyncSession, voucher: Voucher, user_id: int) -> None:
        assert voucher.id is not None
        now = self._clock.now()
        if await vouchers.has_redeemed(session, voucher.id, user_id):
            _refuse("already_used")
        if voucher.revoked_at:
            _refuse("revoked")
        if voucher.expires_at <= now:
            _refuse("expired")
        if not await vouchers.take_use(session, voucher.id):
            _refuse("used_up")
        await vouchers.add_redemption(session, voucher.id, user_id, now=now)
        await ledger.top_up(
            session,
            user_id,
            voucher.amount,
            currency=voucher.currency,
            by=GATEWAY,
            key=topup_key(voucher, user_id),
            now=now,
            reason=spell(voucher.code),
        )

    async def _check_guesses(self, session: AsyncSession, user_id: int) -> None:
        now = self._clock.now()
        for limit, whose in ((GUESSES, user_id), (GUESSES_OF_ALL, None)):
            reached_at = await vouchers.nth_last_guess(
                session, limit, since=now - GUESS_WINDOW, user_id=whose
            )
            if reached_at:
                raise TooManyGuesses(wait=reached_at + GUESS_WINDOW - now)

    async def _note_guess(self, session: AsyncSession, user_id: int) -> None:
        """Count a wrong code; the operators hear of it where everybody has to wait from now on."""
        now = self._clock.now()
        since = now - GUESS_WINDOW
        await vouchers.forget_guesses(session, user_id, until=since)
        await vouchers.add_guess(session, user_id, now=now)
        if await vouchers.nth_last_guess(session, GUESSES_OF_ALL, since=since):
            await self._announcer.alert(
                session, "voucher_guessing", f"{now:%Y-%m-%d %H}", count=GUESSES_OF_ALL
            )


def _read_word(text: str) -> str:
    word = read_code(text)
    if not WORD.fullmatch(word):
        raise WordRefused("shape")
    return word


def _refuse(reason: str) -> NoReturn:
    raise VoucherRefused(reason)


def topup_key(voucher: Voucher, user_id: int) -> str:
    """Names the top-up that a renter has had from a voucher."""
    return f"voucher:{voucher.id}:{user_id}"
