"""Registers our webhook with each supplier and keeps the secret that signs it."""

import secrets
from urllib.parse import urlsplit

import structlog

from db import settings
from db.session import Database
from services.clock import Clock
from services.errors import UpstreamError
from services.supply import Suppliers

log = structlog.get_logger()


class WebhookSecrets:
    """The signing secret of each supplier's webhooks, and the state of their registration in words."""

    def __init__(self, database: Database, clock: Clock, suppliers: Suppliers) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._secrets: dict[str, str] = {}
        self._settled: set[str] = set()
        self.states: dict[str, str] = {}

    def get(self, supplier: str) -> str:
        """Empty while none is known: then no signature is right."""
        return self._secrets.get(supplier, "")

    def is_settled(self, supplier: str) -> bool:
        """Whether registering is done, for as long as this process runs."""
        return supplier in self._settled

    async def load(self) -> None:
        """At start: what the last run agreed with each supplier."""
        async with self._database.read() as session:
            self._secrets = await settings.find_all(session, "webhook_secret:")

    async def register(self, name: str, public_url: str) -> None:
        """Point a supplier's webhook at `public_url` and have it try; without one, adopt what it has.

        Raises UpstreamError; codes then come by reconciliation until it is tried again.
        """
        try:
            self.states[name] = await self._register(name, public_url)
        except UpstreamError as error:
            self.states[name] = f"not registered: {error}"
            raise
        log.info("webhook.state", supplier=name, state=self.states[name])

    async def _register(self, name: str, public_url: str) -> str:
        with self._suppliers.calling(name) as supplier:
            remote = await supplier.webhook()
            if not public_url:
                if remote.secret:
                    await self._keep(name, remote.secret)
                self._settled.add(name)
                return "codes come by reconciliation alone: PUBLIC_URL is not set"
            url = f"{public_url}/webhooks/{name}"
            if remote.url != url or remote.disabled_reason or remote.secret != self.get(name):
                # Ours is on disk before the supplier signs with it, so no event is ever refused.
                secret = self.get(name) or secrets.token_hex(32)
                await self._keep(name, secret)
                answer = await supplier.set_webhook(url=url, secret=secret)
                if answer.secret:
                    await self._keep(name, answer.secret)
            status = await supplier.test_webhook()
        host = urlsplit(public_url).netloc
        if status == 200:
            self._settled.add(name)
        return f"tested, {host} answered 200" if status == 200 else f"the test reached {host} with {status}"

    async def _keep(self, name: str, secret: str) -> None:
        if self._secrets.get(name) != secret:
            async with self._database.write() as session:
                await settings.put(session, f"webhook_secret:{name}", secret, now=self._clock.now())
            self._secrets[name] = secret
