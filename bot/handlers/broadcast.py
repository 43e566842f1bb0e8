"""`/broadcast`: one message to many renters, written, looked at, sent and watched in the operator's chat."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

from telegram import Message, Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.courier import TelegramCourier, draw_panel
from bot.handlers.screens import Acts, answer, read_tap, reader_of, said, show, tapped_message_id
from bot.views import broadcast as views
from bot.views.screen import View
from db.models import Broadcast
from services.broadcasts import Outcome
from services.quiet_hours import QuietHours, find_zone
from services.senders.parts import count_parts

CONTENT, LINK, TIME, QUIET = "broadcast", "broadcast_link", "broadcast_time", "broadcast_quiet"
_TIME = re.compile(r"(?:(\d{4})-(\d{1,2})-(\d{1,2})[ T]+)?(\d{1,2})[:.](\d{2})(?:\s+(\S+))?")
_LINK = re.compile(r"(.{1,64}?)\s*\|\s*((?:https?|tg)://\S{3,}|t\.me/\S+)", re.DOTALL)


async def begin(update: Update, context: Context) -> None:
    """`/broadcast`."""
    context.typed.clear()
    recent = await context.shop.broadcasts.newest(limit=5)
    await show(update, context, views.ask_message(reader_of(context), recent))
    raise ApplicationHandlerStop(CONTENT)


async def begin_by_tap(update: Update, context: Context) -> None:
    read_tap(update, context)
    await begin(update, context)


async def take_message(update: Update, context: Context) -> None:
    """The message itself; pieces of an album come one by one."""
    assert update.message
    drafting, album = context.typed, update.message.media_group_id
    if album and drafting.get("album") == album:
        broadcast = await context.shop.broadcasts.add_piece(
            drafting["id"], context.user.id, update.message.message_id, words=_words(update.message)
        )
        await _redraw(context, broadcast)
        raise ApplicationHandlerStop(CONTENT)
    broadcast = await context.shop.broadcasts.draft(
        context.user.id, update.message.message_id, album=album, words=_words(update.message)
    )
    drafting.update(id=broadcast.id, album=album)
    if album is None:
        await _preview(context, broadcast)
    drafting["panel"] = (await _send_draft(context, broadcast)).message_id
    raise ApplicationHandlerStop(CONTENT)


async def ask_link(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    context.typed.update(id=tap.number(0), panel=tapped_message_id(update))
    await show(update, context, views.ask_link(reader_of(context)))
    raise ApplicationHandlerStop(LINK)


async def take_link(update: Update, context: Context) -> None:
    found = _LINK.fullmatch(said(update))
    if found is None:
        await show(update, context, views.ask_link(reader_of(context), wrong=True))
        raise ApplicationHandlerStop(LINK)
    text, url = found.groups()
    broadcast = await context.shop.broadcasts.get(context.typed["id"])
    links = [*broadcast.links, [text, url if "://" in url else f"https://{url}"]]
    broadcast = await context.shop.broadcasts.set_links(broadcast.id or 0, context.user.id, links)
    await _preview(context, broadcast)
    await _send_draft(context, broadcast)
    raise ApplicationHandlerStop(CONTENT)


async def ask_time(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    context.typed.update(id=tap.number(0), panel=tapped_message_id(update))
    await show(update, context, views.ask_time(reader_of(context)))
    raise ApplicationHandlerStop(TIME)


async def take_time(update: Update, context: Context) -> None:
    assert update.message
    at = read_time(said(update), context.shop.clock.now())
    if at is None:
        await show(update, context, views.ask_time(reader_of(context), wrong=True))
        raise ApplicationHandlerStop(TIME)
    panel = await update.message.reply_text("…")
    id = context.typed["id"]
    context.typed.clear()
    await context.shop.broadcasts.send(id, context.user.id, panel_id=panel.message_id, at=at)
    await draw_panel(context.bot, context.shop, await context.shop.broadcasts.get(id))
    raise ApplicationHandlerStop(ConversationHandler.END)


async def ask_quiet(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    context.typed.update(id=tap.number(0), panel=tapped_message_id(update))
    await show(update, context, views.ask_quiet(reader_of(context)))
    raise ApplicationHandlerStop(QUIET)


async def take_quiet(update: Update, context: Context) -> None:
    quiet = QuietHours.read(said(update))
    if quiet is None:
        await show(update, context, views.ask_quiet(reader_of(context), wrong=True))
        raise ApplicationHandlerStop(QUIET)
    id = context.typed["id"]
    await _send_draft(context, await context.shop.broadcasts.set_quiet(id, context.user.id, quiet))
    raise ApplicationHandlerStop(CONTENT)


def read_time(text: str, now: datetime) -> datetime | None:
    """Aware UTC; None for what is no time to come. Without a date it is the next such hour."""
    found = _TIME.fullmatch(text.strip())
    zone = find_zone(found[6]) if found else None
    if found is None or zone is None:
        return None
    local = now.astimezone(zone)
    try:
        at = local.replace(hour=int(found[4]), minute=int(found[5]), second=0, microsecond=0)
        if found[1]:
            at = at.replace(year=int(found[1]), month=int(found[2]), day=int(found[3]))
        elif at <= local:
            at += timedelta(days=1)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at > now else None


async def _act(update: Update, context: Context, tap: Tap) -> None:
    """A button of a draft or of a panel: its verb, and the broadcast's id."""
    await _VERBS[tap.args[0]](update, context, tap)


