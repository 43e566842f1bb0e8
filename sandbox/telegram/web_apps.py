"""What a page knows that is opened inside Telegram: who opened it, signed for the bot, and the colours.

Source: Telegram Mini Apps documentation, "Initializing Mini Apps" and "Validating data received via the
Mini App".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from urllib.parse import urlencode

from sandbox.telegram.wire import Object

THEMES: dict[str, Object] = {
    "light": {
        "bg_color": "#ffffff",
        "secondary_bg_color": "#f0f0f0",
        "text_color": "#000000",
        "hint_color": "#6d6d71",
        "link_color": "#0a6ebd",
        "button_color": "#1f74bd",
        "button_text_color": "#ffffff",
    },
    "dark": {
        "bg_color": "#17212b",
        "secondary_bg_color": "#232e3c",
        "text_color": "#f5f5f5",
        "hint_color": "#93a4b3",
        "link_color": "#6ab3f3",
        "button_color": "#2f7fc1",
        "button_text_color": "#ffffff",
    },
}


def launch_url(url: str, init_data: str, *, theme: str = "light") -> str:
    """The page's address as Telegram opens it: what it may know follows the hash, and reaches no server."""
    launch = {
        "tgWebAppData": init_data,
        "tgWebAppVersion": "9.1",
        "tgWebAppPlatform": "web",
        "tgWebAppThemeParams": json.dumps(THEMES[theme]),
    }
    return f"{url}#{urlencode(launch)}"


def sign_init_data(user: Object, token: str, now: datetime) -> str:
    """`initData` for somebody who opens the page of the bot with this token."""
    fields = {
        "query_id": f"AAH{user['id']}",
        "user": json.dumps(user, separators=(",", ":")),
        "auth_date": str(int(now.timestamp())),
    }
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    return urlencode(fields | {"hash": hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()})
