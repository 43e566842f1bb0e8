"""Renters' own phones: proven by a code that is texted to them, and what may be texted there."""

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from db import phones, users
from db.models import LinkedPhone, PhoneCheck, TextMessage, TextStatus
from db.session import Database
from services.announcer import Announcer
from services.clock import Clock
from services.errors import AskedTooOften, CodeSpent, CodeWrong, PhoneOutOfReach, PhoneStopped
from services.places import country_of
from services.switchboard import Switchboard
from services.texting import ALARM, CHECK, FORWARD, NEWS, Draft, Texting

CODE_LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
PAUSE = timedelta(minutes=1)
"""Between two codes for one renter."""
CODES_A_DAY = 3
"""For one renter, and to one phone whoever asks: each is an SMS at our cost, perhaps to a stranger."""
DAY = timedelta(days=1)
DEAF = ("unsubscribed", "invalid")
"""Failures after which it is of no use to text that phone again."""


class Wish(StrEnum):
    """What may be texted to a phone: the columns of `LinkedPhone`."""

    CODES = "forwards_codes"
    NEWS = "takes_news"
    ALARMS = "takes_alarms"


_PURPOSES = {Wish.CODES: FORWARD, Wish.NEWS: NEWS, Wish.ALARMS: ALARM}


class PhoneBook:
    """Links phones, unlinks them, and keeps what their owners wish."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        switchboard: Switchboard,
        texting: Texting,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._switchboard = switchboard
        self._texting = texting
        self._announcer = announcer

    async def find(self, user_id: int) -> LinkedPhone | None:
        async with self._database.read() as session:
            return await phones.find(session, user_id)

    async def ask(self, user_id: int, phone_number: str, *, key: str, words: Callable[[str], str]) -> None:
        """Text a code to a phone (E.164), in `words` around it; a repeated `key` texts nothing.

        Raises PhoneOutOfReach, PhoneStopped, AskedTooOften.
        """
        if not self._switchboard.reaching(country_of(phone_number)):
            raise PhoneOutOfReach
        async with self._database.write() as session:
            await users.lock(session, user_id)
            if await phones.find_check(session, key):
                return
            await self._forbid_stopped(session, phone_number)
            await self._forbid_too_many(session, user_id, phone_number)
            code = f"{secrets.randbelow(1_000_000):06}"
            now = self._clock.now()
            await phones.add_check(
                session,
                user_id=user_id,
                phone_number=phone_number,
                code=code,
                idempotency_key=key,
                sent_at=now,
            )
            draft = Draft(f"{CHECK}:{key}", phone_number, user_id)
            await self._texting.add(
                session, words(code), [draft], purpose=CHECK, expires_at=now + CODE_LIFETIME
            )

    async def _forbid_too_many(self, session: AsyncSession, user_id: int, phone_number: str) -> None:
        now = self._clock.now()
        last = await phones.newest_check(session, user_id)
        if last and now - last.sent_at < PAUSE:
            raise AskedTooOften(wait=last.sent_at + PAUSE - now)
        counts = await phones.count_checks(
            session, user_id=user_id, phone_number=phone_number, since=now - DAY
        )
        if max(counts) >= CODES_A_DAY:
            raise AskedTooOften(wait=DAY)

    async def prove(self, user_id: int, code: str) -> LinkedPhone:
        """Link the phone that was asked about last. A repetition of the right code changes nothing.

        Raises CodeWrong, CodeSpent.
        """
        wrong = None
        async with self._database.write() as session:
            await users.lock(session, user_id)
            check = await phones.newest_check(session, user_id)
            if check is None or check.tries >= MOST_TRIES or self._is_old(check):
                raise CodeSpent
            if hmac.compare_digest(code.encode(), check.code.encode()):
                linked = await self._link(session, check)
            else:
                check.tries += 1
                wrong = CodeWrong(tries_left=MOST_TRIES - check.tries)
        # Only now: the wrong try counts, whatever is said about it.
        if wrong:
            raise wrong if wrong.tries_left else CodeSpent
        return linked

    def _is_old(self, check: PhoneCheck) -> bool:
        return self._clock.now() - check.sent_at >= CODE_LIFETIME

    async def _link(self, session: AsyncSession, check: PhoneCheck) -> LinkedPhone:
        user_id, now = check.user_id, self._clock.now()
        if check.proven_at is None:
            check.proven_at = now
            await session.flush()
            owner_id = await phones.find_owner(session, check.phone_number)
            for loser in {user_id, owner_id or user_id}:
                await self._withdraw_all(session, loser)
            if owner_id and owner_id != user_id:
                await phones.unlink(session, owner_id)
                await self._announcer.notice(session, owner_id, "phone_taken", str(check.id))
            await phones.link(session, user_id, check.phone_number, now=now)
        linked = await phones.find(session, user_id)
        if linked is None:
            raise CodeSpent  # proven, and unlinked since
        return linked

    async def wish(self, user_id: int, wish: Wish, *, on: bool) -> None:
        """Say what may be texted; what is on its way to a sender and no longer wished is kept back.

        Raises PhoneStopped.
        """
        async with self._database.write() as session:
            if not on:
                await self._texting.withdraw(session, user_id, _PURPOSES[wish])
            elif phone := await phones.find(session, user_id):
                await self._forbid_stopped(session, phone.phone_number)
            await phones.change(session, user_id, **{wish: on})

    async def unlink(self, user_id: int) -> None:
        async with self._database.write() as session:
            await self._withdraw_all(session, user_id)
            await phones.unlink(session, user_id)

    async def stop(self, session: AsyncSession, phone_number: str, *, sender: str) -> None:
        """Its owner has answered STOP: it gets nothing any more, now or whoever links it later."""
        owner_id = await phones.find_owner(session, phone_number)
        if owner_id:
            await self._withdraw_all(session, owner_id)
        now = self._clock.now()
        if await phones.stop(session, phone_number, sender=sender, now=now) and owner_id:
            await phones.change(session, owner_id, **dict.fromkeys(Wish, False))
            await self._announcer.notice(session, owner_id, "phone_stopped", f"{owner_id}:{now.isoformat()}")

    async def resume(self, session: AsyncSession, phone_number: str) -> None:
        """Its owner has answered START: it can be texted again, where they switch something on."""
        owner_id = await phones.find_owner(session, phone_number)
        if await phones.resume(session, phone_number) and owner_id:
            key = f"{owner_id}:{self._clock.now().isoformat()}"
            await self._announcer.notice(session, owner_id, "phone_resumed", key)

    async def _forbid_stopped(self, session: AsyncSession, phone_number: str) -> None:
        if await phones.stopped_among(session, [phone_number]):
            raise PhoneStopped

    async def _withdraw_all(self, session: AsyncSession, user_id: int) -> None:
        for purpose in _PURPOSES.values():
            await self._texting.withdraw(session, user_id, purpose)

    async def hear_of_text(self, session: AsyncSession, text: TextMessage) -> None:
        """A sender says that this phone wants no texts, or cannot be texted: have none sent there."""
        if text.failure not in DEAF or text.user_id is None:
            return
        phone = await phones.lock(session, text.user_id)
        if phone is None or phone.phone_number != text.phone_number:
            return
        if phone.forwards_codes or phone.takes_news or phone.takes_alarms:
            await phones.change(session, phone.user_id, **dict.fromkeys(Wish, False))
            await self._announcer.notice(session, phone.user_id, f"phone_{text.failure}", str(text.id))

    async def hear_of_check(self, session: AsyncSession, text: TextMessage) -> None:
        """The code did not get through: its reader waits in vain."""
        if text.status == TextStatus.FAILED and text.user_id:
            await self._announcer.notice(session, text.user_id, "check_failed", str(text.id))
