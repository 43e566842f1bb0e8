"""Keyboards under messages: what Telegram takes, and what it says to the rest.

Source: Bot API documentation, sections "InlineKeyboardMarkup", "InlineKeyboardButton", "CopyTextButton".
The limits of 100 buttons and 8 in a row are those that python-telegram-bot names.
"""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlsplit

from sandbox.telegram.errors import Refusal, bad_request
from sandbox.telegram.wire import Object, Params

_ACTIONS = ("callback_data", "url", "copy_text", "pay", "web_app", "login_url")
_ACTIONS_OF_INLINE_MODE = ("switch_inline_query", "switch_inline_query_current_chat")
_THIS_MACHINE = ("127.0.0.1", "localhost")
_STYLES = ("primary", "success", "danger")


def read_markup(params: Params, *, invoice: bool = False) -> Object | None:
    """The `reply_markup` parameter, checked. None where there is none or it has no buttons."""
    markup = params.json("reply_markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" not in markup:
        return markup
    rows = [row for row in markup["inline_keyboard"] if row]
    _check_size(rows)
    for button in chain.from_iterable(rows):
        _check_button(button)
    if any("pay" in button for button in chain.from_iterable(rows)) and not (invoice and "pay" in rows[0][0]):
        raise bad_request("BUTTON_TYPE_INVALID")
    return {"inline_keyboard": rows} if rows else None


def read_inline_markup(params: Params) -> Object | None:
    """As `read_markup`, for an edit: only an inline keyboard can be edited in."""
    markup = read_markup(params)
    if markup is not None and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return markup


def _check_size(rows: list[list[Object]]) -> None:
    if any(len(row) > 8 for row in rows) or sum(map(len, rows)) > 100:
        raise bad_request("REPLY_MARKUP_TOO_LONG")


def _check_button(button: Object) -> None:
    if not isinstance(button.get("text"), str):
        raise _unreadable(
            'Field "text" must be of type String' if "text" in button else 'can\'t find field "text"'
        )
    if not button["text"].strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    if button.get("style", "primary") not in _STYLES:
        raise _unreadable("invalid button style specified")
    actions = [name for name in _ACTIONS if button.get(name)]
    actions += [name for name in _ACTIONS_OF_INLINE_MODE if name in button]
    if not actions:
        raise _unreadable("Text buttons are unallowed in the inline keyboard")
    _check_action(button, actions[0])


def _check_action(button: Object, action: str) -> None:
    match action:
        case "callback_data":
            if len(button["callback_data"].encode()) > 64:
                raise bad_request("BUTTON_DATA_INVALID")
        case "copy_text":
            if not 1 <= len(button["copy_text"].get("text", "")) <= 256:
                raise bad_request("BUTTON_COPY_TEXT_INVALID")
        case "url":
            _check_url(button["url"])
        case "web_app":
            check_web_app(button["web_app"])


def _check_url(url: str) -> None:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https", "tg"}:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    if parts.scheme != "tg" and "." not in (parts.hostname or ""):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def check_web_app(web_app: Object) -> None:
    """Pages are served over https; here also by a bot on this machine. Raises: Refusal."""
    url = str(web_app.get("url", ""))
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _THIS_MACHINE:
        raise bad_request(
            f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed"
        )


def _unreadable(words: str) -> Refusal:
    return bad_request(f"can't parse inline keyboard button: {words}")
