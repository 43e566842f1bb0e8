"""Who has opened the page: what Telegram says of them, signed with the bot's token, and nothing else.

Source: Telegram Mini Apps documentation, "Validating data received via the Mini App".
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

LIFETIME = timedelta(hours=1)
"""How long after it was opened a page may speak for its visitor."""
_CLOCKS_DIFFER = timedelta(minutes=1)
_MOST_FIELDS = 20


class UnknownVisitor(Exception):
    """Nothing that Telegram has signed for this bot."""


class LeftOpen(Exception):
    """Genuine, but opened too long ago."""


@dataclass(frozen=True, slots=True)
class Visitor:
    id: int
    language_code: str


def recognize(init_data: str, token: str, now: datetime) -> Visitor:
    """The person in `initData`, as Telegram handed it to the page. Raises UnknownVisitor, LeftOpen."""
    try:
        fields = _fields(init_data)
        if not hmac.compare_digest(fields.pop("hash").encode(), _signature(fields, token).encode()):
            raise UnknownVisitor
        opened_at = datetime.fromtimestamp(int(fields["auth_date"]), UTC)
        user = json.loads(fields["user"])
        visitor = Visitor(int(user["id"]), str(user.get("language_code") or "en"))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise UnknownVisitor from error
    if not -_CLOCKS_DIFFER <= now - opened_at <= LIFETIME:
        raise LeftOpen
    return visitor


def _fields(init_data: str) -> dict[str, str]:
    """Raises ValueError for what can be read in more than one way."""
    pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS)
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields


def _signature(fields: dict[str, str], token: str) -> str:
    secret = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()
