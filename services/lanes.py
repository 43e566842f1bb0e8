"""How urgent a message to Telegram is."""

from enum import IntEnum


class Lane(IntEnum):
    """What a request is worth, the most urgent first.

    Counted from one: python-telegram-bot drops rate limit arguments that are false.
    """

    ANSWER = 1
    """To a tap or a pre-checkout query, whose senders wait with a spinner. Telegram does not count these."""
    CODE = 2
    REPLY = 3
    EDIT = 4
    BULK = 5
