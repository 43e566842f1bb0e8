"""The page and the calls that it makes: people's hands, and the world's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.controls import Controls
from sandbox.page_view import page_id, view_chats, view_world
from sandbox.page_wire import done, find_button, read_json
from sandbox.supplier import Refused, Supplier
from sandbox.telegram import Chat, Forum, Person
from sandbox.world import World

STATIC = Path(__file__).parent / "telegram" / "static"
# The page shows text from anybody: it may load and run nothing but its own files.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    # The bot's own page, which a bot on this machine serves.
    " frame-src http://127.0.0.1:* http://localhost:*"
)
_GLANCE_SECONDS = 0.25
"""How often the suppliers, who announce nothing, are looked at."""
_HEARTBEAT_SECONDS = 15
_TAP_SECONDS = 15
_AMOUNTS: dict[str, Any] = {"delay_webhooks": timedelta(seconds=10), "price_jump_percent": 50}
"""What a switch turns on, where that is no simple yes."""
_FAILURES = {None, "429", "503", "timeout", "lost_answer", "html", "half_json"}


class Page:
    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[BaseRoute]:
        person = "/world/people/{person:int}"
        return [
            Route("/", self.show),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/world/events", self.stream),
            Route("/world/files/{file}", self.send_file),
            Route(f"{person}/say", self.say, methods=["POST"]),
            Route(f"{person}/tap", self.tap, methods=["POST"]),
            Route(f"{person}/read", self.read, methods=["POST"]),
            Route(f"{person}/contact", self.share_contact, methods=["POST"]),
            Route(f"{person}/photo", self.send_photo, methods=["POST"]),
            Route(f"{person}/block", self.block, methods=["POST"]),
            Route("/world/charges/{charge}/refund", self.refund_by_store, methods=["POST"]),
            Route("/world/numbers/{number:int}/sms", self.receive_sms, methods=["POST"]),
            Route("/world/texts/{text:int}/answer", self.answer_text, methods=["POST"]),
            Route("/world/trouble", self.make_trouble, methods=["POST"]),
            Route("/world/senders/{sender}/trouble", self.trouble_sender, methods=["POST"]),
            Route("/world/bot/{action}", self.control_bot, methods=["POST"]),
            *Controls(self.world).routes(),
        ]

    async def show(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": _POLICY})

    async def stream(self, request: Request) -> Response:
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=headers)

    async def _events(self) -> AsyncIterator[str]:
        """Changes as server-sent events: everything at first, so that a page that comes back is whole."""
        seen, shown, spoken_at = 0, None, monotonic()
        yield "retry: 1000\n\n"
        while not self.world.closed:
            rings = self.world.telegram.bell.rings
            panel = view_world(self.world)
            if chats := view_chats(self.world, seen):
                yield _event("chats", {"reset": not seen, "people": chats})
            if panel != shown:
                yield _event("world", panel)
            if chats or panel != shown:
                spoken_at = monotonic()
            elif monotonic() - spoken_at > _HEARTBEAT_SECONDS:
                yield ": still here\n\n"
                spoken_at = monotonic()
            seen, shown = max(rings, 1), panel
            with suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE_SECONDS):
                    await self.world.telegram.bell.wait()

    async def send_file(self, request: Request) -> Response:
        upload = self.world.telegram.account.files.get(request.path_params["file"])
        if upload is None:
            raise HTTPException(404)
        if not upload.media_type.startswith("image/"):
            headers = {"Content-Disposition": "attachment"}
            return Response(upload.content, media_type="application/octet-stream", headers=headers)
        return Response(
            upload.content, media_type=upload.media_type, headers={"Content-Security-Policy": "sandbox"}
        )

    async def say(self, request: Request) -> Response:
        said = await read_json(request)
        text, person, chat = str(said["text"]).strip(), self._person(request), self._chat(request)
        reply_to = chat.messages.get(said["reply_to"])
        if text and isinstance(chat, Forum):
            await person.say_in(chat, said["topic"], text, reply_to=reply_to)
        elif text:
            await person.say(text, reply_to=reply_to)
        return done()

    async def tap(self, request: Request) -> Response:
        asked = await read_json(request)
        person = self._person(request)
        message = self._chat(request).messages.get(asked["message"])
        button = find_button(message, asked) if message else None
        if message is None or button is None:
            raise HTTPException(409, "This button has changed.")
        try:
            answer = await person.use(message, button, timeout=_TAP_SECONDS)
        except TimeoutError:
            return JSONResponse({"text": "The bot did not answer. It may be down.", "alert": False})
        alert = {"text": answer.text, "alert": answer.show_alert, "url": answer.url, "copied": answer.copied}
        return JSONResponse(alert)

    async def read(self, request: Request) -> Response:
        await read_json(request)
        chat = self._chat(request)
        if chat.unread:
            chat.unread = 0
            chat.touch()
        return done()

    async def share_contact(self, request: Request) -> Response:
        await read_json(request)
        await self._person(request).share_contact()
        return done()

    async def send_photo(self, request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("image/"):
            raise HTTPException(415, "An image is expected.")
        person, chat = self._person(request), self._chat(request)
        content, caption = await request.body(), request.query_params.get("caption", "")
        if isinstance(chat, Forum):
            topic_id = request.query_params.get("topic", "")
            await person.send_photo_in(
                chat, int(topic_id) if topic_id.isdecimal() else None, content, caption
            )
        else:
            await person.send_photo(content, caption)
        return done()

    async def block(self, request: Request) -> Response:
        blocked = (await read_json(request))["blocked"]
        person = self._person(request)
        if blocked != (person.chat.standing == "blocked"):
            (person.block if blocked else person.unblock)()
        return done()

    def _chat(self, request: Request) -> Chat:
        """The one that is on the screen: somebody's own, or the operators' group."""
        forum = self.world.forum
        return forum if request.path_params["person"] == page_id(forum) else self._person(request).chat

    def _person(self, request: Request) -> Person:
        """Whose hands move; in the operators' group, the first operator's."""
        people, id = self.world.telegram.people, request.path_params["person"]
        if id == page_id(self.world.forum):
            id = min(self.world.forum.members)
        person = people.get(id)
        if person is None:
            raise HTTPException(404)
        return person

    async def receive_sms(self, request: Request) -> Response:
        said = await read_json(request)
        try:
            await self._supplier(said).receive_sms(request.path_params["number"], str(said["text"]).strip())
        except Refused as error:
            raise HTTPException(409, str(error)) from error
        return done()

    async def answer_text(self, request: Request) -> Response:
        said = str((await read_json(request))["text"]).strip()
        sms = self.world.phones.find(request.path_params["text"])
        if sms is None:
            raise HTTPException(404)
        sender = next(sender for sender in self.world.senders if sender.name == sms.vendor)
        sms.answers.append(said)
        sender.take_answer(sms, said)
        return done()

    async def refund_by_store(self, request: Request) -> Response:
        await read_json(request)
        try:
            self.world.telegram.payments.store_refund(request.path_params["charge"])
        except LookupError:
            raise HTTPException(409, "These Stars went back already.") from None
        return done()

    async def make_trouble(self, request: Request) -> Response:
        wanted = await read_json(request)
        supplier = self._supplier(wanted)
        trouble = supplier.trouble
        for name, value in wanted.items():
            if name in supplier.switches:
                amount = _AMOUNTS.get(name, True)
                setattr(trouble, name, amount if value else type(amount)())
            elif name == "always" and value in _FAILURES:
                trouble.always = value
            else:
                raise HTTPException(400, f"There is no switch {name}.")
        return done()

    async def trouble_sender(self, request: Request) -> Response:
        senders = {sender.name: sender for sender in self.world.senders}
        sender = senders.get(request.path_params["sender"])
        if sender is None:
            raise HTTPException(404)
        switches = {field for field, _title, _note in sender.switches}
        for name, value in (await read_json(request)).items():
            if name in switches:
                setattr(sender.trouble, name, bool(value))
            elif name == "always" and value in _FAILURES:
                sender.trouble.always = value
            else:
                raise HTTPException(400, f"There is no switch {name}.")
        return done()

    def _supplier(self, asked: dict[str, Any]) -> Supplier:
        """The one that is meant; taken out, so that the rest says what is asked of it."""
        supplier = self.world.suppliers.get(asked.pop("supplier", ""))
        if supplier is None:
            raise HTTPException(404, "There is no such supplier.")
        return supplier

    async def control_bot(self, request: Request) -> Response:
        await read_json(request)
        action = request.path_params["action"]
        control = {"restart": self.world.restart_bot, "kill": self.world.kill_bot}.get(action)
        if control is None:
            raise HTTPException(404)
        await control()
        return done()


def _event(name: str, body: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"
