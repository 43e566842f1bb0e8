"""Whatever happens in whatever order, and wherever it is cut off: nothing is lost, made, or spent twice.

A new way for money to move is one more operation in `books` and one more rule here, with what it does to
the plain numbers of the model.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

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
from sqlmodel import col, select

from db import ledger as db_ledger
from db.models import Account, OrderStatus
from db.session import Database
from services import ledger
from services.errors import InsufficientFunds, KeyReused
from tests.conftest import wipe
from tests.properties import books
from tests.properties.books import Operation


class Fate(Enum):
    """What becomes of the process that does something."""

    LIVES = auto()
    DIES_BEFORE = auto()
    """Killed before its commit; the next life does it again."""
    DIES_AFTER = auto()
    """Killed after its commit, before anybody heard of it; the next life does it again."""


FATES = st.sampled_from(Fate)
RENTERS = st.sampled_from([0, 1])
AMOUNTS = st.integers(min_value=1, max_value=100)
WAYS = st.sampled_from(["operator", "vouchers"])
ENDS = st.sampled_from([OrderStatus.CANCELED, OrderStatus.EXPIRED])


@dataclass(frozen=True)
class Placed:
    id: int
    renter: int
    price: int
    reward: int = 0
    """What the other renter got for it, who invited this one."""


class Bench:
    """One database for all examples: each works with renters of its own, and all share the sums."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        """`fresh`: the address of an empty database."""
        self.loop = asyncio.new_event_loop()
        self.ids = count(1)
        self._fresh = fresh
        self._begin()

    def _begin(self) -> None:
        self.database = Database(self._fresh())
        self.run(books.open_shop(self.database))

    def clear_up(self) -> None:
        """After an example that found something, the next one must not find it again by itself."""
        if self.run(books.audit(self.database)).findings:
            self.restart()
            self._begin()

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def restart(self) -> None:
        """Nothing of the process is left."""
        self.run(self.database.aclose())

    def close(self) -> None:
        self.run(self.database.aclose())
        self.loop.close()


class Money(RuleBasedStateMachine):
    """Drives the real ledger on a real database beside a model of plain numbers."""

    bench: ClassVar[Bench]

    waiting = Bundle("waiting")
    coded = Bundle("coded")
    ended = Bundle("ended")
    moves = Bundle("moves")
    paid = Bundle("paid")

    @initialize()
    def open(self) -> None:
        self.bench.clear_up()
        self.renters = [next(self.bench.ids), next(self.bench.ids)]
        self.wallets = [0, 0]
        self.debts = [0, 0]
        self.held: dict[int, int] = {}
        self.revenue = 0
        for renter in self.renters:
            self.do(books.meet(renter))
        earned = self.bench.run(self._balances([ledger.REVENUE])).get(ledger.REVENUE, 0)
        if earned:
            self.do(books.pay_out(earned, self.key()))

    def _give(self, renter: int, amount: int) -> None:
        """What comes into a wallet settles a debt first."""
        settled = min(amount, self.debts[renter])
        self.debts[renter] -= settled
        self.wallets[renter] += amount - settled

    def key(self) -> str:
        return f"k{next(self.bench.ids)}"

    def do(self, operation: Operation, fate: Fate = Fate.LIVES) -> Any:
        """What the first life that committed it got."""
        database = self.bench.database
        if fate is Fate.DIES_BEFORE:
            self.bench.run(books.cut_off(database, operation))
            self.the_books_are_right()
        result = self.bench.run(books.commit(database, operation))
        if fate is Fate.DIES_AFTER:
            self.bench.run(books.commit(database, operation))
        return result

    @rule(target=moves, renter=RENTERS, amount=AMOUNTS, by=WAYS, fate=FATES)
    def top_up(self, renter: int, amount: int, by: str, fate: Fate) -> Any:
        key = self.key()
        assert self.do(books.top_up(self.renters[renter], amount, key, by=by), fate)
        self._give(renter, amount)
        return ledger.gateway(by), ledger.wallet(self.renters[renter]), amount, key

    @rule(target=paid, renter=RENTERS, amount=AMOUNTS, fate=FATES)
    def pay_with_stars(self, renter: int, amount: int, fate: Fate) -> Any:
        charge = self.key()
        assert self.do(books.pay(self.renters[renter], amount, charge), fate)
        self._give(renter, amount)
        return renter, amount, charge

    @rule(payment=paid, fate=FATES)
    def told_again_of_a_payment(self, payment: tuple[int, int, str], fate: Fate) -> None:
        renter, amount, charge = payment
        assert not self.do(books.pay(self.renters[renter], amount, charge), fate)

    @rule(payment=paid, fate=FATES)
    def the_store_takes_stars_back(self, payment: tuple[int, int, str], fate: Fate) -> None:
        """What has been spent becomes a debt."""
        renter, amount, charge = payment
        if self.do(books.take_back(self.renters[renter], charge), fate):
            available = min(amount, self.wallets[renter])
            self.wallets[renter] -= available
            self.debts[renter] += amount - available

    @rule(target=moves, renter=RENTERS, amount=AMOUNTS, fate=FATES)
    def debit(self, renter: int, amount: int, fate: Fate) -> Any:
        key = self.key()
        operation = books.debit(self.renters[renter], amount, key)
        if amount > self.wallets[renter]:
            with pytest.raises(InsufficientFunds):
                self.do(operation, fate)
            return multiple()
        assert self.do(operation, fate)
        self.wallets[renter] -= amount
        return ledger.wallet(self.renters[renter]), ledger.gateway("operator"), amount, key

    @rule(target=waiting, renter=RENTERS, price=AMOUNTS, quantity=st.integers(1, 3), fate=FATES)
    def place(self, renter: int, price: int, quantity: int, fate: Fate) -> Any:
        operation = books.place(self.renters[renter], price, quantity, self.key())
        if price * quantity > self.wallets[renter]:
            with pytest.raises(InsufficientFunds):
                self.do(operation, fate)
            return multiple()
        placed = self.do(operation, fate)
        assert len(placed) == quantity
        self.wallets[renter] -= price * quantity
        self.held |= dict.fromkeys(placed, price)
        return multiple(*(Placed(id, renter, price) for id in placed))

    @rule(target=coded, order=consumes(waiting), percent=st.sampled_from([0, 5, 50]), fate=FATES)
    def receive(self, order: Placed, percent: int, fate: Fate) -> Any:
        reward, inviter = order.price * percent // 100, 1 - order.renter
        operation = books.receive(order.id, order.price, inviter=self.renters[inviter], reward=reward)
        assert self.do(operation, fate)
        self.revenue += self.held.pop(order.id) - reward
        self._give(inviter, reward)
        return replace(order, reward=reward)

    @rule(target=ended, order=consumes(waiting), status=ENDS, fate=FATES)
    def end(self, order: Placed, status: OrderStatus, fate: Fate) -> Any:
        assert self.do(books.end(order.id, self.renters[order.renter], order.price, status), fate)
        self._give(order.renter, self.held.pop(order.id))
        return order

    @rule(order=coded, status=ENDS, fate=FATES)
    def an_end_after_the_code(self, order: Placed, status: OrderStatus, fate: Fate) -> None:
        assert not self.do(books.end(order.id, self.renters[order.renter], order.price, status), fate)

    @rule(order=ended, fate=FATES)
    def a_code_after_the_end(self, order: Placed, fate: Fate) -> None:
        assert not self.do(books.receive(order.id, order.price), fate)

    @rule(target=waiting, order=consumes(waiting), fate=FATES)
    def swap(self, order: Placed, fate: Fate) -> Any:
        """The wallet sees nothing of it."""
        next_id = self.do(books.swap(order.id, order.price), fate)
        self.held[next_id] = self.held.pop(order.id)
        return Placed(next_id, order.renter, order.price)

    @rule(order=ended, fate=FATES)
    def buy_what_came_late(self, order: Placed, fate: Fate) -> None:
        """As often as one likes, it is paid for once."""
        operation = books.sell_late(order.id, self.renters[order.renter], order.price)
        try:
            if self.do(operation, fate):
                self.wallets[order.renter] -= order.price
                self.revenue += order.price
        except InsufficientFunds:
            assert self.wallets[order.renter] < order.price

    @rule(order=coded, fate=FATES)
    def complete(self, order: Placed, fate: Fate) -> None:
        self.do(books.complete(order.id), fate)

    @rule(order=coded, fate=FATES)
    def refund(self, order: Placed, fate: Fate) -> None:
        """The reward comes back as far as it has not been spent."""
        operation, inviter = books.refund(order.id, self.renters[order.renter], order.price), 1 - order.renter
        back = min(order.reward, self.wallets[inviter])
        try:
            if self.do(operation, fate):
                self.revenue += back - order.price
                self.wallets[inviter] -= back
                self._give(order.renter, order.price)
        except InsufficientFunds:
            assert self.revenue + back < order.price

    @rule(move=moves)
    def replay(self, move: tuple[str, str, int, str]) -> None:
        source, destination, amount, key = move
        assert not self.do(self._move(source, destination, amount, key))

    @rule(move=moves)
    def reuse_of_a_key(self, move: tuple[str, str, int, str]) -> None:
        source, destination, amount, key = move
        with pytest.raises(KeyReused):
            self.do(self._move(source, destination, amount + 1, key))

    @rule(order=ended)
    def a_second_settlement(self, order: Placed) -> None:
        """Were an order's state lost: its money still knows."""
        held = ledger.held(order.id)
        with pytest.raises(KeyReused):
            self.do(self._move(held, ledger.REVENUE, order.price, f"order:{order.id}:settle"))

    def _move(self, source: str, destination: str, amount: int, key: str) -> Operation:
        return lambda session: ledger.move(
            session,
            source,
            destination,
            amount,
            kind="replay",
            key=key,
            currency=books.CURRENCY,
            now=books.NOW,
        )

    @rule()
    def restart(self) -> None:
        self.bench.restart()

    @rule()
    def audit(self) -> None:
        assert self.bench.run(books.audit(self.bench.database)).findings == ()

    @invariant()
    def the_books_are_right(self) -> None:
        names = [ledger.wallet(renter) for renter in self.renters]
        names += [ledger.debt(renter) for renter in self.renters]
        names += [ledger.held(order_id) for order_id in self.held]
        balances = self.bench.run(self._balances([*names, ledger.REVENUE]))
        assert [balances.get(ledger.wallet(renter), 0) for renter in self.renters] == self.wallets
        assert min(self.wallets) >= 0
        assert [-balances.get(ledger.debt(renter), 0) for renter in self.renters] == self.debts
        assert {id: balances[ledger.held(id)] for id in self.held} == self.held
        assert balances.get(ledger.REVENUE, 0) == self.revenue

    async def _balances(self, names: list[str]) -> dict[str, int]:
        async with self.bench.database.read() as session:
            assert await db_ledger.total(session) == 0
            rows = await session.exec(
                select(Account.name, Account.balance).where(col(Account.name).in_(names))
            )
            return dict(rows.all())

    def teardown(self) -> None:
        self.audit()


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    names = count(1)

    def file() -> str:
        template = request.getfixturevalue("sqlite_template")
        return f"sqlite:///{shutil.copy(template, tmp_path / f'{next(names)}.db')}"

    def server() -> str:
        url: str = request.getfixturevalue("postgresql_server")
        asyncio.run(wipe(url))
        return url

    bench = Bench(file if request.param == "sqlite" else server)
    yield bench
    bench.close()


def test_the_ledger_keeps_its_promises(bench: Bench):
    Money.bench = bench
    run_state_machine_as_test(
        Money,
        settings=settings(
            # Steps take several times as long there, and what differs is tested by many at once.
            max_examples=25 if bench.database.is_sqlite else 12,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
