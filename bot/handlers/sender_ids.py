"""Registering a number or a name of the operator's own: name, number, code, each a message."""

from typing import NoReturn

from telegram import Update
from telegram.ext import ApplicationHandlerStop

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.handlers.senders import END, home_of
from bot.views import sender_ids as views
from bot.views.screen import View
from services.errors import (
    NameInvalid,
    NameRequired,
    NumberInvalid,
    NumberRequired,
    NumberTaken,
    OtpRefused,
    UpstreamError,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.places import parse_phone
from services.sender_ids import OwnId, Standing

NAME, NUMBER, OTP, ALPHA = "sid name", "sid number", "sid otp", "sid alpha"
NAME_LIMIT = 32


async def ask_name(update: Update, context: Context) -> None:
    """A tap on Add a number."""
    sender = _begin(update, context)
    await _ask(update, context, NAME, views.ask_name(reader_of(context), sender))


async def take_name(update: Update, context: Context) -> None:
    name = said(update)[:NAME_LIMIT]
    told = context.typed
    told["name"] = name
    # The name alone was wrong: the number is known already.
    if "number" in told:
        await _add(update, context, told["number"])
    await _ask(update, context, NUMBER, views.ask_number(reader_of(context), told["sender"]))


async def take_number(update: Update, context: Context) -> None:
    told = context.typed
    sender = context.shop.senders.find(told["sender"])
    number = parse_phone(said(update), home_of(sender) if sender else None)
    if number is None:
        problem = views.sentence(NumberInvalid(""), context.language)
        await _ask(update, context, NUMBER, views.ask_number(reader_of(context), told["sender"], problem))
    await _add(update, context, number)


async def _add(update: Update, context: Context, number: str) -> None:
    told, reader = context.typed, reader_of(context)
    sender = told["sender"]
    try:
        own = await context.shop.sender_ids.add_number(sender, told["name"], number, by=context.user.id)
    except NameRequired as error:
        told["number"] = number
        await _ask(update, context, NAME, views.ask_name(reader, sender, _words(context, error)))
    except (NumberRequired, NumberInvalid) as error:
        told.pop("number", None)
        await _ask(update, context, NUMBER, views.ask_number(reader, sender, _words(context, error)))
    except (NumberTaken, UpstreamUnknown) as error:
        told["number"] = number
        await _ask(update, context, OTP, views.failed(reader, sender, _words(context, error)))
    except UpstreamError as error:
        await _end(update, context, views.failed(reader, sender, _words(context, error)))
    else:
        if own.standing is Standing.VERIFIED:
            await _end(update, context, views.verified(reader, sender, own))
        told["number"] = number
        await _ask(update, context, OTP, views.ask_otp(reader, sender, number))


async def ask_otp(update: Update, context: Context) -> None:
    """A tap on Verify."""
    sender = _begin(update, context)
    number = read_tap(update, context).args[1]
    own = await _find(context, sender, number)
    if own is None:
        await _show_book(update, context, sender)
        raise ApplicationHandlerStop(END)
    context.typed.update(name=own.name, number=number)
    await _ask(update, context, OTP, views.ask_otp(reader_of(context), sender, number))


async def take_otp(update: Update, context: Context) -> None:
    told, reader = context.typed, reader_of(context)
    sender, number = told["sender"], told["number"]
    try:
        own = await context.shop.sender_ids.verify_number(
            sender, told["name"], number, otp=said(update), by=context.user.id
        )
    except NameRequired as error:
        await _ask(update, context, NAME, views.ask_name(reader, sender, _words(context, error)))
    except (OtpRefused, UpstreamUnknown, UpstreamUnavailable) as error:
        await _ask(update, context, OTP, views.ask_otp(reader, sender, number, _words(context, error)))
    except UpstreamError as error:
        await _end(update, context, views.failed(reader, sender, _words(context, error)))
    else:
        await _end(update, context, views.verified(reader, sender, own))


async def ask_alpha(update: Update, context: Context) -> None:
    """A tap on Request a name."""
    sender = _begin(update, context)
    await _ask(update, context, ALPHA, views.ask_alpha(reader_of(context), sender))


async def take_alpha(update: Update, context: Context) -> None:
    reader, sender = reader_of(context), context.typed["sender"]
    try:
        own = await context.shop.sender_ids.request_name(sender, said(update), by=context.user.id)
    except (NameRequired, NameInvalid) as error:
        await _ask(update, context, ALPHA, views.ask_alpha(reader, sender, _words(context, error)))
    except UpstreamError as error:
        await _end(update, context, views.failed(reader, sender, _words(context, error)))
    else:
        await _end(update, context, views.requested(reader, sender, own))


async def _tap_book(update: Update, context: Context, tap: Tap) -> None:
    await _show_book(update, context, tap.args[0])


async def _tap_use(update: Update, context: Context, tap: Tap) -> None:
    sender, sender_id = tap.args
    await context.shop.switchboard.use_sender_id(sender, sender_id or None, by=context.user.id)
    await _show_book(update, context, sender)


async def _show_book(update: Update, context: Context, sender: str) -> None:
    known = await context.shop.sender_ids.of_sender(sender)
    in_use = (await context.shop.switchboard.sender_ids()).get(sender)
    await show(update, context, views.book(reader_of(context), sender, known, in_use))


async def _find(context: Context, sender: str, sender_id: str) -> OwnId | None:
    known = await context.shop.sender_ids.of_sender(sender)
    return next((own for own in known if own.sender_id == sender_id), None)


def _begin(update: Update, context: Context) -> str:
    """The sender that the tapped button is about."""
    tap = read_tap(update, context)
    context.typed.clear()
    context.typed["sender"] = tap.args[0]
    return tap.args[0]


async def _ask(update: Update, context: Context, state: str, view: View) -> NoReturn:
    await show(update, context, view)
    raise ApplicationHandlerStop(state)


async def _end(update: Update, context: Context, view: View) -> NoReturn:
    context.typed.clear()
    await show(update, context, view)
    raise ApplicationHandlerStop(END)


def _words(context: Context, error: UpstreamError) -> str:
    return views.sentence(error, context.language)


ACTS: Acts = {"senderids": _tap_book, "siduse": _tap_use}
