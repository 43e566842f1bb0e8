"""Whatever happens in whatever order: nothing is lost, made, or spent twice."""

import asyncio
import shutil
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import select

from db import ledger as db_ledger
from db import orders, users
from db.models import Account, OrderStatus, Service
from db.session import Database
from services import ledger
from services.errors import InsufficientFunds, KeyReused

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
CURRENCY = "IDR"
RENTERS = st.sampled_from([1, 2])
AMOUNTS = st.integers(min_value=1, max_value=100)


class Money(RuleBasedStateMachine):
    """Drives the real ledger on a real database beside a model of plain numbers."""

    template: Path

    open_orders = Bundle("open_orders")
    captured = Bundle("captured")
    moves = Bundle("moves")

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        path = shutil.copy(self.template, Path(self.folder.name) / "ledger.db")
        self.database = Database(f"sqlite:///{path}")
        self.wallets = {1: 0, 2: 0}
        self.debts = {1: 0, 2: 0}
        self.held = 0
        self.revenue = 0
        self.settled: list[int] = []
        self.keys = count(1)
        self.loop.run_until_complete(self._prepare())

    async def _prepare(self) -> None:
        async with self.database.write() as session:
            session.add(Service(id=1, slug="whatsapp", name="WhatsApp"))
            for renter in self.wallets:
                await users.ensure(session, renter, now=NOW)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.database.aclose())
        self.loop.close()
        self.folder.cleanup()

    def do(self, function: Any, *args: Any, **options: Any) -> Any:
        async def call() -> Any:
            async with self.database.write() as session:
                return await function(session, *args, **options, currency=CURRENCY, now=NOW)

        return self.loop.run_until_complete(call())

    @rule(target=moves, renter=RENTERS, amount=AMOUNTS)
    def top_up(self, renter: int, amount: int) -> Any:
        key = f"k{next(self.keys)}"
        assert self.do(ledger.top_up, renter, amount, by="stars", key=key)
        self._gain(renter, amount)
        return ledger.gateway("stars"), ledger.wallet(renter), amount, key

    def _gain(self, renter: int, amount: int) -> None:
        """What comes into a wallet settles a debt first."""
        settled = min(amount, self.debts[renter])
        self.debts[renter] -= settled
        self.wallets[renter] += amount - settled

    @rule(renter=RENTERS, amount=AMOUNTS)
    def take_back(self, renter: int, amount: int) -> None:
        debt = max(0, amount - self.wallets[renter])
        key = f"k{next(self.keys)}"
        assert self.do(ledger.take_back, renter, amount, by="stars", key=key) == debt
        self.wallets[renter] -= amount - debt
        self.debts[renter] += debt

    @rule(target=moves, renter=RENTERS, amount=AMOUNTS)
    def debit(self, renter: int, amount: int) -> Any:
        key = f"k{next(self.keys)}"
        if amount > self.wallets[renter]:
            with pytest.raises(InsufficientFunds):
                self.do(ledger.debit, renter, amount, key=key)
            return multiple()
        assert self.do(ledger.debit, renter, amount, key=key)
        self.wallets[renter] -= amount
        return ledger.wallet(renter), ledger.gateway("operator"), amount, key

    @rule(target=open_orders, renter=RENTERS, price=AMOUNTS)
    def hold(self, renter: int, price: int) -> Any:
        if price > self.wallets[renter]:
            with pytest.raises(InsufficientFunds):
                self._place(renter, price)
            return multiple()
        order_id = self._place(renter, price)
        self.wallets[renter] -= price
        self.held += price
        return order_id, renter, price

    def _place(self, renter: int, price: int) -> int:
        """An order and its hold, in one transaction."""

        async def place() -> int:
            async with self.database.write() as session:
                purchase = await orders.add_purchase(
                    session,
                    user_id=renter,
                    idempotency_key=f"p{next(self.keys)}",
                    service_id=1,
                    country="ID",
                    quantity=1,
                    price=price,
                    currency=CURRENCY,
                    created_at=NOW,
                )
                [order_id] = await orders.add_orders(session, purchase)
                await ledger.hold(session, renter, order_id, price, currency=CURRENCY, now=NOW)
                return order_id

        return int(self.loop.run_until_complete(place()))

    @rule(target=captured, order=consumes(open_orders))
    def capture(self, order: tuple[int, int, int]) -> Any:
        order_id, _, price = order
        self._end(order_id)
        for _ in range(2):
            self.do(ledger.capture, order_id, price)
        self.held -= price
        self.revenue += price
        return order

    @rule(order=consumes(open_orders))
    def release(self, order: tuple[int, int, int]) -> None:
        order_id, renter, price = order
        self._end(order_id)
        for _ in range(2):
            self.do(ledger.release, renter, order_id, price)
        self.held -= price
        self._gain(renter, price)
        with pytest.raises(KeyReused):
            self.do(ledger.capture, order_id, price)

    def _end(self, order_id: int) -> None:
        async def end() -> None:
            async with self.database.write() as session:
                await orders.move(session, order_id, OrderStatus.FAILED, from_=[OrderStatus.PENDING])

        self.loop.run_until_complete(end())
        self.settled.append(order_id)

    @rule(order=captured)
    def refund(self, order: tuple[int, int, int]) -> None:
        order_id, renter, price = order
        try:
            if self.do(ledger.refund, renter, order_id, price):
                self.revenue -= price
                self._gain(renter, price)
        except InsufficientFunds:
            assert self.revenue < price

    @rule(move=moves)
    def replay(self, move: tuple[str, str, int, str]) -> None:
        source, destination, amount, key = move
        assert not self.do(ledger.move, source, destination, amount, kind="replay", key=key)

    @rule(move=moves)
    def reuse_of_a_key(self, move: tuple[str, str, int, str]) -> None:
        source, destination, amount, key = move
        with pytest.raises(KeyReused):
            self.do(ledger.move, source, destination, amount + 1, kind="replay", key=key)

    @invariant()
    def the_books_are_right(self) -> None:
        self.loop.run_until_complete(self._check())

    async def _check(self) -> None:
        async with self.database.read() as session:
            accounts = {account.name: account for account in await session.exec(select(Account))}
            assert await db_ledger.total(session) == 0
            held = [await db_ledger.held_for(session, renter) for renter in self.wallets]
        assert sum(held) == self.held
        below = {a.name for a in accounts.values() if a.balance < 0 and not a.name.startswith("gateway:")}
        assert below == {ledger.debt(renter) for renter, owed in self.debts.items() if owed}

        def balance(name: str) -> int:
            return accounts[name].balance if name in accounts else 0

        assert {renter: balance(ledger.wallet(renter)) for renter in self.wallets} == self.wallets
        assert {renter: -balance(ledger.debt(renter)) for renter in self.debts} == self.debts
        assert not [renter for renter in self.wallets if self.wallets[renter] and self.debts[renter]]
        assert balance(ledger.REVENUE) == self.revenue
        assert [balance(ledger.held(order_id)) for order_id in self.settled] == [0] * len(self.settled)


def test_the_ledger_keeps_its_promises(sqlite_template: Path):
    Money.template = sqlite_template
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
