"""What the page shows, as JSON."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

from sandbox.courier import Delivery
from sandbox.phones import PhoneSms, Sender
from sandbox.supplier import Rented, Supplier
from sandbox.telegram import Button, Charge, Forum, Message, Person
from sandbox.world import World

View = dict[str, Any]

NUMBERS_SHOWN = 30
DELIVERIES_SHOWN = 12
TEXTS_SHOWN = 12
CHARGES_SHOWN = 5
STOCKS_SHOWN = 3


def view_chats(world: World, since: int) -> list[View]:
    """The people whose chats have changed after the bell's ring `since`, with what is new in them."""
    people = [
        _view_person(world, person, role, since)
        for person, role in world.cast.items()
        if person.chat.changed_at > since or not since
    ]
    forum = world.forum
    changed = forum.topics and (forum.changed_at > since or not since)
    return [*people, _view_forum(world, forum, since)] if changed else people


def _view_forum(world: World, forum: Forum, since: int) -> View:
    """The operators' group, as a chat beside the people's; from the first topic on."""
    messages = [message for message in forum.messages.values() if message.version > since]
    return {
        "id": page_id(forum),
        "name": forum.title,
        "role": "Group",
        "member": min(forum.members),
        "unread": forum.unread,
        "blocked": False,
        "description": "",
        "commands": [],
        "keyboard": [],
        "stars": 0,
        "topics": [
            {"id": topic.id, "name": topic.name, "closed": topic.is_closed} for topic in forum.topics.values()
        ],
        "messages": [
            _view_message(world, message) | {"topic": message.thread_id}
            for message in messages
            if message.text or message.captioned
        ],
        "deleted": [message_id for message_id, ring in forum.deleted.items() if ring > since],
    }


def page_id(forum: Forum) -> int:
    """By which the page names a group: its addresses know no negative numbers."""
    return abs(forum.id)


def _view_person(world: World, person: Person, role: str, since: int) -> View:
    chat = person.chat
    return {
        "id": person.id,
        "name": person.name,
        "role": role,
        "unread": chat.unread,
        "blocked": chat.standing == "blocked",
        "description": world.telegram.profile.text_for("description", chat.user),
        "commands": world.telegram.profile.commands_for(chat.user),
        "keyboard": [[_view_button(button) for button in row] for row in chat.reply_keyboard],
        "stars": world.telegram.payments.purses[person.id],
        "bot": world.telegram.account.user["username"],
        "messages": [_view_message(world, message) for message in person.messages if message.version > since],
        "deleted": [message_id for message_id, ring in chat.deleted.items() if ring > since],
    }


def _view_message(world: World, message: Message) -> View:
    view: View = {
        "id": message.id,
        "own": not message.from_bot,
        "text": message.text,
        "entities": message.entities,
        "at": _seconds(message.date),
        "sent_at": message.date.timestamp(),
        "edited": message.edited,
        "pinned": message.pinned,
        "forwarded": message.origin is not None,
        "buttons": [[_view_button(button) for button in row] for row in message.buttons],
        "quote": message.reply_to.text[:120] if message.reply_to else "",
    }
    for kind in ("invoice", "successful_payment", "refunded_payment", "contact", "document"):
        if kind in message.attachment:
            view[kind] = message.attachment[kind]
    if "via_bot" in message.attachment:
        view["via"] = message.attachment["via_bot"]["username"]
    for kind in ("video", "animation", "audio", "voice"):
        if kind in message.attachment:
            view["document"] = {"file_name": kind} | message.attachment[kind]
    if charge := world.telegram.payments.receipts.get(message.id):
        view["receipt"] = charge.id
    if "photo" in message.attachment:
        view["photo"] = message.attachment["photo"][-1]["file_id"]
    return view


def _view_button(button: Button) -> View:
    return {
        "text": button.text,
        "style": button.style,
        "copy": button.copy_text,
        "link": button.url,
        "contact": button.request_contact,
        "pay": button.pay,
        "page": button.web_app,
    }


