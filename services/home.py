"""What a renter most likely comes back for, read at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from db import favourites, ledger, orders
from db.models import Order, Purchase
from db.session import Database
from services.favourites import Choice
from services.ledger import wallet

PURCHASES = 12
"""So many of the last ones are looked through for different offers."""
OFFERS, AGAIN = 5, 3
"""How many offers are at hand, pins and former purchases; and how many of them are former purchases."""


@dataclass(frozen=True, slots=True)
class Home:
    """What is somebody's own on the home screen."""

    available: int
    """In their wallet: minor units of the shop's currency."""
    pinned: tuple[Choice, ...]
    bought: tuple[Choice, ...]
    """What they bought last and have not pinned, newest first."""
    open_orders: int
    newest: tuple[Order, Purchase] | None
    """Of the open orders."""


class Homes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user_id: int) -> Home:
        async with self._database.read() as session:
            pins = await favourites.of_user(session, user_id)
            last = await orders.last_bought(session, user_id, limit=PURCHASES)
            available = await ledger.balance(session, wallet(user_id))
            open_orders = await orders.count_open(session, user_id)
            newest = await orders.of_user(session, user_id, open_only=True, limit=1, offset=0)
        pinned = tuple(Choice(pin.service_id, pin.country, pin.network or None) for pin in pins)
        bought = _others((Choice(*offer) for offer in last), than=pinned)
        return Home(
            available,
            pinned,
            bought[: min(AGAIN, OFFERS - len(pinned))],
            open_orders,
            newest[0] if newest else None,
        )


def _others(choices: Iterable[Choice], *, than: Collection[Choice]) -> tuple[Choice, ...]:
    """Each once, in its first place."""
    return tuple(choice for choice in dict.fromkeys(choices) if choice not in than)
