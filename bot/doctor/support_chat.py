"""What `numlet doctor` finds out about the operators' group."""

from telegram import Bot, ChatMemberAdministrator
from telegram.error import BadRequest, ChatMigrated, Forbidden

from bot.doctor.findings import Finding
from bot.settings import Settings

ABOUT = "SUPPORT_CHAT_ID"


async def examine(bot: Bot, settings: Settings) -> Finding:
    """Whether renters' messages can go there. Raises TelegramError."""
    if settings.support_chat_id is None:
        return Finding(ABOUT, "not set: renters' messages come to each operator's private chat")
    try:
        chat = await bot.get_chat(settings.support_chat_id)
        me = await bot.get_chat_member(settings.support_chat_id, bot.id)
    except ChatMigrated as moved:
        return Finding(ABOUT, "the group has another id by now", f"Set it to {moved.new_chat_id}.")
    except (BadRequest, Forbidden) as error:
        return Finding(ABOUT, f"cannot be used: {error}", "Compare the id, and add the bot to the group.")
    if not chat.is_forum:
        return Finding(
            ABOUT, "the group has no topics", "Switch topics on in the group's settings, or leave it empty."
        )
    if not (isinstance(me, ChatMemberAdministrator) and me.can_manage_topics):
        return Finding(ABOUT, "the bot may not manage topics", "Make it an administrator with that right.")
    return Finding(ABOUT, f"renters' messages come to {chat.title}, one topic for each renter")