def view_world(world: World) -> View:
    """Everything beside the chats."""
    return {
        "stars": world.telegram.payments.balance,
        "charges": [
            _view_charge(charge) for charge in reversed(world.telegram.payments.charges[-CHARGES_SHOWN:])
        ],
        "suppliers": [_view_supplier(supplier) for supplier in world.suppliers.values()],
        "numbers": _view_numbers(world),
        "deliveries": _view_deliveries(world),
        "texts": [_view_text(text) for text in islice(reversed(world.phones.texts), TEXTS_SHOWN)],
        "id": world.id,
        "crowd": {"people": len(world.crowd), "told": _told(world)},
        "senders": [_view_sender(sender) for sender in world.senders],
        "bot": {
            "username": world.telegram.account.user["username"],
            "alive": world.bot_alive() if world.bot_alive else None,
            "restart": world.restart_bot is not None,
            "kill": world.kill_bot is not None,
        },
    }


def _told(world: World) -> int:
    """How many messages of the bot's the crowd has."""
    return sum(message.from_bot for person in world.crowd for message in person.messages)


def _view_supplier(supplier: Supplier) -> View:
    return {
        "name": supplier.name,
        "balance": supplier.balance,
        "webhook_url": supplier.webhook_url,
        "switches": {name: bool(getattr(supplier.trouble, name)) for name in sorted(supplier.switches)},
        "always": supplier.trouble.always,
        "stock": [
            {"id": stock.id, "name": stock.name, "price": stock.price, "available": stock.available}
            for stock in supplier.stocked(STOCKS_SHOWN)
        ],
    }


def _view_charge(charge: Charge) -> View:
    return {
        "id": charge.id,
        "name": charge.chat.user["first_name"],
        "title": charge.invoice.title,
        "stars": charge.invoice.stars,
        "refunded": charge.refunded,
    }


def _view_numbers(world: World) -> list[View]:
    """Those that still take an SMS first, and within that the newest first."""
    latest = [
        _view_number(supplier.name, number)
        for supplier in world.suppliers.values()
        for number in supplier.rented(NUMBERS_SHOWN)
    ]
    return sorted(latest, key=lambda view: not view["open"])[:NUMBERS_SHOWN]


def _view_number(supplier: str, number: Rented) -> View:
    return {
        "supplier": supplier,
        "id": number.id,
        "phone": number.phone_number,
        "service": number.label,
        "country": number.country,
        "flag": number.emoji,
        "status": number.status,
        "open": number.is_open,
        "code": number.code,
        "expires_at": _seconds(number.expires_at) if number.expires_at else None,
        "received_at": number.received_at.timestamp() if number.received_at else None,
    }


def _view_deliveries(world: World) -> list[View]:
    """The last of all suppliers, newest first."""
    latest = [
        _view_delivery(supplier.name, delivery)
        for supplier in world.suppliers.values()
        for delivery in islice(reversed(supplier.deliveries), DELIVERIES_SHOWN)
    ]
    return sorted(latest, key=lambda view: -view["at"])[:DELIVERIES_SHOWN]


def _view_delivery(supplier: str, delivery: Delivery) -> View:
    return {
        "supplier": supplier,
        "event": delivery.event,
        "order": delivery.order_id,
        "status": delivery.status,
        "error": delivery.error,
        "milliseconds": round(delivery.milliseconds, 1),
        "at": _seconds(delivery.at),
    }


def _view_text(text: PhoneSms) -> View:
    return {
        "id": text.id,
        "vendor": text.vendor,
        "sender": text.sender,
        "to": text.to,
        "text": text.text,
        "answers": list(text.answers),
        "status": text.status,
        "at": _seconds(text.at),
    }


def _view_sender(sender: Sender) -> View:
    return {
        "name": sender.name,
        "facts": sender.facts,
        "always": sender.trouble.always,
        "switches": [
            {"name": name, "title": title, "note": note, "on": getattr(sender.trouble, name)}
            for name, title, note in sender.switches
        ],
    }


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
