"""Which sender texts which country, and whom its texts come from: by the operator's choice, else by reach."""

from collections.abc import Mapping

from db import settings
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.places import country_of
from services.senders.base import Newsletters, Sender
from services.supply import Senders

_ROUTE, _SENDER_ID, _NEWSLETTERS = "text route:", "sender id:", "newsletters:"


class Switchboard:
    """Choices live in the database, so that every process follows the latest."""

    def __init__(self, database: Database, clock: Clock, senders: Senders) -> None:
        self._database = database
        self._clock = clock
        self._senders = senders

    def reaching(self, country: str | None) -> list[Sender]:
        """The senders that can text a country; those made for few countries come first."""
        able = [sender for sender in self._senders if not sender.countries or country in sender.countries]
        return sorted(able, key=lambda sender: sender.countries is None)

    async def choices(self) -> dict[str, str]:
        """By country, the name of the sender that the operator has chosen for it."""
        async with self._database.read() as session:
            return await settings.find_all(session, _ROUTE)

    async def choose(self, country: str, name: str | None, *, by: int) -> None:
        """Have a sender text a country; None goes back to the default. `by`: the operator."""
        await self._keep(_ROUTE + country, name, What.TEXT_ROUTE, country, by=by)

    async def sender_ids(self) -> dict[str, str]:
        """By sender, whom its texts come from where that is not its own choice."""
        async with self._database.read() as session:
            return await settings.find_all(session, _SENDER_ID)

    async def use_sender_id(self, name: str, sender_id: str | None, *, by: int) -> None:
        """Have a sender's texts come from a number or a name of ours; None leaves it to the sender."""
        await self._keep(_SENDER_ID + name, sender_id, What.SENDER_ID, name, by=by)

    async def newsletter_senders(self) -> frozenset[str]:
        """Whose news goes out as newsletters."""
        async with self._database.read() as session:
            chosen = await settings.find_all(session, _NEWSLETTERS)
        return frozenset(name for name in chosen if isinstance(self._senders.find(name), Newsletters))

    async def use_newsletters(self, name: str, *, on: bool, by: int) -> None:
        """Have a sender's news go out as newsletters, or in bulk again."""
        await self._keep(_NEWSLETTERS + name, "newsletters" if on else None, What.NEWSLETTERS, name, by=by)

    async def heeds_stop(self, phone_number: str) -> bool:
        """Whether answering STOP to our texts ends them for this phone."""
        sender = self.route(phone_number, await self.choices())
        return sender is not None and sender.heeds_stop

    def route(self, phone_number: str, choices: Mapping[str, str]) -> Sender | None:
        """Who texts this number, by `choices`; None where nobody can."""
        return self.serving(country_of(phone_number), choices)

    def serving(self, country: str | None, choices: Mapping[str, str]) -> Sender | None:
        able = self.reaching(country)
        chosen = choices.get(country or "")
        return next((sender for sender in able if sender.name == chosen), next(iter(able), None))

    async def _keep(self, key: str, value: str | None, what: What, subject: str, *, by: int) -> None:
        now = self._clock.now()
        async with self._database.write() as session:
            before = await settings.find(session, key)
            if value == before:
                return
            if value is None:
                await settings.remove(session, key)
            else:
                await settings.put(session, key, value, now=now)
            await acts.record(
                session,
                what,
                by=by,
                now=now,
                subject=subject,
                before={"chosen": before} if before else {},
                after={"chosen": value} if value else {},
            )
