"""`/senders` where texts go out through phones of the operator's own."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.senders import connect_senders
from bot.settings import read_settings
from db.session import Database
from sandbox.smsgateway24 import Status
from tests.bot.stage import Stage, labels
from tests.builders import world_on

pytestmark = pytest.mark.anyio

PHONE = "+6281234567890"


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    database = Database(sqlite_url)
    async with world_on(database, with_phones=True) as world, Stage(world).open() as stage:
        yield stage
    await database.aclose()


@pytest.fixture
def vendor(stage: Stage):
    return stage.world.outside.smsgateway24


async def test_phones_are_shown_with_their_sims_and_when_they_were_seen(olga):
    await olga.say("/senders")
    answer = await olga.wait_for("smsgateway24 🟢 working")
    assert "Texts to: all countries" in answer.text
    assert "📱 Phone on the counter (Drillisch (o2) and Telkomsel), last seen " in answer.text
    assert "📱 Phone in the drawer (Android (T-Mobile)), last seen " in answer.text
    assert "Test smsgateway24" in labels(answer)


async def test_that_there_is_no_phone_is_told(olga, vendor):
    vendor.devices.clear()
    await olga.say("/senders")
    await olga.wait_for("No phone is registered")


async def test_a_test_is_told_of_until_it_has_arrived(stage, olga, vendor):
    await olga.say("/senders")
    await olga.tap("Test smsgateway24")
    await olga.say(PHONE)
    await olga.wait_for("smsgateway24 has taken your test to +62 ••• 7890")
    stage.world.clock.advance(timedelta(minutes=1))
    await stage.world.text_tracking.follow()
    await stage.world.settle()
    await olga.wait_for("Your test has arrived at +62 ••• 7890")
    assert len(stage.world.outside.phones.at(PHONE)) == 1


@pytest.mark.parametrize(
    ("kind", "says"), [("lost_answer", "nobody knows whether"), ("401", "smsgateway24 refuses our key")]
)
async def test_trouble_is_told_in_words(olga, vendor, kind, says):
    await olga.say("/senders")
    await olga.tap("Test smsgateway24")
    vendor.trouble.fail_next(kind, path="addsms")
    await olga.say(PHONE)
    await olga.wait_for(says)


async def test_why_a_test_failed_is_told_in_the_gateways_words(stage, olga, vendor):
    vendor.devices[260].failure = Status.NO_SERVICE
    await olga.say("/senders")
    await olga.tap("Test smsgateway24")
    await olga.say(PHONE)
    await olga.wait_for("smsgateway24 has taken your test")
    stage.world.clock.advance(timedelta(minutes=1))
    await stage.world.text_tracking.follow()
    await stage.world.settle()
    told = await olga.wait_for("smsgateway24 could not deliver the test to +62 ••• 7890.")
    assert told.text.endswith("Its own words: Not sent, no service")


async def test_it_texts_the_countries_for_which_nobody_is_made(olga):
    for country, sender in (("indonesia", "smsgateway24"), ("australia", "cellcast")):
        await olga.say("/senders")
        await olga.tap("Sender by country")
        await olga.say(country)
        await olga.wait_for(f"Texted by {sender}.")


async def test_news_can_go_out_as_newsletters_which_the_broadcast_says(stage, olga):
    await olga.say("/senders")
    shown = await olga.wait_for("News goes out in bulk")
    assert shown.text.count("News goes out") == 1
    await olga.tap("Send news as newsletter")
    await olga.wait_for("News goes out as newsletters")
    await olga.say("/broadcast")
    await olga.wait_for("Send me the message")
    await olga.say("Big sale")
    await olga.tap("Also by SMS")
    await olga.wait_for("Through smsgateway24 it goes out as a newsletter.")
    await olga.say("/senders")
    await olga.tap("Send news in bulk")
    await olga.wait_for("News goes out in bulk")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, []),
        ({"smsgateway24_token": "t"}, ["smsgateway24"]),
        ({"smsgateway24_email": "a@b.example", "smsgateway24_password": "p"}, ["smsgateway24"]),
        ({"cellcast_token": "t", "smsgateway24_token": "t"}, ["cellcast", "smsgateway24"]),
    ],
)
async def test_a_sender_is_connected_where_its_settings_are(stage, values, names):
    senders = connect_senders(read_settings(_env_file=None, **values), stage.world.clock)
    assert [sender.name for sender in senders] == names
    for sender in senders:
        await sender.aclose()
