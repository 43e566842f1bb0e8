"""smsgateway24.com, API v1.0: a sender that sends through Android phones of the operator's own.

Texts are kept on its server until a phone fetches them, which may be much later, and cannot be called back.

Source: smsgateway24 API documentation, v1.0. What the vendor publishes beside it and later is tolerated and
never required. Refusals come with status 200, and the documentation has but one sentence of them.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx
from pydantic import ValidationError

from services.certificates import trusted
from services.clock import Clock
from services.errors import (
    AccessRefused,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.senders import smsgateway24_wire as wire
from services.senders.base import Answer, Contact, Device, Outcome, Progress, Receipt, Text
from services.suppliers.pacing import Pacer, parse_retry_after

_STATUS_READS_PER_MINUTE = 120
"""No limit is documented, and a broadcast has many texts to ask about."""
_MOST_LISTED = 5000
"""A list has no pages; one that is longer than this is not asked for."""
_CONTACTS_AT_ONCE = 4
_TIME_FOR_CONTACTS = 30
"""Seconds that all contacts of a newsletter may take: whoever promised the text waits for them."""
_PHONE_KEPT = timedelta(minutes=5)
_ZONES = timedelta(hours=15)
"""In which time zone lists are narrowed is not documented; the whole world's lie within this of UTC."""

_ACCESS = re.compile(r"token|login|password", re.IGNORECASE)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Login:
    email: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """What `error` 1 means there, and whether something may have happened when there is no answer."""

    name: str
    refusal: type[UpstreamError] = UpstreamRefused
    has_effect: bool = False

    def __str__(self) -> str:
        return f"smsgateway24 {self.name}"


_TOKEN = _Endpoint("gettoken", AccessRefused)
_DEVICES = _Endpoint("getalldevices", AccessRefused)
_LIST = _Endpoint("getallsms")
_STATUS = _Endpoint("getsmsstatus")
_SEND = _Endpoint("addsms", has_effect=True)
_SEND_WITH_LOGIN = _Endpoint("smstosend", has_effect=True)
# What one bad item does to the others is not documented.
_SEND_MANY = _Endpoint("addalotofsms", UpstreamUnknown, has_effect=True)
_SAVE_TAG = _Endpoint("savetag", has_effect=True)
_SAVE_CONTACT = _Endpoint("savecontact", has_effect=True)
# Nor is what becomes of the other contacts where one cannot be texted.
_SAVE_NEWSLETTER = _Endpoint("savepaket", UpstreamUnknown, has_effect=True)

ShapeT = TypeVar("ShapeT", bound=wire.Shape)


