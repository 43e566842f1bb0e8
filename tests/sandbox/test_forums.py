"""Groups with topics in the play Telegram, called by the real python-telegram-bot."""

import pytest
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter

from sandbox.clock import ManualClock
from sandbox.telegram import FloodLimits, Telegram
from tests.sandbox.test_telegram import PNG, connected, next_update

pytestmark = pytest.mark.anyio

GROUP = -1001


@pytest.fixture
async def telegram():
    async with Telegram(ManualClock(speed=1000)) as telegram:
        yield telegram


@pytest.fixture
async def bot(telegram):
    async with connected(telegram) as bot:
        yield bot


@pytest.fixture
def olga(telegram):
    return telegram.person(1, "Olga", started=True)


@pytest.fixture
def forum(telegram, olga):
    return telegram.forum(GROUP, "Support", olga)


async def test_what_is_sent_and_copied_into_a_topic_stands_there(bot, forum, olga):
    topic = await bot.create_forum_topic(GROUP, "Ann")
    sent = await bot.send_message(GROUP, "Hi", message_thread_id=topic.message_thread_id)
    photo = await olga.send_photo(PNG, "Look")
    await bot.copy_message(GROUP, 1, photo.id, message_thread_id=topic.message_thread_id)
    assert (sent.message_thread_id, sent.is_topic_message) == (topic.message_thread_id, True)
    opening, *said = forum.of_topic(topic.message_thread_id)
    assert "forum_topic_created" in opening.attachment
    assert [message.text for message in said] == ["Hi", "Look"]


async def test_what_somebody_writes_in_a_topic_reaches_the_bot_with_the_topic(bot, forum, olga):
    topic = await bot.create_forum_topic(GROUP, "Ann")
    sent = await bot.send_message(GROUP, "Hi", message_thread_id=topic.message_thread_id)
    await olga.say_in(forum, topic.message_thread_id, "Hello", reply_to=forum.messages[sent.message_id])
    message = (await next_update(bot)).message
    assert (message.chat.id, message.chat.is_forum, message.from_user.id) == (GROUP, True, 1)
    assert (message.message_thread_id, message.reply_to_message.text) == (topic.message_thread_id, "Hi")


async def test_a_topic_that_is_gone_takes_nothing(bot, forum):
    topic = await bot.create_forum_topic(GROUP, "Ann")
    forum.remove_topic(topic.message_thread_id)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(GROUP, "Hi", message_thread_id=topic.message_thread_id)


async def test_a_closed_topic_takes_messages_of_those_who_manage_topics(bot, forum, olga):
    topic = (await bot.create_forum_topic(GROUP, "Ann")).message_thread_id
    olga.close_topic(forum, topic)
    assert (await next_update(bot)).message.forum_topic_closed
    await bot.send_message(GROUP, "Hi", message_thread_id=topic)
    await bot.reopen_forum_topic(GROUP, topic)
    with pytest.raises(BadRequest, match="Topic_not_modified"):
        await bot.reopen_forum_topic(GROUP, topic)
    await bot.close_forum_topic(GROUP, topic)
    forum.bot_rights.clear()
    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(GROUP, "Hi", message_thread_id=topic)
    with pytest.raises(BadRequest, match="Not enough rights"):
        await bot.create_forum_topic(GROUP, "Ben")


async def test_a_group_without_topics_has_none_made(bot, telegram):
    telegram.forum(GROUP, "Plain", is_forum=False)
    assert not (await bot.get_chat(GROUP)).is_forum
    with pytest.raises(BadRequest, match="The chat is not a forum"):
        await bot.create_forum_topic(GROUP, "Ann")


async def test_the_bot_learns_what_it_may_do_and_who_is_there(bot, forum, olga, telegram):
    telegram.person(7, started=True)
    me = await bot.get_chat_member(GROUP, bot.id)
    assert (me.status, me.can_manage_topics) == ("administrator", True)
    assert (await bot.get_chat_member(GROUP, 1)).status == "member"
    assert (await bot.get_chat_member(GROUP, 7)).status == "left"


async def test_a_group_that_the_bot_left_or_that_moved_takes_nothing(bot, forum):
    forum.bot_is_member = False
    with pytest.raises(Forbidden, match="bot was kicked"):
        await bot.send_message(GROUP, "Hi")
    forum.moved_to = -1002
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(GROUP, "Hi")
    assert moved.value.new_chat_id == -1002


async def test_a_group_takes_twenty_messages_a_minute():
    async with Telegram(ManualClock(), flood=FloodLimits()) as telegram, connected(telegram) as bot:
        telegram.forum(GROUP, "Support")
        for _ in range(20):
            await bot.send_message(GROUP, "Hi")
        with pytest.raises(RetryAfter):
            await bot.send_message(GROUP, "Hi")
