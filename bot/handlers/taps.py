"""Every tap on a button of ours: read, checked, and handed to what it asks for."""

from telegram import Update

from bot.buttons import ForgedButton, StaleButton, Tap
from bot.context import Context
from bot.handlers import (
    audit,
    browse,
    inviting,
    operator,
    orders,
    payments,
    redeeming,
    sender_ids,
    senders,
    start,
    vouchers,
)
from bot.handlers.screens import Acts, needs_terms, read_tap

RENTER: Acts = {
    **start.ACTS,
    **browse.ACTS,
    **orders.ACTS,
    **payments.ACTS,
    **redeeming.ACTS,
    **inviting.ACTS,
}
OPERATOR: Acts = {
    **operator.ACTS,
    **payments.OPERATOR_ACTS,
    **senders.ACTS,
    **sender_ids.ACTS,
    **vouchers.ACTS,
    **audit.ACTS,
}


async def dispatch(update: Update, context: Context) -> None:
    """Raises BadButton."""
    tap = read_tap(update, context)
    if tap.action == "accept":
        await _accept(update, context, Tap(tap.args[0], tap.args[1:]))
    elif tap.action in OPERATOR:
        if not start.is_operator(context):
            raise ForgedButton
        await OPERATOR[tap.action](update, context, tap)
    elif tap.action not in RENTER:
        raise StaleButton
    elif not await needs_terms(update, context):
        await RENTER[tap.action](update, context, tap)


async def _accept(update: Update, context: Context, then: Tap) -> None:
    """Remember it, and go on to what they wanted."""
    await context.shop.accounts.accept_terms(context.user.id)
    await RENTER[then.action](update, context, then)
