"""Who works here, and what each role may do: the one table of it."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from db.models import User


class Role(StrEnum):
    OWNER = "owner"
    """Named in ADMIN_IDS: nobody appoints or dismisses them in the chat."""
    MANAGER = "manager"
    SUPPORT = "support"


class Right(StrEnum):
    DESK = "desk"
    """To open the panel: everybody who works here."""
    PEOPLE = "people"
    """To look renters and orders up, to take notes, to write to renters."""
    BAN = "ban"
    """To keep renters out, or within limits of their own."""
    MONEY = "money"
    """To move money by hand: credit, debit, refunds, vouchers."""
    SHOP = "shop"
    """Suppliers, senders, prices."""
    BROADCAST = "broadcast"
    AUDIT = "audit"
    """To see what the shop earns, whether the books agree, and who did what; to take the books out."""
    MAINTENANCE = "maintenance"
    TEAM = "team"
    """To appoint and dismiss."""
    ERASE = "erase"
    """To erase somebody's data."""


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MANAGER: frozenset(Right) - {Right.TEAM, Right.ERASE},
    Role.SUPPORT: frozenset({Right.DESK, Right.PEOPLE}),
}
NONE: frozenset[Right] = frozenset()
"""What renters may do at the desk."""


def role_of(user: User, owner_ids: Collection[int]) -> Role | None:
    """None for renters."""
    if user.id in owner_ids:
        return Role.OWNER
    return Role(user.role) if user.role else None


def rights_of(role: Role | None) -> frozenset[Right]:
    return RIGHTS[role] if role else NONE
