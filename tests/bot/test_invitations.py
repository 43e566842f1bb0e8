"""Invitations in the chat: the link, the welcome, and the news of a reward."""

from dataclasses import replace
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from services.invitations import Invitations
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio

REWARD = "Rp\N{NO-BREAK SPACE}900"


async def link_of(person):
    await person.say("/invite")
    copied = (await person.tap("Copy link", await person.wait_for("Invite friends"))).copied
    assert copied
    return copied


async def follow(person, link):
    """Open the link and press Start."""
    await person.say(f"/start {parse_qs(urlsplit(link).query)['start'][0]}")


async def test_the_screen_shows_the_link_what_it_brings_and_what_it_brought(stage, ann):
    await ann.say("/balance")
    await ann.tap("Invite friends")
    shown = await ann.wait_for("You get 5% of what a friend pays for each of the first 3 numbers")
    assert "Friends who came: 0" in shown.text
    link = (await ann.tap("Copy link", shown)).copied
    assert link in shown.text
    assert link.startswith(f"https://t.me/{stage.application.bot.username}?start=i_")
    share = (await ann.tap("Share", shown)).url
    assert parse_qs(urlsplit(share).query)["url"] == [link]
    assert "+" not in share


async def test_a_friend_is_welcomed_by_name_and_told_what_the_other_gets(stage):
    ann = await stage.renter(42, name="<b>Ann & Co</b>")
    link = await link_of(ann)
    ben = stage.person(78, "Ben")
    await follow(ben, link)
    welcome = await ben.wait_for("<b>Ann & Co</b> invited you.")
    assert "They get 5% of what you pay for your first 3 numbers." in welcome.text
    assert "Before you start" in welcome.text
    assert "Accept" in labels(welcome)
    await ben.tap("Accept")
    await ben.wait_for("Rent a number")
    await follow(ben, link)
    assert "invited you" not in (await ben.wait_for("Rent a number", after=ben.messages[-1])).text
    await ann.say("/invite")
    await ann.wait_for("Friends who came: 1")


async def test_the_inviter_is_told_of_each_reward_once(stage, ann):
    ben = stage.person(78, "Ben")
    await follow(ben, await link_of(ann))
    await ben.tap("Accept")
    await stage.world.renter(78, money=100_000)
    order = await stage.world.rent(78)
    await stage.world.receive(order, "123456")
    await stage.world.receive(order, "654321")
    news = await ann.wait_for(f"A friend whom you invited has rented a number: {REWARD} was added")
    assert "Ben" not in news.text
    assert len([message for message in ann.messages if "whom you invited" in message.text]) == 1
    await ann.say("/balance")
    assert f"+ {REWARD} · reward for an invitation" in (await ann.wait_for("Latest changes")).text
    await ann.say("/invite")
    await ann.wait_for(f"Earned: {REWARD}")


async def test_an_inviter_who_wants_no_messages_about_rewards_is_paid_in_silence(stage, ann):
    ben = stage.person(78, "Ben")
    await follow(ben, await link_of(ann))
    await ben.tap("Accept")
    await stage.world.renter(78, money=100_000)
    await ann.say("/settings")
    await ann.tap("✅ Messages about rewards: on")
    assert "Messages about rewards: off" in labels(await ann.wait_for("Settings"))
    await stage.world.receive(await stage.world.rent(78), "123456")
    assert (await stage.world.accounts.wallet(42)).available == 100_900
    assert [message for message in ann.messages if "whom you invited" in message.text] == []


async def test_an_inviter_who_blocked_the_bot_is_paid_and_left_alone(stage, ann):
    ben = stage.person(78, "Ben")
    await follow(ben, await link_of(ann))
    await ben.tap("Accept")
    await stage.world.renter(78, money=100_000)
    ann.block()
    await stage.world.receive(await stage.world.rent(78), "123456")
    assert (await stage.world.accounts.wallet(42)).available == 100_900
    assert await stage.world.owed("reward") == []


async def test_a_link_that_is_none_leads_to_the_terms(stage, ann):
    await link_of(ann)
    for number, parameter in enumerate(("i_", "i_42", "i_AAAAAAAAAAAA", "x", "i_" + "x" * 62)):
        ben = stage.person(2000 + number, "Ben")
        await ben.say(f"/start {parameter}")
        assert "invited" not in (await ben.wait_for("Before you start")).text


async def test_ones_own_link_leads_home(ann):
    await follow(ann, await link_of(ann))
    await ann.wait_for("Rent a number")
    await ann.say("/invite")
    await ann.wait_for("Friends who came: 0")


async def test_somebody_new_accepts_the_terms_before_they_invite(stage):
    ben = stage.person(78, "Ben")
    await ben.say("/invite")
    await ben.tap("Accept")
    await ben.wait_for("Invite friends")


async def test_without_rewards_there_is_no_link(stage, ann):
    closed = Invitations(
        stage.world.database, stage.world.clock, stage.world.announcer, percent=Decimal(0), purchases=3
    )
    link = await link_of(ann)
    stage.shop = replace(stage.shop, invitations=closed)
    await stage.restart()
    await ann.say("/invite")
    await ann.wait_for("There is no reward for invitations at the moment")
    await ann.say("/settings")
    assert not [label for label in labels(await ann.wait_for("Settings")) if "rewards" in label]
    ben = stage.person(78, "Ben")
    await follow(ben, link)
    assert "invited" not in (await ben.wait_for("Before you start")).text