class SmsGateway24:
    """The vendor's whole documented API behind the sender port.

    Every call is made once, by POST: a query would end up in logs, with the token in it. There are no
    idempotency keys; each text bears `Contact.id` as its customer's id, by which `find_sent` finds it.
    """

    name = "smsgateway24"
    countries: frozenset[str] | None = None
    contacts_per_call = 50
    """What the vendor's own script sends at once; the documentation names no limit."""
    heeds_stop = True

    def __init__(
        self,
        *,
        token: str | None = None,
        login: Login | None = None,
        device_id: str | None = None,
        url: str = "https://smsgateway24.com/getdata",
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """With a `login` a token is got when there is none and when it is refused. Without a `device_id`
        the phone that was seen last sends."""
        assert token or login
        self._token = token
        self._login = login
        self._device_id = device_id
        self._chosen: tuple[wire.Origin, datetime] | None = None
        self._renewing = asyncio.Lock()
        self._pacer = Pacer(_STATUS_READS_PER_MINUTE, per=timedelta(minutes=1), sleep=sleep)
        self._clock = clock
        self._http = httpx.AsyncClient(
            base_url=url, timeout=httpx.Timeout(15, connect=5), transport=transport, verify=trusted()
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def check(self) -> None:
        """Raises UpstreamRefused also where no phone is there to send.

        Source: section getalldevices.
        """
        await self._choose_phone()

    async def send(self, text: Text) -> list[Receipt]:
        """Many contacts are handed over in one call, which tells no refs: `find_sent` does.

        A refusal of many settles nothing about any of them: it is UpstreamUnknown.
        Source: sections addsms, smstosend and addalotofsms.
        """
        assert len(text.contacts) <= self.contacts_per_call
        reachable = [contact for contact in text.contacts if _is_e164(contact.phone_number)]
        if len(reachable) == 1:
            refs: dict[int, str | None] = {reachable[0].id: await self._send_one(text, reachable[0])}
        else:
            await self._send_many(text, reachable)
            refs = {contact.id: None for contact in reachable}
        return [
            Receipt(contact, Outcome.ACCEPTED, ref=refs[contact.id])
            if contact.id in refs
            else Receipt(contact, Outcome.INVALID)
            for contact in text.contacts
        ]

    async def send_newsletter(self, title: str, text: Text) -> list[Receipt]:
        """A tag of its own for each, as nobody can be taken out of a tag, and one contact for each phone.

        Nobody is texted before the last of these calls. What came before it and failed is left behind
        there, a tag that is never used again. Messages of a newsletter bear no number of ours; its title
        does, by which `find_sent` finds them.
        Source: sections savetag, savecontact and savepaket.
        """
        assert len(text.contacts) <= self.contacts_per_call
        reachable = [contact for contact in text.contacts if _is_e164(contact.phone_number)]
        refused: dict[int, Receipt] = {}
        if reachable:
            named = wire.newsletter_title(title, reachable)
            tag, refused = await self._gather(f"{named} {secrets.token_hex(4)}", reachable)
            if len(refused) < len(reachable):
                await self.create_newsletter(named, text.body, tags=[tag], send_at=text.send_at)
        accepted = {contact.id for contact in reachable}
        return [
            refused.get(contact.id)
            or Receipt(contact, Outcome.ACCEPTED if contact.id in accepted else Outcome.INVALID)
            for contact in text.contacts
        ]

    async def _gather(self, title: str, contacts: Sequence[Contact]) -> tuple[str, dict[int, Receipt]]:
        """A new tag with these contacts; and the receipts of those that were refused, by our number.

        Raises UpstreamUnavailable for whatever went wrong without a clear no: nobody was texted yet.
        """
        try:
            async with asyncio.timeout(_TIME_FOR_CONTACTS):
                await self._origin()  # without a phone that sends, all of it would be in vain
                tag = await self.save_tag(title)
                saved = await self._enlist_all(contacts, tag)
        except (UpstreamUnknown, TimeoutError) as error:
            message = f"smsgateway24: no tag for a newsletter: {type(error).__name__}"
            raise UpstreamUnavailable(message, upstream=self.name) from error
        return tag, {receipt.contact.id: receipt for receipt in saved if receipt}

    async def _enlist_all(self, contacts: Sequence[Contact], tag: str) -> list[Receipt | None]:
        """A few at a time; the first that fails ends them all."""
        places = asyncio.Semaphore(_CONTACTS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                saving = [group.create_task(self._enlist(contact, tag, places)) for contact in contacts]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in saving]

    async def _enlist(self, contact: Contact, tag: str, places: asyncio.Semaphore) -> Receipt | None:
        """Give a phone the tag; a receipt where that was refused."""
        async with places:
            try:
                # Not their name: the vendor needs none, and it is nobody's business there.
                await self.save_contact(contact.phone_number, tag=tag, full_name=f"Renter {contact.id}")
            except AccessRefused:
                raise
            except UpstreamRefused as error:
                return Receipt(contact, Outcome.REFUSED, reason=error.code)
        return None

    async def _send_one(self, text: Text, contact: Contact) -> str:
        form = wire.sms_form(text, contact, await self._origin())
        try:
            await self._get_token()
        except (UpstreamUnavailable, UpstreamBroken):
            # No token to be had, and somebody waits for the text: the login can go with it.
            saved = await self._post(_SEND_WITH_LOGIN, wire.SavedSms, {**self._login_form(), **form})
        else:
            saved = await self._call(_SEND, wire.SavedSms, form)
        return saved.sms_id

    async def _send_many(self, text: Text, contacts: Sequence[Contact]) -> None:
        if not contacts:
            return
        # A read, which has the token renewed: after a refusal of the batch itself it would be too late.
        await self.devices()
        origin = await self._origin()
        form = wire.batch_form(
            await self._get_token(), [wire.sms_form(text, contact, origin) for contact in contacts]
        )
        await self._post(_SEND_MANY, wire.SavedMany, form)

    async def progress(self, ref: str) -> Progress:
        """Source: section getsmsstatus."""
        await self._pacer.wait()
        status = await self._call(_STATUS, wire.SmsStatus, {"sms_id": _id(ref)})
        if status.sms_id != ref:
            raise UpstreamBroken(f"{_STATUS}: the status of another message", upstream=self.name)
        return wire.progress(status)

    async def find_sent(self, text: Text, *, since: datetime) -> list[Receipt]:
        """By our own number for the text, which came with it, or with the title of its newsletter.

        Source: section getallsms.
        """
        since = since.replace(microsecond=0)  # their moments are whole seconds
        window = wire.Filter(begins_at=since - _ZONES)
        ids: dict[str, list[int]] = {}
        for contact in text.contacts:
            ids.setdefault(wire.digits(contact.phone_number), []).append(contact.id)
        refs = {
            id: sms.id
            for sms in await self._list_of(text.contacts, window)
            # With a new database our numbers begin anew; the vendor has those of the old one.
            if sms.created is None or sms.created >= since
            for id in ids.get(wire.digits(sms.sendto), ())
            if sms.customerid == id or wire.is_of_newsletter(sms, id, text.body)
        }
        return [
            Receipt(contact, Outcome.ACCEPTED, ref=refs[contact.id])
            for contact in text.contacts
            if contact.id in refs
        ]

    async def _list_of(self, contacts: Sequence[Contact], window: wire.Filter) -> list[wire.Sms]:
        if len(contacts) > 1 and await self.count_messages(window) <= _MOST_LISTED:
            return await self.list_messages(window)
        lists = [await self._list_of_one(contact, window) for contact in contacts]
        return [sms for found in lists for sms in found]

    async def _list_of_one(self, contact: Contact, window: wire.Filter) -> list[wire.Sms]:
        """What has our number for the text; else all to that phone, as newsletters have no such number."""
        found = await self.list_messages(replace(window, customer_id=contact.id))
        return found or await self.list_messages(replace(window, phone_number=contact.phone_number))

    async def list_messages(self, wanted: wire.Filter) -> list[wire.Sms]:
        """Ours alone: the vendor lists those that came in, too.

        Source: section getallsms.
        """
        listed = await self._call(_LIST, wire.SmsList, wanted.form())
        return [sms for sms in listed.smss.values() if not sms.is_incoming]

    async def count_messages(self, wanted: wire.Filter) -> int:
        """With those that came in. Source: section getallsms."""
        counted = await self._call(_LIST, wire.SmsCount, wanted.form(only_count=True))
        return counted.count

    async def answers(self, *, since: datetime, after: str | None) -> list[Answer]:
        """The vendor does not say in which field the sender's number stands; it is looked for in two.

        Source: section getallsms.
        """
        wanted = wire.Filter(status=wire.INCOMING, begins_at=since - _ZONES)
        listed = await self._call(_LIST, wire.SmsList, wanted.form())
        new = [
            sms
            for sms in listed.smss.values()
            if sms.is_incoming
            and (sms.created is None or sms.created >= since)
            and (after is None or int(sms.id) > int(after))
        ]
        if not new:
            return []
        homes = wire.homes(await self.devices())
        return [wire.answer(sms, homes.get(sms.deviceid)) for sms in sorted(new, key=lambda sms: int(sms.id))]

    async def devices(self) -> list[Device]:
        """Source: section getalldevices."""
        listed = await self._call(_DEVICES, wire.DeviceList, {})
        return [wire.device(device) for device in listed.device.values()]

    async def save_tag(self, title: str) -> str:
        """The tag's ref. Source: section savetag."""
        saved = await self._call(_SAVE_TAG, wire.SavedTag, {"title": title})
        return saved.tag_id

    async def save_contact(self, phone_number: str, *, tag: str, full_name: str) -> str:
        """The ref of the contact, which has the tag then. Source: section savecontact."""
        form: wire.Form = {"phone": phone_number, "tag_id": _id(tag), "fullname": full_name}
        saved = await self._call(_SAVE_CONTACT, wire.SavedContact, form)
        return saved.contact_id

    async def create_newsletter(
        self, title: str, body: str, *, tags: Sequence[str], send_at: datetime | None = None
    ) -> str:
        """The ref of a text to everybody who has one of the tags. Source: section savepaket."""
        form = wire.newsletter_form(title, body, tags=tags, origin=await self._origin(), send_at=send_at)
        saved = await self._call(_SAVE_NEWSLETTER, wire.SavedNewsletter, form)
        return saved.paket_id

    async def _origin(self) -> wire.Origin:
        if self._device_id:
            return wire.Origin(self._device_id)
        if self._chosen and self._clock.now() < self._chosen[1] + _PHONE_KEPT:
            return self._chosen[0]
        return await self._choose_phone()

    async def _choose_phone(self) -> wire.Origin:
        """The one of the setting, or the one that was seen last, with the first SIM that is in it."""
        devices = [device for device in await self.devices() if self._device_id in (None, device.ref)]
        if not devices:
            which = "the phone of SMSGATEWAY24_DEVICE_ID is not" if self._device_id else "no phone is"
            raise UpstreamRefused(f"smsgateway24: {which} registered there", upstream=self.name)
        phone = max(devices, key=lambda device: device.last_seen_at or datetime.min.replace(tzinfo=UTC))
        origin = wire.Origin(phone.ref, sim=min((sim.slot for sim in phone.sims), default=0))
        self._chosen = origin, self._clock.now()
        return origin

    async def _get_token(self, *, refused: str | None = None) -> str:
        """The token; another one than the one that was refused, where it can be had."""
        async with self._renewing:
            if self._login and self._token in (None, refused):
                got = await self._post(_TOKEN, wire.Token, self._login_form())
                self._token = got.token
            assert self._token
            return self._token

    def _login_form(self) -> wire.Form:
        assert self._login
        return {"email": self._login.email, "pass": self._login.password}

    async def _call(self, endpoint: _Endpoint, shape: type[ShapeT], form: wire.Form) -> ShapeT:
        token = await self._get_token()
        try:
            return await self._post(endpoint, shape, {"token": token, **form})
        except UpstreamRefused:
            # How a token that has run out is refused is not documented, so that any refusal may be that.
            # Nothing was done, and under another token it may be.
            renewed = await self._get_token(refused=token)
            if renewed == token:
                raise
        return await self._post(endpoint, shape, {"token": renewed, **form})

    async def _post(self, endpoint: _Endpoint, shape: type[ShapeT], form: wire.Form) -> ShapeT:
        try:
            response = await self._http.post(f"/{endpoint.name}", data=dict(form))
            self._raise_for_verdict(response, endpoint, form)
            return shape.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as exc:
            raise self._translate(exc, endpoint) from exc

    def _raise_for_verdict(self, response: httpx.Response, endpoint: _Endpoint, form: wire.Form) -> None:
        """Raises what `error` 1 means; errors of HTTP, too, which the documentation does not promise."""
        if response.status_code in (408, 429) or response.status_code >= 500:
            response.raise_for_status()
        try:
            verdict = wire.Verdict.model_validate_json(response.content)
        except ValidationError:
            response.raise_for_status()
            raise
        if verdict.error in (None, 0):
            response.raise_for_status()
            return
        is_about_access = response.status_code in (401, 403) or _ACCESS.search(verdict.message)
        kind = AccessRefused if is_about_access else endpoint.refusal
        words = wire.plain_words(verdict.message, form.values())
        raise kind(f"{endpoint}: {words or 'refused'}", upstream=self.name, code=words)

    def _translate(self, exc: httpx.HTTPError | ValidationError, endpoint: _Endpoint) -> UpstreamError:
        """What a failure means to the caller."""
        retry_after = None
        if isinstance(exc, httpx.HTTPStatusError):
            kind, what = _meaning(exc.response.status_code), f"HTTP {exc.response.status_code}"
            retry_after = parse_retry_after(exc.response.headers.get("Retry-After"), self._clock.now())
        elif isinstance(exc, httpx.TransportError):
            kind = UpstreamUnavailable if isinstance(exc, _NEVER_SENT) else UpstreamUnknown
            what = type(exc).__name__
        else:
            kind, what = UpstreamBroken, "unreadable answer"
        if kind is UpstreamUnknown and not endpoint.has_effect:
            kind = UpstreamUnavailable
        return kind(f"{endpoint}: {what}", upstream=self.name, retry_after=retry_after)


def _meaning(status: int) -> type[UpstreamError]:
    """Of a status without a verdict: some proxy's word, mostly, from which nothing follows."""
    match status:
        case 401 | 403:
            return AccessRefused
        case 429 | 503:
            return UpstreamUnavailable
        case 408:
            return UpstreamUnknown
        case _ if status >= 500:
            return UpstreamUnknown
        case _:
            return UpstreamBroken


def _is_e164(number: str) -> bool:
    """A comma would make two recipients of it."""
    return re.fullmatch(r"\+[1-9][0-9]{6,14}", number) is not None


def _id(ref: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,18}", ref):
        raise UpstreamRefused("smsgateway24: not an id of theirs", upstream=SmsGateway24.name)
    return int(ref)
