"""Requests that fail, and whether they were carried out."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import get_args

import httpx
import pytest

from sandbox.trouble import Kind, Trouble
from tests.sandbox.smscode_play import Play

pytestmark = pytest.mark.anyio


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def trouble(play: Play) -> Trouble:
    return play.smscode.trouble


async def create(play: Play) -> httpx.Response:
    headers = {"Idempotency-Key": "order-7"}
    return await play.client.post("/orders/create", json={"product_id": 142}, headers=headers)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("401", "UNAUTHORIZED"),
        ("429", "RATE_LIMIT_EXCEEDED"),
        ("500", "INTERNAL_ERROR"),
        ("503", "SERVICE_UNAVAILABLE"),
    ],
)
async def test_refusals_speak_the_vendors_language(play: Play, trouble: Trouble, kind: Kind, code: str):
    trouble.fail_next(kind)
    assert await play.refusal("POST", "/orders/create", json={"product_id": 142}) == (int(kind), code)
    assert not play.smscode.orders


async def test_a_429_says_when_to_come_back(play: Play, trouble: Trouble):
    trouble.retry_after = timedelta(seconds=7)
    trouble.fail_next("429")
    assert (await create(play)).headers["retry-after"] == "7"


@pytest.mark.parametrize(("kind", "status"), [("html", 200), ("502", 502)])
async def test_a_proxy_answers_with_a_page(play: Play, trouble: Trouble, kind: Kind, status: int):
    trouble.fail_next(kind)
    response = await create(play)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert not play.smscode.orders


async def test_an_answer_may_be_empty(play: Play, trouble: Trouble):
    trouble.fail_next("empty")
    assert (await create(play)).content == b""


async def test_half_an_answer_is_to_a_request_carried_out(play: Play, trouble: Trouble):
    trouble.fail_next("half_json")
    response = await create(play)
    assert response.content.startswith(b'{"success":true')
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert len(play.smscode.orders) == 1


async def test_a_request_that_times_out_is_not_carried_out(play: Play, trouble: Trouble):
    trouble.fail_next("timeout")
    with pytest.raises(httpx.ReadTimeout):
        await create(play)
    assert not play.smscode.orders


async def test_a_lost_answer_can_be_had_again_by_its_key(play: Play, trouble: Trouble):
    trouble.fail_next("lost_answer")
    with pytest.raises(httpx.ReadTimeout):
        await create(play)
    assert list(play.smscode.orders) == [1001]
    assert (await create(play)).json()["data"]["orders"][0]["id"] == 1001
    assert len(play.smscode.orders) == 1


async def test_a_missing_answer_is_held_back_until_the_client_leaves(play: Play, trouble: Trouble):
    trouble.hang = timedelta(hours=1)
    trouble.fail_next("timeout")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await create(play)


async def test_faults_are_used_up_one_by_one(play: Play, trouble: Trouble):
    trouble.fail_next("503", times=2)
    trouble.fail_next("500")
    statuses = [(await play.client.get("/balance")).status_code for _ in range(4)]
    assert statuses == [503, 503, 500, 200]


async def test_a_fault_can_wait_for_its_path(play: Play, trouble: Trouble):
    trouble.fail_next("503", path="/orders/create")
    assert (await play.client.get("/balance")).status_code == 200
    assert (await create(play)).status_code == 503
    assert (await create(play)).status_code == 200


async def test_a_lasting_fault_lasts(play: Play, trouble: Trouble):
    trouble.always = "503"
    assert [(await create(play)).status_code for _ in range(3)] == [503] * 3
    trouble.always = None
    assert (await create(play)).status_code == 200


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_after_any_fault_all_is_well(play: Play, trouble: Trouble, kind: Kind):
    trouble.fail_next(kind)
    try:
        await create(play)
    except httpx.ReadTimeout:
        assert kind in ("timeout", "lost_answer")
    assert (await create(play)).status_code == 200
    assert len(play.smscode.orders) == 1


async def test_out_of_stock_is_everywhere(play: Play, trouble: Trouble):
    trouble.out_of_stock = True
    assert {product["available"] for product in await play.get("/catalog/products")} == {0}
    assert await play.refusal("POST", "/orders/create", json={"product_id": 142}) == (422, "PROVIDER_ERROR")


async def test_a_price_jump_is_charged(play: Play, trouble: Trouble):
    trouble.price_jump_percent = 50
    await create(play)
    assert (await play.get("/orders/1001"))["amount"] == 22_500
    assert (await play.get("/catalog/products", country_id=6, platform_id=3))[0]["price"] == 22_500
