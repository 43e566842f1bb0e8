"""The server that `benchmarks.intake` fires at: the product's webhook route beside an empty one."""

import socket
import sys
from functools import partial

import uvloop
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.process import calm_garbage_collector, http_server
from bot.running import BACKLOG
from bot.webhooks import Readiness, accept_supplier, create_app
from db import migrate, settings
from db.session import Database
from services.clock import SystemClock
from services.deliveries import Deliveries, Source
from services.inbox import Delivery, Inbox
from services.rentals import event_serial
from services.suppliers.smscode import SmsCode
from services.webhook_secrets import WebhookSecrets


async def main(port: int, url: str, secret: str) -> None:
    database, clock = Database(url), SystemClock()
    await migrate.upgrade(database)
    async with database.write() as session:
        await settings.put(session, "webhook_secret:smscode", secret, now=clock.now())
    supplier = SmsCode(token="bench", clock=clock)
    secrets = WebhookSecrets(database, clock)
    await secrets.load()
    deliveries = Deliveries(database, clock)
    inbox = Inbox(database, clock)
    inbox.take = deliveries.take
    deliveries.register({"smscode": Source(_nothing, partial(event_serial, supplier))})
    product = create_app({"smscode": accept_supplier(supplier, secrets, inbox)}, ready=_ready)
    empty = Starlette(routes=[Route("/empty", _empty, methods=["POST"])])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (empty if scope["path"] == "/empty" else product)(scope, receive, send)

    calm_garbage_collector()
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener:
        await http_server(app).serve(sockets=[listener])


async def _empty(_request: object) -> Response:
    return Response()


async def _ready() -> Readiness:
    return Readiness(ok=True, says="ready")


async def _nothing(_delivery: Delivery) -> None:
    """What a delivery leads to is measured elsewhere."""


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
