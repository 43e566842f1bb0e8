"""What a bot may offer in inline mode, and what becomes of the result that somebody picks.

Source: Bot API documentation, "answerInlineQuery", "InlineQueryResultArticle", "InputTextMessageContent",
"InlineQueryResultsButton".
"""

from __future__ import annotations

import re

from sandbox.telegram.errors import bad_request
from sandbox.telegram.formatting import Formatted, read_formatted
from sandbox.telegram.keyboards import read_markup
from sandbox.telegram.sending import TEXT_LIMIT
from sandbox.telegram.wire import Object, Params

MOST_RESULTS = 50
_ID_BYTES = 64
_START_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_answer(params: Params) -> None:
    """Raises: Refusal, for results or a button that Telegram would not show."""
    results = params.json("results") or []
    if len(results) > MOST_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    if len({result.get("id") for result in results}) < len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    for result in results:
        _check_result(result)
    button = params.json("button")
    if button and "start_parameter" in button and not _START_PARAMETER.fullmatch(button["start_parameter"]):
        raise bad_request("START_PARAM_INVALID")


def _check_result(result: Object) -> None:
    if not 1 <= len(str(result.get("id", "")).encode()) <= _ID_BYTES:
        raise bad_request("RESULT_ID_INVALID")
    if result.get("type") != "article":
        raise bad_request("RESULT_TYPE_INVALID")
    if not result.get("title"):
        raise bad_request("ARTICLE_TITLE_EMPTY")
    text = read_content(result).text
    if not text:
        raise bad_request("MESSAGE_EMPTY")
    if len(text) > TEXT_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    read_keyboard(result)


def read_content(result: Object) -> Formatted:
    """The message that picking the result sends."""
    return read_formatted(Params(result.get("input_message_content") or {}), "message_text", "entities")


def read_keyboard(result: Object) -> Object | None:
    return read_markup(Params({"reply_markup": result.get("reply_markup")}))
