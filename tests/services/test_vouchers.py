"""Codes that give money: made once, used once each, and not to be guessed."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from db.session import Database
from sandbox.clock import ManualClock
from services.accounts import Accounts
from services.announcer import Announcer
from services.errors import TooManyGuesses, VoucherRefused, WordRefused
from services.outbox import Outbox
from services.vouchers import ALPHABET, GUESSES, GUESSES_OF_ALL, Draft, Vouchers, read_code, spell
from tests.builders import CURRENCY, Sent, balance, entries

pytestmark = pytest.mark.anyio

OPERATOR, ANN, BEN = 1, 42, 78
DAY = timedelta(days=1)


class Shop:
    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.sent = database, ManualClock(), Sent()
        self.outbox = Outbox(database, self.clock)
        self.outbox.register({"alert": self.sent.record})
        self.accounts = Accounts(database, self.clock, currency=CURRENCY)
        self.vouchers = Vouchers(database, self.clock, Announcer(self.outbox), currency=CURRENCY)

    async def meet(self, *user_ids: int) -> None:
        for user_id in user_ids:
            await self.accounts.meet(user_id, name="Ann", username=None, language_code="en")

    async def make(self, *, amount: int = 500, uses: int = 1, days: int = 1, word: str | None = None) -> str:
        """The code of a new voucher."""
        draft = Draft(amount, uses, days * DAY)
        made = await self.vouchers.create(OPERATOR, draft, key=f"{self.clock.now()}{word}", word=word)
        return made.code

    async def refusal(self, user_id: int, code: str) -> str:
        """Why a code is refused."""
        with pytest.raises(VoucherRefused) as caught:
            await self.vouchers.redeem(user_id, code)
        return caught.value.reason

    async def available(self, user_id: int) -> int:
        return (await self.accounts.wallet(user_id)).available


@pytest.fixture
async def shop(database: Database) -> Shop:
    shop = Shop(database)
    await shop.meet(OPERATOR, ANN, BEN)
    return shop


def test_a_code_is_read_however_it_is_typed():
    for typed in ("abcd-efgh-jkm", "ABCD EFGH JKM", " abcdefghjkm\n", "abcd–efgh—jkm", "ＡＢＣＤefghjkm"):
        assert read_code(typed) == "ABCDEFGHJKM"


def test_a_random_code_is_spelt_in_groups_and_a_word_is_not():
    assert spell("ABCDEFGHJKM") == "ABCD-EFGH-JKM"
    assert spell("WELCOME2026") == "WELCOME2026"
    assert spell("SUMMER") == "SUMMER"


async def test_random_codes_have_fifty_bits_and_no_look_alikes(shop: Shop):
    code = await shop.make()
    assert set(code) <= set(ALPHABET)
    assert not set(ALPHABET) & set("01ILOU")
    assert len(ALPHABET) ** len(code) >= 2**50


async def test_a_voucher_is_money_once(shop: Shop):
    code = await shop.make(amount=500, uses=10)
    await shop.vouchers.redeem(ANN, spell(code).lower())
    assert await shop.refusal(ANN, code) == "already_used"
    assert await shop.available(ANN) == 500
    [entry] = await entries(shop.database)
    assert (entry.source, entry.destination, entry.amount) == ("gateway:vouchers", "wallet:42", 500)
    assert entry.idempotency_key.startswith("voucher:")


async def test_a_used_up_voucher_gives_nothing(shop: Shop):
    code = await shop.make(uses=1)
    await shop.vouchers.redeem(ANN, code)
    assert await shop.refusal(BEN, code) == "used_up"
    assert await shop.available(BEN) == 0


async def test_a_voucher_ends_with_its_time(shop: Shop):
    code = await shop.make(uses=2, days=1)
    shop.clock.advance(DAY - timedelta(seconds=1))
    await shop.vouchers.redeem(ANN, code)
    shop.clock.advance(timedelta(seconds=1))
    assert await shop.refusal(BEN, code) == "expired"
    assert await shop.available(BEN) == 0


async def test_a_revoked_voucher_gives_nothing_more(shop: Shop):
    code = await shop.make(uses=2)
    voucher = await shop.vouchers.redeem(ANN, code)
    revoked = await shop.vouchers.revoke(voucher.id or 0, by=OPERATOR)
    shop.clock.advance(DAY)
    assert (await shop.vouchers.revoke(voucher.id or 0, by=OPERATOR)).revoked_at == revoked.revoked_at
    assert await shop.refusal(BEN, code) == "revoked"
    assert await shop.available(ANN) == 500


async def test_uses_at_the_same_time_never_pass_the_limit(shop: Shop):
    renters = list(range(100, 112))
    await shop.meet(*renters)
    code = await shop.make(uses=5)
    tries = (shop.vouchers.redeem(renter, code) for renter in renters)
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert Counter(type(end).__name__ for end in ends) == {"Voucher": 5, "VoucherRefused": 7}
    assert await balance(shop.database, "gateway:vouchers") == -5 * 500


async def test_one_renter_at_the_same_time_uses_a_voucher_once(shop: Shop):
    code = await shop.make(uses=10)
    ends = await asyncio.gather(*(shop.vouchers.redeem(ANN, code) for _ in range(8)), return_exceptions=True)
    assert Counter(type(end).__name__ for end in ends) == {"Voucher": 1, "VoucherRefused": 7}
    assert await shop.available(ANN) == 500
    found = await shop.vouchers.newest(limit=1)
    assert found.vouchers[0].uses == 1


async def test_one_intent_is_one_voucher(shop: Shop):
    draft = Draft(500, 1, DAY)
    made = await asyncio.gather(*(shop.vouchers.create(OPERATOR, draft, key="k") for _ in range(5)))
    assert len({voucher.code for voucher in made}) == 1
    assert len((await shop.vouchers.newest(limit=10)).vouchers) == 1
    assert (await shop.vouchers.create(OPERATOR, draft, key="k2")).code != made[0].code


async def test_an_own_word_is_a_code_like_any_other(shop: Shop):
    assert await shop.make(word="Summer-24") == "SUMMER24"
    await shop.vouchers.redeem(ANN, "summer 24")
    assert await shop.available(ANN) == 500


async def test_a_word_belongs_to_one_voucher(shop: Shop):
    await shop.make(word="summer")
    shop.clock.advance(DAY)
    with pytest.raises(WordRefused) as caught:
        await shop.make(word="SUMMER")
    assert caught.value.reason == "taken"


@pytest.mark.parametrize("word", ["short", "x" * 21, "sömmer24", "- - - -", "лето2026"])
async def test_a_word_that_a_link_cannot_carry_is_refused(shop: Shop, word: str):
    with pytest.raises(WordRefused) as caught:
        await shop.make(word=word)
    assert caught.value.reason == "shape"


async def test_the_list_is_newest_first_with_the_sum_given_out(shop: Shop):
    codes = []
    for amount in (100, 200, 300):
        codes.append(await shop.make(amount=amount))
        shop.clock.advance(timedelta(seconds=1))
    await shop.vouchers.redeem(ANN, codes[0])
    await shop.vouchers.redeem(ANN, codes[2])
    found = await shop.vouchers.newest(limit=2, offset=1)
    assert [voucher.amount for voucher in found.vouchers] == [200, 100]
    assert found.given_out == 400


# Guessing


async def guess(shop: Shop, user_id: int, times: int) -> None:
    for number in range(times):
        assert await shop.refusal(user_id, f"WRONG{number}") == "unknown"


async def test_after_some_wrong_codes_even_a_right_one_is_refused(shop: Shop):
    code = await shop.make()
    await guess(shop, ANN, GUESSES)
    with pytest.raises(TooManyGuesses) as caught:
        await shop.vouchers.redeem(ANN, code)
    assert caught.value.wait == timedelta(hours=1)
    assert await shop.available(ANN) == 0
    await shop.vouchers.redeem(BEN, code)


async def test_the_wait_ends_an_hour_after_the_wrong_codes(shop: Shop):
    code = await shop.make()
    for _ in range(GUESSES):
        await guess(shop, ANN, 1)
        shop.clock.advance(timedelta(minutes=10))
    shop.clock.advance(timedelta(minutes=9))
    with pytest.raises(TooManyGuesses) as caught:
        await shop.vouchers.redeem(ANN, code)
    assert caught.value.wait == timedelta(minutes=1)
    shop.clock.advance(caught.value.wait)
    await shop.vouchers.redeem(ANN, code)
    await guess(shop, ANN, 1)
    with pytest.raises(TooManyGuesses):
        await shop.vouchers.redeem(ANN, code)


async def test_guesses_at_the_same_time_are_all_counted(shop: Shop):
    tries = (shop.vouchers.redeem(ANN, f"WRONG{number}") for number in range(20))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert Counter(type(end).__name__ for end in ends) == {
        "VoucherRefused": GUESSES,
        "TooManyGuesses": 20 - GUESSES,
    }


async def test_many_guessers_stop_everybody_and_the_operator_hears_of_it_once(shop: Shop):
    code = await shop.make()
    guessers = range(1000, 1000 + GUESSES_OF_ALL // GUESSES)
    await shop.meet(*guessers)
    for guesser in guessers:
        await guess(shop, guesser, GUESSES)
    with pytest.raises(TooManyGuesses):
        await shop.vouchers.redeem(ANN, code)
    await shop.outbox.drain()
    assert shop.sent.alerts == ["voucher_guessing"]
    shop.clock.advance(timedelta(hours=1))
    await shop.vouchers.redeem(ANN, code)
