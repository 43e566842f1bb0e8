"""Telegram's methods about Stars.

Source: Bot API documentation, "refundStarPayment", "getStarTransactions".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from telegram import Bot, StarTransaction, TransactionPartnerUser
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from services import stars
from services.errors import UpstreamRefused, UpstreamUnavailable
from services.senders.telegram import pause_of

_NAME = "telegram"


class TelegramStars:
    """A StarAccount."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.name = bot.token.partition(":")[0]
        """The bot's id, which another token may not change."""

    async def refund(self, user_id: int, charge_id: str) -> None:
        try:
            with _translated():
                await self._bot.refund_star_payment(user_id, charge_id)
        except UpstreamRefused as error:
            # Telegram has no error codes for these, only words.
            if "already_refunded" not in str(error).lower():
                raise

    async def transactions(self, offset: int) -> list[stars.StarTransaction]:
        with _translated():
            page = await self._bot.get_star_transactions(offset=offset, limit=stars.PAGE)
        return [_read(transaction) for transaction in page.transactions]


def _read(transaction: StarTransaction) -> stars.StarTransaction:
    partner: Any = transaction.source or transaction.receiver
    is_person = isinstance(partner, TransactionPartnerUser)
    return stars.StarTransaction(
        id=transaction.id,
        stars=transaction.amount,
        at=transaction.date,
        is_incoming=transaction.source is not None,
        user_id=partner.user.id if is_person else None,
        payload=(partner.invoice_payload or "") if is_person else "",
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RetryAfter as error:
        pause = pause_of(error)
        raise UpstreamUnavailable("told to wait", upstream=_NAME, retry_after=pause) from error
    except (BadRequest, Forbidden) as error:
        raise UpstreamRefused(error.message, upstream=_NAME) from error
    except TelegramError as error:
        raise UpstreamUnavailable(type(error).__name__, upstream=_NAME) from error
