"""`/senders`: who sends our SMS, a test of each, and which of them texts which country."""

import asyncio
from contextlib import suppress

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.views import senders as views
from services.errors import UpstreamError
from services.places import country_of, parse_phone
from services.search import find_country
from services.senders.base import Metered, Newsletters, Phones, Sender, SenderIds
from services.texting import Draft

PHONE, COUNTRY = "text phone", "text country"
END = ConversationHandler.END


async def command(update: Update, context: Context) -> None:
    shop = context.shop
    sender_ids = await shop.switchboard.sender_ids()
    newsletters = await shop.switchboard.newsletter_senders()
    states = await asyncio.gather(
        *(
            _state(context, sender, sender_ids.get(sender.name), newsletters=sender.name in newsletters)
            for sender in shop.senders
        )
    )
    await show(update, context, views.senders(reader_of(context), states, await shop.switchboard.choices()))


async def _state(
    context: Context, sender: Sender, sender_id: str | None, *, newsletters: bool
) -> views.SenderState:
    """How a sender is doing; it is asked now."""
    shop, usage, devices = context.shop, None, None
    # What goes wrong, its health says.
    with suppress(UpstreamError), shop.senders.calling(sender.name):
        devices = await sender.devices() if isinstance(sender, Phones) else None
        await sender.check()  # which refuses where there are none
        usage = await sender.usage() if isinstance(sender, Metered) else None
    return views.SenderState(
        sender=sender,
        health=shop.senders.health(sender.name),
        sender_id=sender_id,
        has_sender_ids=isinstance(sender, SenderIds),
        usage=usage,
        devices=devices,
        newsletters=newsletters if isinstance(sender, Newsletters) else None,
    )


async def ask_phone(update: Update, context: Context) -> None:
    """A tap on Test."""
    tap = read_tap(update, context)
    sender = context.shop.senders.find(tap.args[0])
    if sender is None:
        await command(update, context)
        raise ApplicationHandlerStop(END)
    context.typed["sender"] = sender.name
    await show(update, context, views.ask_test_number(reader_of(context), sender))
    raise ApplicationHandlerStop(PHONE)


async def take_phone(update: Update, context: Context) -> None:
    """The update's id is the key: handled twice, it texts once."""
    sender = context.shop.senders.find(context.typed["sender"])
    if sender is None:
        return await _leave(update, context)
    phone_number = parse_phone(said(update), home_of(sender))
    if phone_number is None or sender not in context.shop.switchboard.reaching(country_of(phone_number)):
        await show(update, context, views.ask_test_number(reader_of(context), sender, wrong=True))
        raise ApplicationHandlerStop(PHONE)
    draft = Draft(f"test:{update.update_id}", phone_number, context.user.id)
    await context.shop.texting.send_test(sender.name, views.test_text(context.language), draft)
    context.typed.clear()
    await show(update, context, views.test_queued(reader_of(context), sender.name, phone_number))
    raise ApplicationHandlerStop(END)


async def ask_country(update: Update, context: Context) -> None:
    read_tap(update, context)
    await show(update, context, views.ask_country(reader_of(context)))
    raise ApplicationHandlerStop(COUNTRY)


async def take_country(update: Update, context: Context) -> None:
    iso = find_country(said(update))
    if iso is None:
        await show(update, context, views.ask_country(reader_of(context), wrong=True))
        raise ApplicationHandlerStop(COUNTRY)
    await _show_country(update, context, iso)
    raise ApplicationHandlerStop(END)


async def _tap_senders(update: Update, context: Context, tap: Tap) -> None:
    await command(update, context)


async def _tap_serve(update: Update, context: Context, tap: Tap) -> None:
    iso, name = tap.args
    await context.shop.switchboard.choose(iso, name or None, by=context.user.id)
    await _show_country(update, context, iso)


async def _tap_newsletters(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.switchboard.use_newsletters(tap.args[0], on=bool(tap.number(1)), by=context.user.id)
    await command(update, context)


async def _show_country(update: Update, context: Context, iso: str) -> None:
    board = context.shop.switchboard
    choices = await board.choices()
    serving = board.serving(iso, choices)
    name = serving.name if serving else None
    view = views.country(reader_of(context), iso, board.reaching(iso), name, choices.get(iso))
    await show(update, context, view)


async def _leave(update: Update, context: Context) -> None:
    """What was asked about is no longer there."""
    context.typed.clear()
    await command(update, context)
    raise ApplicationHandlerStop(END)


def home_of(sender: Sender) -> str | None:
    """The one country in which numbers need no plus."""
    return next(iter(sender.countries)) if sender.countries and len(sender.countries) == 1 else None


ACTS: Acts = {"senders": _tap_senders, "textserve": _tap_serve, "newsletters": _tap_newsletters}
