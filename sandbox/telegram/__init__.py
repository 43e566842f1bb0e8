"""A play Telegram: the Bot API over HTTP, and people to talk to the bot.

`Telegram` is what a test holds; one file of methods a noun hangs below it.
"""

from sandbox.telegram.app import Call, Telegram
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import Refusal
from sandbox.telegram.flood import FloodLimits
from sandbox.telegram.forums import Forum, Topic
from sandbox.telegram.messages import Button, Message
from sandbox.telegram.payments import Charge, Payment
from sandbox.telegram.people import Person
from sandbox.telegram.queries import Answer, Query

__all__ = [
    "Answer",
    "Button",
    "Call",
    "Charge",
    "Chat",
    "FloodLimits",
    "Forum",
    "Message",
    "Payment",
    "Person",
    "Query",
    "Refusal",
    "Telegram",
    "Topic",
]
