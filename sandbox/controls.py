"""What the page can do to the world beyond people's own hands: stock, balances, time, crowds, forgeries."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.page_wire import done, find_button, read_json
from sandbox.supplier import Refused, Supplier
from sandbox.telegram import Person
from sandbox.telegram.web_apps import launch_url
from sandbox.world import World

MOST = 10**12


class Controls:
    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[BaseRoute]:
        supplier = "/world/suppliers/{supplier}"
        return [
            Route(f"{supplier}/stock", self.set_stock, methods=["POST"]),
            Route(f"{supplier}/balance", self.set_balance, methods=["POST"]),
            Route(f"{supplier}/numbers/{{number:int}}/expire", self.expire, methods=["POST"]),
            Route("/world/people/{person:int}/borrow", self.borrow, methods=["POST"]),
            Route("/world/people/{person:int}/search", self.search, methods=["POST"]),
            Route("/world/people/{person:int}/pick", self.pick, methods=["POST"]),
            Route("/world/people/{person:int}/page", self.open_page, methods=["POST"]),
            Route("/world/crowd", self.call_crowd, methods=["POST"]),
        ]

    async def set_stock(self, request: Request) -> Response:
        wanted = await read_json(request)
        try:
            self._supplier(request).set_stock(wanted["product"], _amount(wanted["available"]))
        except Refused as error:
            raise HTTPException(409, str(error)) from error
        return done()

    async def set_balance(self, request: Request) -> Response:
        wanted = await read_json(request)
        try:
            self._supplier(request).set_balance(_amount(wanted["amount"]))
        except Refused as error:
            raise HTTPException(409, str(error)) from error
        return done()

    async def expire(self, request: Request) -> Response:
        await read_json(request)
        try:
            self._supplier(request).expire_now(request.path_params["number"])
        except Refused as error:
            raise HTTPException(409, str(error)) from error
        return done()

    async def borrow(self, request: Request) -> Response:
        """Somebody sends what a button of somebody else's would send."""
        asked = await read_json(request)
        thief, owner = self._person(request.path_params["person"]), self._person(asked["owner"])
        message = owner.chat.messages.get(asked["message"])
        button = find_button(message, asked) if message else None
        if button is None or button.callback_data is None:
            raise HTTPException(409, "This button has changed.")
        try:
            answer = await thief.borrow(button)
        except LookupError:
            raise HTTPException(409, f"{thief.name} has to press Start first.") from None
        except TimeoutError:
            raise HTTPException(409, "The bot did not answer. It may be down.") from None
        return JSONResponse({"text": answer.text})

    async def search(self, request: Request) -> Response:
        """Somebody types the bot's name and a query; no answer is no result, as at Telegram."""
        query = str((await read_json(request))["query"])
        try:
            results = await self._person(request.path_params["person"]).search_inline(query)
        except TimeoutError:
            results = []
        shown = ("id", "title", "description")
        return JSONResponse([{name: result.get(name, "") for name in shown} for result in results])

    async def pick(self, request: Request) -> Response:
        picked = await read_json(request)
        try:
            await self._person(request.path_params["person"]).pick(str(picked["id"]))
        except LookupError:
            raise HTTPException(409, "This result is gone.") from None
        return done()

    async def open_page(self, request: Request) -> Response:
        """Where a page of the bot's is, for whoever opens it."""
        asked = await read_json(request)
        theme = "dark" if asked.get("dark") else "light"
        init_data = self._person(request.path_params["person"]).init_data()
        return JSONResponse({"url": launch_url(str(asked["url"]), init_data, theme=theme)})

    async def call_crowd(self, request: Request) -> Response:
        await read_json(request)
        await self.world.call_crowd()
        return done()

    def _supplier(self, request: Request) -> Supplier:
        supplier = self.world.suppliers.get(request.path_params["supplier"])
        if supplier is None:
            raise HTTPException(404, "There is no such supplier.")
        return supplier

    def _person(self, id: int) -> Person:
        person = self.world.telegram.people.get(id)
        if person is None:
            raise HTTPException(404)
        return person


def _amount(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= MOST:
        raise HTTPException(400, "A whole number from 0 on is expected.")
    return value
