"""Formatted text: Telegram's HTML, and the entities that it stands for.

Source: Bot API documentation, sections "Formatting options" and "MessageEntity".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.telegram.errors import Refusal, bad_request
from sandbox.telegram.wire import Object, Params

ENTITY_LIMIT = 100

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_TAG_END = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")
# Telegram knows four named references; any other ampersand is just a character.
_REFERENCE = re.compile(r"&(?:(?:lt|gt|amp|quot)|#\d+|#[xX][0-9a-fA-F]+);")
_AUTOMATIC = (
    ("bot_command", re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])")),
    ("url", re.compile(r"https?://[^\s<>]+[^\s<>.,;:!?)\]'\"]")),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z]\w{3,31}\b")),
)


@dataclass
class Formatted:
    text: str
    entities: list[Object] = field(default_factory=list)


@dataclass
class _OpenTag:
    name: str
    entity: Object
    offset: int
    """In UTF-16 units, as every offset in the Bot API."""


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, offset: int, length: int) -> str:
    """What an entity covers."""
    return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le")


def read_formatted(params: Params, name: str, entities: str) -> Formatted:
    """The text in parameter `name`, formatted by `parse_mode` or by the list in parameter `entities`."""
    text = params.text(name)
    match params.text("parse_mode").lower():
        case "html":
            formatted = parse_html(text)
        case "":
            formatted = Formatted(text, list(params.json(entities) or []))
        case _:
            raise bad_request("unsupported parse_mode")
    formatted = _strip(formatted)
    formatted.entities += detect(formatted)
    formatted.entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    del formatted.entities[ENTITY_LIMIT:]
    return formatted


def parse_html(source: str) -> Formatted:
    """Raises: Refusal ("can't parse entities"), for what is no HTML or not Telegram's."""
    result = Formatted("")
    stack: list[_OpenTag] = []
    position = 0
    for start, end in _find_tags(source):
        result.text += _unescape(source[position:start])
        position = end
        tag = source[start + 1 : end - 1]
        if tag.startswith("/"):
            _close(stack, tag[1:].strip().lower(), result, _byte_offset(source, start))
        else:
            opened = _open(tag, result, _byte_offset(source, start))
            _nest_code(stack, opened)
            stack.append(opened)
    result.text += _unescape(source[position:])
    if stack:
        raise _unreadable(f'Can\'t find end tag corresponding to start tag "{stack[-1].name}"')
    return result


def _find_tags(source: str) -> Iterator[tuple[int, int]]:
    position = 0
    while (start := source.find("<", position)) >= 0:
        end = _TAG_END.match(source, start + 1)
        if end is None:
            kind = "end" if source.startswith("</", start) else "start"
            raise _unreadable(f"Unclosed {kind} tag at byte offset {_byte_offset(source, start)}")
        position = end.end()
        yield start, position


def _open(tag: str, result: Formatted, at: int) -> _OpenTag:
    name, _, rest = tag.partition(" ")
    name = name.strip().lower()
    if name not in _TAGS:
        raise _unreadable(f'Unsupported start tag "{name}" at byte offset {at}')
    attributes = {
        found[1].lower(): _unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(rest)
    }
    return _OpenTag(name, _entity(name, attributes, at), utf16_length(result.text))


def _entity(name: str, attributes: dict[str, str], at: int) -> Object:
    entity: Object = {"type": _TAGS[name]}
    match name:
        case "a":
            entity["url"] = attributes.get("href", "")
        case "span" if attributes.get("class") != "tg-spoiler":
            raise _unreadable(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
        case "blockquote" if "expandable" in attributes:
            entity["type"] = "expandable_blockquote"
        case "code" if attributes.get("class", "").startswith("language-"):
            entity["language"] = attributes["class"].removeprefix("language-")
        case "tg-emoji":
            entity["custom_emoji_id"] = attributes.get("emoji-id", "")
        case "tg-time":
            entity |= _moment(attributes, at)
    return entity


def _moment(attributes: dict[str, str], at: int) -> Object:
    if not attributes.get("unix", "").isdigit():
        raise _unreadable(f'Tag "tg-time" must have a valid "unix" attribute at byte offset {at}')
    return {"unix_time": int(attributes["unix"]), "date_time_format": attributes.get("format", "")}


def _nest_code(stack: list[_OpenTag], opened: _OpenTag) -> None:
    """`<pre><code class="language-x">` is one entity: a `pre` with a language."""
    language = opened.entity.pop("language", None)
    if stack and stack[-1].name == "pre" and opened.name == "code" and stack[-1].offset == opened.offset:
        opened.entity = {}
        if language:
            stack[-1].entity["language"] = language


def _close(stack: list[_OpenTag], name: str, result: Formatted, at: int) -> None:
    if not stack:
        raise _unreadable(f"Unexpected end tag at byte offset {at}")
    opened = stack.pop()
    if name not in ("", opened.name):
        expected = f'expected "</{opened.name}>", found "</{name}>"'
        raise _unreadable(f"Unmatched end tag at byte offset {at}, {expected}")
    length = utf16_length(result.text) - opened.offset
    entity = opened.entity
    if entity.get("type") == "text_link" and not entity["url"]:
        entity["url"] = cut(result.text, opened.offset, length)
    if entity and length > 0:
        result.entities.append({**entity, "offset": opened.offset, "length": length})


def _strip(formatted: Formatted) -> Formatted:
    """Telegram drops the white space around a text; entities move and shrink with it."""
    text = formatted.text.strip()
    shift = utf16_length(formatted.text[: len(formatted.text) - len(formatted.text.lstrip())])
    size = utf16_length(text)
    entities = []
    for entity in formatted.entities:
        start = max(0, entity["offset"] - shift)
        end = min(size, entity["offset"] + entity["length"] - shift)
        if end > start:
            entities.append({**entity, "offset": start, "length": end - start})
    return Formatted(text, entities)


def detect(formatted: Formatted) -> list[Object]:
    """The commands, addresses and mentions that Telegram finds by itself, outside code and links."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in formatted.entities
        if entity["type"] in {"code", "pre", "text_link", "bot_command", "url", "mention"}
    ]
    found: list[Object] = []
    for kind, pattern in _AUTOMATIC:
        for match in pattern.finditer(formatted.text):
            start = utf16_length(formatted.text[: match.start()])
            end = start + utf16_length(match[0])
            if all(end <= other_start or start >= other_end for other_start, other_end in taken):
                taken.append((start, end))
                found.append({"type": kind, "offset": start, "length": end - start})
    return found


def _unescape(text: str) -> str:
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text)


def _byte_offset(source: str, position: int) -> int:
    return len(source[:position].encode())


def _unreadable(words: str) -> Refusal:
    return bad_request(f"can't parse entities: {words}")
