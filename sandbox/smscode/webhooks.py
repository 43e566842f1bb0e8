"""Telling the customer what happened: signed, in the background, tried once.

Source: smscode API v1 documentation, section Webhooks.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.clock import Agenda
from sandbox.courier import Courier, Parcel
from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Order, announced, moment
from sandbox.trouble import Trouble


def sign(body: bytes, secret: str) -> str:
    """The value of `X-Webhook-Signature`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhooks(Courier):
    """Where events go, and what became of them."""

    def __init__(self, agenda: Agenda, trouble: Trouble, transport: httpx.AsyncBaseTransport | None) -> None:
        super().__init__(agenda, trouble, transport)
        self.url: str | None = None
        self.secret: str | None = None

    def configure(self, *, url: str | None = None, secret: str | None = None) -> None:
        """Change what is not None; an empty string clears."""
        if url:
            _refuse_insecure(url)
        if url is not None:
            self.url = url or None
        if secret is not None:
            self.secret = secret or None
        elif self.url and self.secret is None:
            self.secret = secrets.token_hex(32)

    def announce(self, event: str, order: Order) -> None:
        """Send an event in the background, where anybody wants to know."""
        if self.url is not None:
            self.send(self._pack(event, order.id, announced(order), self.url))

    async def test(self) -> int:
        """Send a test event; returns the receiver's status.

        What an unreachable receiver leads to is not documented.
        """
        if self.url is None:
            raise ApiError("VALIDATION_ERROR", "No webhook URL is configured")
        message = {"message": "This is a test webhook event from SMSCode."}
        delivery = await self.deliver(self._pack("webhook.test", None, message, self.url))
        if delivery.status is None:
            raise ApiError("VALIDATION_ERROR", "The webhook URL cannot be reached")
        return delivery.status

    def _pack(self, event: str, order_id: int | None, data: dict[str, Any], url: str) -> Parcel:
        payload = {"event": event, "timestamp": moment(self.agenda.clock.now()), "data": data}
        body = json.dumps(payload, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self.secret is not None and not self.trouble.unsigned_webhooks:
            secret = "a forger's guess" if self.trouble.forge_webhooks else self.secret
            headers["X-Webhook-Signature"] = sign(body, secret)
        return Parcel(event, order_id, url, body, headers)


def _refuse_insecure(url: str) -> None:
    """HTTPS only, as documented; but a sandbox must also reach the bot on the same machine."""
    parts = urlsplit(url)
    encrypted = parts.scheme == "https" and parts.hostname
    if not encrypted and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise ApiError("VALIDATION_ERROR", "webhook_url must be an HTTPS URL")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
