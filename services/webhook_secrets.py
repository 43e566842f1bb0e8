"""Our webhook with each supplier: its registration, and the secret that signs it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import structlog

from db import settings
from db.session import Database
from services import acts
from services.acts import What
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


class WebhookState(NamedTuple):
    """How a supplier's webhook is doing."""

    kind: str
    """by_hand (on the supplier's site), no_address (of ours), failed, or tested."""
    detail: str = ""
    """What failed; or the host that was tested."""
    status: int = 0
    """What it answered."""


class WebhookRegistration:
    """Points suppliers' webhooks at us, and knows the state of each."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        secrets: WebhookSecrets,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._secrets = secrets
        self._public_url = public_url
        self._settled: set[str] = set()
        self.states: dict[str, WebhookState] = {}

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
            self.states[name] = WebhookState("failed", str(error))
            raise
        log.info("webhook.state", supplier=name, state=self.states[name])

    async def register_again(self, name: str, *, by: int) -> None:
        """As `register`, though it was done before: an operator wants it. Raises UpstreamError."""
        self._settled.discard(name)
        await self.register(name)
        await self._record(name, "registered", by=by)

    async def test(self, name: str, *, by: int) -> None:
        """Have a supplier call our webhook, and remember what our server told it. Raises UpstreamError."""
        with self._suppliers.calling(name) as supplier:
            status = await supplier.test_webhook()
        self.states[name] = self._tested(status)
        await self._record(name, "tested", by=by)

    async def _register(self, name: str) -> WebhookState:
        if not self._suppliers[name].capabilities.webhook_setup:
            self._settled.add(name)
            return WebhookState("by_hand")
        with self._suppliers.calling(name) as supplier:
            remote = await supplier.webhook()
            if not self._public_url:
                if remote.secret:
                    await self._secrets.keep(name, remote.secret)
                self._settled.add(name)
                return WebhookState("no_address")
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
        if status == 200:
            self._settled.add(name)
        return self._tested(status)

    def _tested(self, status: int) -> WebhookState:
        return WebhookState("tested", urlsplit(self._public_url).netloc, status)

    async def _record(self, name: str, done: str, *, by: int) -> None:
        """After the call, as nothing of ours has changed with it."""
        async with self._database.write() as session:
            facts = {"webhook": done, "state": self.states[name]}
            await acts.record(session, What.WEBHOOK, by=by, now=self._clock.now(), subject=name, after=facts)


def new_secret() -> str:
    return secrets.token_hex(32)
