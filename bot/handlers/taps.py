"""Every tap on a button of ours: read, checked, and handed to what it asks for."""

from collections.abc import Mapping

from telegram import Update

from bot.buttons import StaleButton, Tap
from bot.context import Context
from bot.handlers import (
    access,
    audit,
    bans,
    broadcast,
    browse,
    closing,
    inviting,
    operator,
    orders,
    panel,
    payments,
    people,
    preferences,
    privacy,
    redeeming,
    sender_ids,
    senders,
    start,
    team,
    trail,
    vouchers,
)
from bot.handlers.screens import Acts, needs_terms, read_tap
from services.roles import Right

RENTER: Acts = {
    **start.ACTS,
    **browse.ACTS,
    **orders.ACTS,
    **payments.ACTS,
    **preferences.ACTS,
    **redeeming.ACTS,
    **inviting.ACTS,
}
OPERATOR: Mapping[Right, Acts] = {
    Right.DESK: panel.ACTS,
    Right.PEOPLE: {**people.ACTS, **operator.ORDER_ACTS},
    Right.BAN: bans.ACTS,
    Right.MONEY: {**payments.OPERATOR_ACTS, **vouchers.ACTS},
    Right.SHOP: {**operator.SUPPLIER_ACTS, **senders.ACTS, **sender_ids.ACTS},
    Right.BROADCAST: broadcast.ACTS,
    Right.AUDIT: {**audit.ACTS, **trail.ACTS},
    Right.MAINTENANCE: closing.ACTS,
    Right.TEAM: team.ACTS,
    Right.ERASE: privacy.ACTS,
}
"""By the right that they need."""
_RIGHTS = {action: right for right, acts in OPERATOR.items() for action in acts}


async def dispatch(update: Update, context: Context) -> None:
    """Raises BadButton."""
    tap = read_tap(update, context)
    if tap.action == "accept":
        await _accept(update, context, Tap(tap.args[0], tap.args[1:]))
    elif right := _RIGHTS.get(tap.action):
        access.check(context, right)
        await OPERATOR[right][tap.action](update, context, tap)
    elif tap.action in privacy.RENTER:
        # Also for those who never accepted the terms: we have their names, too.
        await privacy.RENTER[tap.action](update, context, tap)
    elif tap.action not in RENTER:
        raise StaleButton
    elif not await needs_terms(update, context):
        await RENTER[tap.action](update, context, tap)


async def _accept(update: Update, context: Context, then: Tap) -> None:
    """Remember it, and go on to what they wanted."""
    await context.shop.accounts.accept_terms(context.user.id)
    await RENTER[then.action](update, context, then)
