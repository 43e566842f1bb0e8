"""What a button carries: signed for its owner, so that menus need no memory and outlive every restart.

`version:action:argument…:signature`, at most the 64 bytes that Telegram gives us. Numbers are written in
base 36. The signature covers the owner's Telegram id, which is not in the data: on anybody else's screen,
and after any change, a button is worth nothing.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

VERSION = "1"
"""Raise it when an action or its arguments change their meaning."""
MAX_BYTES = 64
_SEPARATOR = ":"
_SIGNATURE_BYTES = 8
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class BadButton(Exception):
    """A tap that must have no effect."""


class StaleButton(BadButton):
    """Drawn by another version of this program."""


class ForgedButton(BadButton):
    """Tampered with, or somebody else's."""


@dataclass(frozen=True, slots=True)
class Tap:
    """What a genuine button asks for."""

    action: str
    args: tuple[str, ...]

    def number(self, index: int) -> int:
        return int(self.args[index], 36)


class Buttons:
    """Packs and unpacks callback data. The key is a secret of this installation."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def pack(self, user_id: int, action: str, *args: int | str) -> str:
        """Callback data that does `action` for this person alone."""
        parts = (base36(arg) if isinstance(arg, int) else arg for arg in args)
        body = _SEPARATOR.join((VERSION, action, *parts))
        data = f"{body}{_SEPARATOR}{self._sign(user_id, body)}"
        assert len(data.encode()) <= MAX_BYTES, f"callback data of {action} is too long"
        return data

    def unpack(self, user_id: int, data: str) -> Tap:
        """Raises StaleButton or ForgedButton."""
        body, _, signature = data.rpartition(_SEPARATOR)
        version, _, content = body.partition(_SEPARATOR)
        if version != VERSION:
            raise StaleButton
        if not hmac.compare_digest(signature.encode(), self._sign(user_id, body).encode()):
            raise ForgedButton
        action, *args = content.split(_SEPARATOR)
        return Tap(action, tuple(args))

    def _sign(self, user_id: int, body: str) -> str:
        mac = hmac.digest(self._key, f"{user_id}{_SEPARATOR}{body}".encode(), hashlib.sha256)
        return urlsafe_b64encode(mac[:_SIGNATURE_BYTES]).decode().rstrip("=")


def action_of(data: str) -> str:
    """The action that the data names, genuine or not; empty for what is no callback data of ours."""
    _, _, content = data.partition(_SEPARATOR)
    return content.partition(_SEPARATOR)[0]


def new_key() -> str:
    """Names one intent to buy; eight characters are plenty, as it is unique to one renter only."""
    return secrets.token_urlsafe(6)


def base36(number: int) -> str:
    """As short as digits and letters allow; for numbers that are not negative."""
    digits = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits
