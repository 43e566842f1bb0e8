"""The endpoints of the play Cellcast: every documented request, and every documented answer to the letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox.cellcast import Cellcast
from sandbox.clock import ManualClock
from sandbox.phones import Phones

pytestmark = pytest.mark.anyio

PHONE = "+61400000000"
FORMS = [PHONE, "61400000000", "0400000000", "400000000"]
HEAD = {
    "app_type": "web",
    "app_version": "1.0",
    "maintainence": 0,
    "new_version": 0,
    "force_update": 0,
    "invalid_token": 0,
    "refresh_token": "",
    "show_message": 0,
    "is_enc": False,
}
SHOWN = HEAD | {"show_message": 1}
BAD_CONTACTS = {
    "code": 400,
    "message": "Contacts must either start with 61 or +61 and be exactly 11 digits long (e.g., 614xxxxxxxx "
    "or +614xxxxxxxx), or be 9 digits without the area code (e.g., 4xxxxxxxx)",
    "stack": "APIError: Contacts are required.",
}
EXPIRED = {"code": 401, "message": "Token expired", "stack": "APIError: Token expired ...."}
GATEWAY, BUSINESS = "/api/v1/gateway", "/api/v1/business/add"
ADD, VERIFY = "/api/v1/customNumber/add", "/api/v1/customNumber/verifyCustomNumber"
USAGE = "/api/v2/report/message/quick-api-credit-usage?campType=sms"


def success(message: str, data: Any, head: dict[str, Any] = HEAD) -> dict[str, Any]:
    return head | {
        "status": True,
        "message": message,
        "message_type": "toast",
        "data": data,
        "error": {},
    }


def failure(message: str, error: dict[str, str], head: dict[str, Any] = HEAD) -> dict[str, Any]:
    return head | {
        "status": False,
        "message_type": "toast",
        "message": message,
        "data": {},
        "error": error,
    }


class Play:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.phones = Phones()
        self.cellcast = Cellcast(self.clock, self.phones)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.cellcast.app),
            base_url="https://api.cellcast.com",
            headers={"Authorization": f"Bearer {self.cellcast.token}"},
        )

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self.client.get(path)
        return answer.status_code, answer.json()

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        answer = await self.client.post(path, json=body)
        return answer.status_code, answer.json()


@pytest.fixture
def play() -> Play:
    return Play()


async def test_a_valid_token_is_echoed(play: Play):
    assert await play.get("/api/v1/user/token/verify") == (
        200,
        success("Token verified successfully!", {"token": play.cellcast.token}),
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/user/token/verify"),
        ("POST", GATEWAY),
        ("GET", USAGE),
        ("POST", BUSINESS),
        ("POST", ADD),
        ("POST", VERIFY),
    ],
)
async def test_another_token_has_expired(play: Play, method: str, path: str):
    answer = await play.client.request(method, path, headers={"Authorization": "Bearer other"})
    assert (answer.status_code, answer.json()) == (401, EXPIRED)


async def test_the_documented_text_is_queued_and_lands(play: Play):
    await play.post(ADD, name="Custom Number", number="+61400000001")
    otp = play.phones.texts[-1].text[:6]
    await play.post(VERIFY, name="Custom Number", number="+61400000001", otp=otp)
    status, body = await play.post(
        GATEWAY,
        message="Hi {{[First Name]}}, Test Message Visit gosite.au/goo ",
        contacts=[PHONE],
        sender="+61400000001",
        longUrl=[{"longUrl": "www.google.com", "shortUrl": "goo"}],
    )
    message_id = body["data"]["queueResponse"][0]["MessageId"]
    assert len(message_id) == 24
    assert status == 200
    assert body == success(
        "Request is being processed",
        {
            "queueResponse": [
                {
                    "Contact": "400000000",
                    "MessageId": message_id,
                    "Result": "Message added to queue.",
                    "Number": PHONE,
                }
            ],
            "message": "success register all valid contacts to queue",
            "invalidContacts": [],
            "unsubscribeContacts": [],
            "totalValidContact": 1,
            "totalInvalidContact": 0,
            "totalUnsubscribeContact": 0,
        },
    )
    landed = play.phones.texts[-1]
    assert (landed.to, landed.sender) == (PHONE, "+61400000001")
    # Templates are filled in, from contacts that nobody has stored.
    assert landed.text == "Hi , Test Message Visit gosite.au/goo "


@pytest.mark.parametrize("contacts", [[], ["0400000000"], ["+6281234567890"], ["+614000000000"]])
async def test_contacts_that_are_all_bad_are_refused(play: Play, contacts: list[str]):
    assert await play.post(GATEWAY, message="Hi", contacts=contacts) == (400, BAD_CONTACTS)


async def test_good_contacts_are_texted_and_the_others_named(play: Play):
    play.cellcast.unsubscribed.add("+61400000002")
    contacts = [PHONE, "nobody", "61400000002"]
    _, body = await play.post(GATEWAY, message="Hi", contacts=contacts)
    data = body["data"]
    assert [entry["Number"] for entry in data["queueResponse"]] == [PHONE]
    assert (data["invalidContacts"], data["unsubscribeContacts"]) == (["nobody"], ["61400000002"])
    totals = [data[f"total{kind}Contact"] for kind in ("Valid", "Invalid", "Unsubscribe")]
    assert totals == [1, 1, 1]
    assert [sms.to for sms in play.phones.texts] == [PHONE]


async def test_a_thousand_contacts_and_no_more(play: Play):
    contacts = [f"+614{number:08}" for number in range(1001)]
    assert (await play.post(GATEWAY, message="Hi", contacts=contacts))[0] == 400
    assert (await play.post(GATEWAY, message="Hi", contacts=contacts[1:]))[0] == 200


async def test_without_credit_nothing_is_sent(play: Play):
    words = "Your balance is too low for this request, please recharge."
    play.cellcast.trouble.out_of_credit = True
    answer = await play.post(GATEWAY, message="Hi", contacts=[PHONE])
    assert answer == (422, failure(words, {"errorMessage": words}))
    assert not play.phones.texts


@pytest.mark.parametrize("at", ["2026-02-25T10:05:00.000Z", "2026-02-25 10:05:00"])
async def test_a_scheduled_text_lands_at_its_time(play: Play, at: str):
    await play.post(GATEWAY, message="Hi", contacts=[PHONE], scheduleAt=at)
    play.clock.advance(timedelta(minutes=4))
    await play.cellcast.tick()
    assert not play.phones.texts
    play.clock.advance(timedelta(minutes=1))
    await play.cellcast.tick()
    assert play.phones.at(PHONE) == ["Hi"]


async def test_a_delay_is_in_milliseconds(play: Play):
    await play.post(GATEWAY, message="Hi", contacts=[PHONE], delay=60_000)
    play.clock.advance(timedelta(seconds=60))
    await play.cellcast.tick()
    assert play.phones.at(PHONE) == ["Hi"]


async def test_usage_counts_parts_and_credit_by_custom_string(play: Play):
    play.cellcast.usage = {"zapier": (11, 0), "wordpress": (17, 91)}
    assert await play.get(USAGE) == (
        200,
        success(
            "Success",
            {
                "items": [
                    {"_id": "zapier", "total": 11, "totalCreditAmount": 0},
                    {"_id": "wordpress", "total": 17, "totalCreditAmount": 9.1},
                ],
                "total": 2,
                "limit": 10,
                "current": 1,
                "totalPages": 1,
                "pagingCounter": 1,
                "hasPrevPage": False,
                "hasNextPage": False,
                "offset": 0,
                "prevPage": None,
                "nextPage": None,
            },
        ),
    )
    await play.post(GATEWAY, message="x" * 161, contacts=[PHONE], customString="zapier")
    assert play.cellcast.usage["zapier"] == (13, 20)


async def test_the_documented_business_name_is_requested(play: Play):
    status, body = await play.post(BUSINESS, businessname="Pizza Business", customerContact=PHONE)
    name_id = body["data"]["_id"]
    user = "67458f462d96c90000000000"
    now = "2026-02-25T10:00:00.000Z"
    assert status == 200
    assert body == success(
        "Request added successfully for business name!",
        {
            "isDeleted": False,
            "isDefault": False,
            "_id": name_id,
            "businessname": "Pizza Business",
            "user": user,
            "requestedAt": now,
            "status": "REQUESTED",
            "createdBy": user,
            "createdAt": now,
            "updatedAt": now,
            "__v": 0,
        },
    )


async def test_a_requested_name_sends_when_it_is_approved(play: Play):
    await play.post(BUSINESS, businessname="Pizza")
    assert (await play.post(GATEWAY, message="Hi", contacts=[PHONE], sender="Pizza"))[0] == 400
    play.cellcast.approve("Pizza")
    assert (await play.post(GATEWAY, message="Hi", contacts=[PHONE], sender="Pizza"))[0] == 200


async def test_a_business_without_a_name_fails_with_status_true(play: Play):
    assert await play.post(BUSINESS) == (400, success("Busniess Name is required!", 400))


async def test_a_number_can_be_added_without_an_otp(play: Play):
    play.cellcast.requires_otp = False
    data = {"success": True, "message": "Success create new custom number"}
    assert await play.post(ADD, name="Custom Number", number=PHONE) == (
        200,
        success("Custom number created", data, SHOWN),
    )
    assert (await play.post(GATEWAY, message="Hi", contacts=[PHONE], sender=PHONE))[0] == 200


@pytest.mark.parametrize("number", FORMS)
async def test_a_number_is_added_and_verified_by_the_otp_on_its_phone(play: Play, number: str):
    words = "OTP sent to your number successfully"
    assert await play.post(ADD, name="Custom Number", number=number) == (
        200,
        success(words, {"success": True, "message": words}, SHOWN),
    )
    otp = play.phones.at(PHONE)[0][:6]
    assert (await play.post(GATEWAY, message="Hi", contacts=[PHONE], sender=PHONE))[0] == 400
    assert await play.post(VERIFY, name="Custom Number", number=number, otp=otp) == (
        200,
        success("OTP Verified Successfully!", {}),
    )
    assert (await play.post(GATEWAY, message="Hi", contacts=[PHONE], sender=PHONE))[0] == 200


@pytest.mark.parametrize(
    ("body", "message", "error"),
    [
        ({"number": PHONE}, "Name is required", {"error": "name is not valid"}),
        ({"name": "Desk"}, "Mobile number is required", {"email": "Mobile number is not valie"}),
        (
            {"name": "Desk", "number": "12"},
            "Mobile number is not valid",
            {"error": "Mobile number is not valid"},
        ),
    ],
)
async def test_a_number_that_cannot_be_added(play: Play, body: Any, message: str, error: Any):
    assert await play.post(ADD, **body) == (400, failure(message, error))


async def test_a_number_that_exists_fails_with_status_true_inside_out(play: Play):
    await play.post(ADD, name="Desk", number=PHONE)
    status, body = await play.post(ADD, name="Desk", number=PHONE)
    odd = {name: value for name, value in HEAD.items() if not name.startswith("app_")}
    data = {"invalid_token": 0, "refresh_token": "", "app_type": "web", "app_version": "1.0"}
    assert (status, body) == (400, success("Number already exist in system", data, odd))


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, {"number": PHONE, "otp": "1"}, "Name is Required"),
        (400, {"name": "Desk", "otp": "1"}, "Number is Required"),
        (400, {"name": "Desk", "number": PHONE}, "OTP verification failed"),
        (400, {"name": "Desk", "number": PHONE, "otp": "wrong"}, "OTP verification failed"),
    ],
)
async def test_a_number_that_cannot_be_verified(play: Play, status: int, body: Any, message: str):
    await play.post(ADD, name="Desk", number=PHONE)
    assert await play.post(VERIFY, **body) == (status, failure(message, {"error": message}, SHOWN))


@pytest.mark.parametrize("status", ["429", "503", "500"])
async def test_trouble_speaks_in_the_servers_own_shape(play: Play, status: Any):
    play.cellcast.trouble.fail_next(status)
    code, body = await play.get("/api/v1/user/token/verify")
    assert (code, set(body), body["code"]) == (int(status), {"code", "message", "stack"}, int(status))
