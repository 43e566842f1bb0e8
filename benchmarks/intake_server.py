"""The server that `benchmarks.intake` fires at: the product's webhook route beside an empty one."""

import sys
from functools import partial

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bot.process import calm_garbage_collector
from bot.webhooks import Endpoint, accept_supplier
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
    accept = Endpoint("smscode", accept_supplier(supplier, secrets, inbox))
    app = Starlette(
        routes=[
            Route("/empty", _empty, methods=["POST"]),
            Route("/webhooks/smscode", accept, methods=["POST"]),
        ]
    )
    calm_garbage_collector()
    config = uvicorn.Config(app, port=port, access_log=False, log_level="critical", lifespan="off")
    await uvicorn.Server(config).serve()


async def _empty(_request: object) -> Response:
    return Response()


async def _nothing(_delivery: Delivery) -> None:
    """What a delivery leads to is measured elsewhere."""


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
