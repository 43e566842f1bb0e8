"""Videos, sounds and albums.

Source: Bot API documentation, "sendVideo", "sendAnimation", "sendAudio", "sendVoice", "sendMediaGroup",
"InputMedia".
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from sandbox.telegram.account import Account, Method
from sandbox.telegram.errors import bad_request
from sandbox.telegram.sending import Sending, read_caption
from sandbox.telegram.wire import Object, Params

_FIELDS: dict[str, Object] = {
    "video": {"width": 1280, "height": 720, "duration": 3},
    "animation": {"width": 480, "height": 270, "duration": 3},
    "audio": {"duration": 3},
    "voice": {"duration": 3},
}
"""What Telegram finds out about a file by itself; here it is always the same."""
ALBUM_KINDS = frozenset({"photo", "video", "audio", "document"})
ALBUM_SIZES = range(2, 11)
_ALIKE = frozenset({"audio", "document"})
"""Those that stand in an album among themselves only."""


class Media:
    def __init__(self, account: Account, sending: Sending) -> None:
        self._account = account
        self._sending = sending
        self._albums = count(13_000_000_000_000_001)
        self.methods: dict[str, Method] = {
            **{f"send{kind.capitalize()}": self._sender(kind) for kind in _FIELDS},
            "sendMediaGroup": self.send_media_group,
        }

    def _sender(self, kind: str) -> Callable[[Params], Object]:
        def send(params: Params) -> Object:
            self._account.open_chat(params)
            attachment = self._attach(kind, params, kind)
            return self._sending.post(params, read_caption(params), attachment=attachment).wire()

        return send

    def send_media_group(self, params: Params) -> list[Object]:
        self._account.open_chat(params)
        items: list[Object] = params.json("media") or []
        _check_album(items)
        album = str(next(self._albums))
        # All of them are read before the first is sent: an album comes whole, or not at all.
        read = [self._read_item(params, item) for item in items]
        return [
            self._sending.post(params, caption, attachment={**attachment, "media_group_id": album}).wire()
            for caption, attachment in ((read_caption(each), attachment) for each, attachment in read)
        ]

    def _read_item(self, params: Params, item: Object) -> tuple[Params, Object]:
        own = Params({**params.values, "caption": "", "parse_mode": "", "caption_entities": "", **item})
        read_caption(own)
        return own, self._attach(item["type"], own, "media")

    def _attach(self, kind: str, params: Params, name: str) -> Object:
        if kind == "photo":
            return self._sending.photo(params, name)
        if kind == "document":
            return self._sending.document(params, name)
        stored = self._sending.stored_file(params, name)
        upload = self._account.files[stored["file_id"]]
        named = {} if kind == "voice" else {"file_name": upload.name}
        return {kind: {**stored, **named, "mime_type": upload.media_type, **_FIELDS[kind]}}


def _check_album(items: list[Object]) -> None:
    if len(items) not in ALBUM_SIZES:
        raise bad_request("wrong number of messages in the media group: 2 to 10 are expected")
    kinds = {item.get("type") for item in items}
    if not kinds <= ALBUM_KINDS or (kinds & _ALIKE and len(kinds) > 1):
        raise bad_request("MEDIA_INVALID")
