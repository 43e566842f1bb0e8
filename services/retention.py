"""Forgets what nobody needs any more."""

from datetime import timedelta

from db import deliveries, disputes, invoices, orphans, outbox, phones, sms, support, texts
from db.session import Database
from services.clock import Clock

BATCH = 1000


class Retention:
    """After `keep`, codes and texts are erased, and so are the messages that brought and told them.

    Invoices that nobody paid go, too, and what people wrote about problems that are settled.
    """

    def __init__(self, database: Database, clock: Clock, *, keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep

    async def erase_old(self) -> None:
        before = self._clock.now() - self._keep
        async with self._database.write() as session:
            await sms.erase(session, before=before)
            await texts.erase(session, before=before)
            await orphans.erase(session, before=before)
            await phones.erase_checks(session, before=before)
            await disputes.erase(session, before=before)
        for purge in (deliveries.purge, outbox.purge, invoices.purge, support.purge):
            purged = BATCH
            while purged == BATCH:
                # One commit a batch, so that a code in the meantime waits for one at most.
                async with self._database.write() as session:
                    purged = await purge(session, before=before, limit=BATCH)
