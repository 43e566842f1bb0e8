"""Our webhook with each supplier: its registration, and the secret that signs it."""

import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import structlog

from db import settings
from db.session import Database
from services.clock import Clock
from services.errors import UpstreamError
from services.supply import Suppliers

log = structlog.get_logger()

RELOAD_AFTER = timedelta(seconds=1)
"""Forged webhooks cost the database no more than a look a second."""


class WebhookSecrets:
    """The signing secret of each supplier's webhooks, as every process on the database knows it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._secrets: dict[str, str] = {}
        self._loaded_at = datetime.min.replace(tzinfo=UTC)

    def get(self, supplier: str) -> str:
        """Empty while none is known: then no signature is right."""
        return self._secrets.get(supplier, "")

    async def load(self) -> None:
        """What the last run, or another process, agreed with each supplier."""
        async with self._database.read() as session:
            self._secrets = await settings.find_all(session, "webhook_secret:")
        self._loaded_at = self._clock.now()

    async def reload(self) -> bool:
        """Look whether another process has agreed on another secret; False where that was just done."""
        if self._clock.now() - self._loaded_at < RELOAD_AFTER:
            return False
        await self.load()
        return True

    async def keep(self, supplier: str, secret: str) -> None:
        if self._secrets.get(supplier) != secret:
            async with self._database.write() as session:
                await settings.put(session, f"webhook_secret:{supplier}", secret, now=self._clock.now())
            self._secrets[supplier] = secret


class WebhookRegistration:
    """Points suppliers' webhooks at us; the state of each in words."""

    def __init__(self, suppliers: Suppliers, secrets: WebhookSecrets, *, public_url: str) -> None:
        self._suppliers = suppliers
        self._secrets = secrets
        self._public_url = public_url
        self._settled: set[str] = set()
        self.states: dict[str, str] = {}

    async def register(self, name: str) -> None:
        """Point a supplier's webhook at us and have it try; without an address, adopt what it has.

        Once that is done, for as long as this process leads, it is not done again. Raises UpstreamError;
        codes then come by reconciliation until it is tried again.
        """
        if name in self._settled:
            return
        try:
            self.states[name] = await self._register(name)
        except UpstreamError as error:
            self.states[name] = f"not registered: {error}"
            raise
        log.info("webhook.state", supplier=name, state=self.states[name])

    async def _register(self, name: str) -> str:
        if not self._suppliers[name].capabilities.webhook_setup:
            self._settled.add(name)
            return "set by hand, on the supplier's site"
        with self._suppliers.calling(name) as supplier:
            remote = await supplier.webhook()
            if not self._public_url:
                if remote.secret:
                    await self._secrets.keep(name, remote.secret)
                self._settled.add(name)
                return "codes come by reconciliation alone: PUBLIC_URL is not set"
            url = f"{self._public_url}/webhooks/{name}"
            known = self._secrets.get(name)
            if remote.url != url or remote.disabled_reason or remote.secret != known:
                # Ours is on disk before the supplier signs with it, so no event is ever refused.
                secret = known or new_secret()
                await self._secrets.keep(name, secret)
                answer = await supplier.set_webhook(url=url, secret=secret)
                if answer.secret:
                    await self._secrets.keep(name, answer.secret)
            status = await supplier.test_webhook()
        host = urlsplit(self._public_url).netloc
        if status == 200:
            self._settled.add(name)
        return f"tested, {host} answered 200" if status == 200 else f"the test reached {host} with {status}"


def new_secret() -> str:
    return secrets.token_hex(32)
