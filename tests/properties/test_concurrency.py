"""Many at once on the same wallets and orders; and the audit, which looks on, never sees them half done."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from db.models import OrderStatus
from db.session import Database
from services.errors import InsufficientFunds
from tests.properties import books
from tests.properties.books import Operation

pytestmark = pytest.mark.anyio

RENTERS = (1, 2, 3)
PEOPLE, TAPS = 8, 30
ENDS = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


@dataclass
class Crowd:
    """What everybody does, and did: whatever one of them began, another may repeat at the same moment."""

    database: Database
    random: random.Random
    orders: list[tuple[int, int, int]] = field(default_factory=list)
    """Id, renter, price."""
    charges: list[tuple[int, str]] = field(default_factory=list)
    """Who paid with Stars, and the charge."""
    done: list[Operation] = field(default_factory=list)
    counted: int = 0

    async def act(self) -> None:
        operation = self._next()
        self.done.append(operation)
        with suppress(InsufficientFunds):
            await books.commit(self.database, operation)

    def _next(self) -> Operation:
        renter, amount = self.random.choice(RENTERS), self.random.randint(1, 40)
        self.counted += 1
        key = f"k{self.counted}"
        chance = self.random.random()
        if self.done and chance < 0.15:
            return self.random.choice(self.done)
        if chance < 0.25:
            return books.top_up(renter, amount * 2, key)
        if chance < 0.35:
            return self._pay(renter, amount, key)
        if chance < 0.4:
            return books.debit(renter, amount, key)
        if self.charges and chance < 0.5:
            return books.take_back(*self.random.choice(self.charges))
        if self.orders and chance < 0.75:
            return self._about(*self.random.choice(self.orders))
        return self._place(renter, amount, key)

    def _about(self, order_id: int, renter: int, price: int) -> Operation:
        return self.random.choice(
            (
                books.receive(order_id, price, inviter=1 + renter % 3, reward=price // 4),
                books.end(order_id, renter, price, self.random.choice(ENDS)),
                books.refund(order_id, renter, price),
                books.complete(order_id),
            )
        )

    def _pay(self, renter: int, amount: int, charge: str) -> Operation:
        pay = books.pay(renter, amount, charge)

        async def operation(session):
            if await pay(session):
                self.charges.append((renter, charge))

        return operation

    def _place(self, renter: int, price: int, key: str) -> Operation:
        place = books.place(renter, price, self.random.randint(1, 3), key)

        async def operation(session):
            self.orders += [(order_id, renter, price) for order_id in await place(session)]

        return operation


@pytest.mark.parametrize("seed", range(2))
async def test_the_books_are_right_whatever_happens_at_once(database: Database, seed: int):
    await books.open_shop(database)
    for renter in RENTERS:
        await books.commit(database, books.meet(renter))
    crowd = Crowd(database, random.Random(seed))

    async def tap() -> None:
        for _ in range(TAPS):
            await crowd.act()

    async def look_on() -> None:
        while True:
            assert (await books.audit(database)).findings == ()

    looking = asyncio.create_task(look_on())
    async with asyncio.TaskGroup() as group:
        for _ in range(PEOPLE):
            group.create_task(tap())
    assert not looking.done()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    report = await books.audit(database)
    assert report.findings == ()
    assert report.entries
    assert report.entries > PEOPLE * TAPS // 4