async def _to(update: Update, context: Context, tap: Tap) -> None:
    audience = ":".join(tap.args[2:])
    broadcast = await context.shop.broadcasts.set_audience(tap.number(1), context.user.id, audience)
    await _show_draft(update, context, broadcast)


async def _by_text(update: Update, context: Context, tap: Tap) -> None:
    on = bool(tap.number(2))
    broadcast = await context.shop.broadcasts.set_texting(tap.number(1), context.user.id, on=on)
    await _show_draft(update, context, broadcast)


async def _send(update: Update, context: Context, tap: Tap) -> None:
    panel_id = tapped_message_id(update)
    await context.shop.broadcasts.send(tap.number(1), context.user.id, panel_id=panel_id)
    context.typed.clear()
    await _panel(update, context, tap)


async def _discard(update: Update, context: Context, tap: Tap) -> None:
    if not await context.shop.broadcasts.discard(tap.number(1), by=context.user.id):
        return await _panel(update, context, tap)
    context.typed.clear()
    await show(update, context, views.discarded(reader_of(context)))


async def _look(update: Update, context: Context, tap: Tap) -> None:
    await answer(update)
    await _preview(context, await context.shop.broadcasts.get(tap.number(1)))


async def _no_links(update: Update, context: Context, tap: Tap) -> None:
    broadcast = await context.shop.broadcasts.set_links(tap.number(1), context.user.id, [])
    await _show_draft(update, context, broadcast)


async def _panel(update: Update, context: Context, tap: Tap) -> None:
    """Show how far it has come, here."""
    await answer(update)
    broadcast = await context.shop.broadcasts.get(tap.number(1))
    await draw_panel(context.bot, context.shop, broadcast, panel_id=tapped_message_id(update))


async def _pause(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.broadcasts.pause(tap.number(1), by=context.user.id)
    await _panel(update, context, tap)


async def _resume(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.broadcasts.resume(tap.number(1), by=context.user.id)
    await _panel(update, context, tap)


async def _stop(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.broadcasts.stop(tap.number(1), by=context.user.id)
    await _panel(update, context, tap)


async def _ask_recall(update: Update, context: Context, tap: Tap) -> None:
    broadcast = await context.shop.broadcasts.get(tap.number(1))
    await show(update, context, views.ask_recall(reader_of(context), broadcast))


async def _recall(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.broadcasts.recall(tap.number(1), by=context.user.id)
    await _panel(update, context, tap)


async def _csv(update: Update, context: Context, tap: Tap) -> None:
    await answer(update)
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(["user_id", "by", "status", "error", "reason"])
    async for delivery in context.shop.broadcasts.failures(tap.number(1)):
        table.writerow([delivery.user_id, "chat", delivery.status, delivery.error or "", ""])
    async for text in context.shop.broadcasts.text_failures(tap.number(1)):
        table.writerow([text.user_id, "sms", text.status, text.failure or "", text.reason or ""])
    await context.bot.send_document(
        context.user.id, written.getvalue().encode(), filename=f"broadcast-{tap.number(1)}.csv"
    )


async def _not_quiet(update: Update, context: Context, tap: Tap) -> None:
    broadcast = await context.shop.broadcasts.set_quiet(tap.number(1), context.user.id, None)
    await _show_draft(update, context, broadcast)


async def _preview(context: Context, broadcast: Broadcast) -> Outcome:
    """To the operator, exactly as to everybody."""
    return await TelegramCourier(context.bot).deliver(broadcast, context.user.id)


async def _show_draft(update: Update, context: Context, broadcast: Broadcast) -> None:
    await show(update, context, await _draft_view(context, broadcast))


async def _send_draft(context: Context, broadcast: Broadcast) -> Message:
    view = await _draft_view(context, broadcast)
    return await context.bot.send_message(context.user.id, view.text, reply_markup=view.keyboard)


async def _redraw(context: Context, broadcast: Broadcast) -> None:
    view = await _draft_view(context, broadcast)
    await context.bot.edit_message_text(
        view.text, context.user.id, context.typed["panel"], reply_markup=view.keyboard
    )


async def _draft_view(context: Context, broadcast: Broadcast) -> View:
    service = context.shop.broadcasts
    reach, languages = await service.count(broadcast.audience), await service.languages()
    return views.draft(
        reader_of(context), broadcast, reach, list(languages), await _text_reach(context, broadcast)
    )


async def _text_reach(context: Context, broadcast: Broadcast) -> views.TextReach | None:
    """What its texts would come to; None where it cannot be texted."""
    if not broadcast.text_body or not any(True for _ in context.shop.senders):
        return None
    phones = await context.shop.broadcasts.count_phones(broadcast.audience)
    newsletters = await context.shop.switchboard.newsletter_senders()
    return views.TextReach(phones, count_parts(broadcast.text_body), sorted(newsletters))


def _words(message: Message) -> str | None:
    return message.text or message.caption


_VERBS: Acts = {
    "to": _to,
    "text": _by_text,
    "send": _send,
    "discard": _discard,
    "preview": _look,
    "nolinks": _no_links,
    "noquiet": _not_quiet,
    "panel": _panel,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "askrecall": _ask_recall,
    "recall": _recall,
    "csv": _csv,
}
ACTS: Acts = {"bc": _act}
