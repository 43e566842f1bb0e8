"""Who the renters are, and what they have."""

import asyncio
from datetime import timedelta

import pytest

from db.session import Database
from sandbox.clock import ManualClock
from services.accounts import Accounts
from services.errors import InsufficientFunds, UserNotFound
from services.ledger import REVENUE
from tests.builders import CURRENCY, PRICE, RENTER, World, balance, entries

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def accounts(database: Database, clock: ManualClock) -> Accounts:
    return Accounts(database, clock, currency=CURRENCY)


async def meet(accounts: Accounts, user_id: int = 1, name: str = "Rina", username: str | None = "rina"):
    return await accounts.meet(user_id, name=name, username=username, language_code="id")


async def test_a_stranger_is_written_down(accounts: Accounts, clock: ManualClock):
    user = await meet(accounts)
    assert (user.name, user.username, user.language_code) == ("Rina", "rina", "id")
    assert user.created_at == user.seen_at == clock.now()
    assert user.terms_accepted_at is None


async def test_meeting_again_keeps_what_was_and_tells_what_is_new(accounts: Accounts, clock: ManualClock):
    first = await meet(accounts)
    await accounts.accept_terms(1)
    clock.advance(timedelta(days=1))
    user = await meet(accounts, name="Rina S.", username=None)
    assert (user.name, user.username, user.created_at) == ("Rina S.", None, first.created_at)
    assert user.terms_accepted_at == first.created_at


async def test_many_first_messages_at_once_are_one_renter(accounts: Accounts):
    await asyncio.gather(*(meet(accounts) for _ in range(10)))
    assert (await accounts.get(1)).name == "Rina"


async def test_somebody_who_writes_has_not_blocked_us(accounts: Accounts, clock: ManualClock):
    await meet(accounts)
    await accounts.mark_blocked(1)
    assert (await accounts.get(1)).blocked_at == clock.now()
    assert (await meet(accounts)).blocked_at is None


async def test_nobody_is_nobody(accounts: Accounts):
    assert await accounts.find(1) is None
    with pytest.raises(UserNotFound):
        await accounts.get(1)


async def test_a_credit_is_given_once_a_key(accounts: Accounts, database: Database):
    assert await accounts.credit(1, 500, key="k", reason="sorry")
    assert not await accounts.credit(1, 500, key="k", reason="sorry")
    [entry] = await entries(database)
    assert (entry.kind, entry.amount, entry.reason, entry.source) == (
        "topup",
        500,
        "sorry",
        "gateway:operator",
    )
    assert (await accounts.wallet(1)).available == 500


async def test_simultaneous_credits_of_one_key_are_one(accounts: Accounts):
    given = await asyncio.gather(*(accounts.credit(1, 500, key="k", reason=None) for _ in range(10)))
    assert given.count(True) == 1
    assert (await accounts.wallet(1)).available == 500


async def test_a_debit_takes_back(accounts: Accounts):
    await accounts.credit(1, 500, key="k", reason=None)
    assert await accounts.debit(1, 200, key="d", reason="mistake")
    assert not await accounts.debit(1, 200, key="d", reason="mistake")
    assert (await accounts.wallet(1)).available == 300


async def test_a_debit_takes_no_more_than_there_is(accounts: Accounts):
    await accounts.credit(1, 500, key="k", reason=None)
    with pytest.raises(InsufficientFunds):
        await accounts.debit(1, 501, key="d", reason=None)
    assert (await accounts.wallet(1)).available == 500


async def test_a_wallet_shows_what_is_free_what_is_held_and_the_last_moves(world: World):
    order = await world.rent()
    await world.rent()
    await world.receive(order, "123456")
    seen = await world.accounts.wallet(RENTER)
    assert (seen.available, seen.held, seen.currency) == (8 * PRICE, PRICE, CURRENCY)
    assert [move.kind for move in seen.moves] == ["hold", "hold", "topup"]
    assert await balance(world.database, REVENUE) == PRICE


async def test_an_empty_wallet_is_a_wallet(accounts: Accounts):
    seen = await accounts.wallet(1)
    assert (seen.available, seen.held, seen.moves) == (0, 0, ())
