"""Every tap on a button of ours: read, checked, and handed to what it asks for."""

from collections.abc import Mapping

from telegram import Update

from bot.buttons import StaleButton, Tap
from bot.context import Context
from bot.handlers import (
    access,
    audit,
    bans,
    books,
    broadcast,
    browse,
    choices,
    closing,
    disputes,
    home,
    inviting,
    limits,
    lookouts,
    operator,
    orders,
    panel,
    payments,
    people,
    preferences,
    pricing,
    privacy,
    redeeming,
    scopes,
    sender_ids,
    senders,
    start,
    statistics,
    suppliers,
    team,
    trail,
    vouchers,
)
from bot.handlers.screens import Acts, needs_terms, read_tap
from services.roles import Right

RENTER: Acts = {
    **home.ACTS,
    **start.ACTS,
    **browse.ACTS,
    **orders.ACTS,
    **payments.ACTS,
    **preferences.ACTS,
    **redeeming.ACTS,
    **inviting.ACTS,
    **lookouts.ACTS,
    **disputes.RENTER,
    **choices.ACTS,
}
NEWCOMER: Acts = {**privacy.RENTER, **choices.NEWCOMER_ACTS}
"""Also for those who never accepted the terms: we have their names, too, and they want to read them."""
OPERATOR: Mapping[Right, Acts] = {
    Right.DESK: panel.ACTS,
    Right.PEOPLE: {**people.ACTS, **operator.ORDER_ACTS, **disputes.PEOPLE},
    Right.BAN: {**bans.ACTS, **limits.ACTS},
    Right.MONEY: {**payments.OPERATOR_ACTS, **vouchers.ACTS, **disputes.MONEY},
    Right.SHOP: {
        **suppliers.ACTS,
        **pricing.ACTS,
        **scopes.ACTS,
        **senders.ACTS,
        **sender_ids.ACTS,
    },
    Right.BROADCAST: broadcast.ACTS,
    Right.AUDIT: {**audit.ACTS, **trail.ACTS, **statistics.ACTS, **books.ACTS},
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
    elif tap.action in NEWCOMER:
        await NEWCOMER[tap.action](update, context, tap)
    elif tap.action not in RENTER:
        raise StaleButton
    elif not await needs_terms(update, context):
        await RENTER[tap.action](update, context, tap)


async def _accept(update: Update, context: Context, then: Tap) -> None:
    """Remember it, and go on to what they wanted."""
    await context.shop.accounts.accept_terms(context.user.id)
    await RENTER[then.action](update, context, then)
