"""The table of who handles what. Handlers parse, call one service, and show one view."""

from telegram import Update
from telegram.ext import (
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    InlineQueryHandler,
    MessageHandler,
    PreCheckoutQueryHandler,
    TypeHandler,
    filters,
)

from bot import errors
from bot.commands import COMMANDS
from bot.context import SHOP, App, Shop
from bot.handlers import (
    access,
    audit,
    bans,
    books,
    choices,
    closing,
    forum,
    inline,
    inviting,
    links,
    operator,
    orders,
    panel,
    payments,
    people,
    preferences,
    pricing,
    privacy,
    prompts,
    screens,
    searching,
    senders,
    start,
    statistics,
    suppliers,
    support,
    taps,
    vouchers,
)

FORUM, MONEY, DOOR, REPLIES, CONVERSATIONS = -5, -4, -3, -2, -1
"""Groups of handlers that come before the others."""

_RENTER_COMMANDS = {
    "start": links.follow,
    "buy": searching.buy,
    "orders": orders.command,
    "balance": orders.balance_command,
    "invite": inviting.command,
    "topup": payments.topup_command,
    "paysupport": payments.paysupport,
    "settings": preferences.command,
    "language": choices.language,
    "help": start.help_,
    "terms": start.terms,
    "privacy": privacy.command,
    "cancel": start.cancel,
}
_OPERATOR_COMMANDS = {
    "admin": panel.command,
    "ban": bans.ban,
    "maintenance": closing.command,
    "unban": bans.unban,
    "credit": operator.credit,
    "debit": operator.debit,
    "user": people.user,
    "users": people.users,
    "order": operator.order,
    "suppliers": suppliers.command,
    "webhooks": suppliers.command,
    "pricing": pricing.command,
    "senders": senders.command,
    "vouchers": vouchers.command,
    "audit": audit.command,
    "stats": statistics.command,
    "export": books.command,
}


def register(application: App, shop: Shop) -> None:
    """Open the shop in this chat bot."""
    application.bot_data[SHOP] = shop
    application.add_error_handler(errors.on_error)
    # Before all else: in the operators' group nothing of the rest reacts.
    application.add_handler(TypeHandler(Update, forum.take), FORUM)
    # Before the doorman: money is taken from whoever paid it.
    application.add_handler(PreCheckoutQueryHandler(payments.check), MONEY)
    application.add_handler(MessageHandler(filters.SUCCESSFUL_PAYMENT, payments.take), MONEY)
    application.add_handler(MessageHandler(filters.StatusUpdate.REFUNDED_PAYMENT, payments.take_back), MONEY)
    # It tells nothing that is not on every shelf.
    application.add_handler(InlineQueryHandler(inline.answer), MONEY)
    application.add_handler(TypeHandler(Update, screens.admit), DOOR)
    # Commands are for new messages: a corrected one would do everything twice.
    new = filters.UpdateType.MESSAGE
    replies = new & filters.REPLY & ~filters.COMMAND & ~filters.StatusUpdate.ALL
    application.add_handler(MessageHandler(replies, support.take_reply), REPLIES)
    application.add_handler(prompts.conversation(), CONVERSATIONS)
    for name, callback in _RENTER_COMMANDS.items():
        application.add_handler(CommandHandler(name, callback, new))
    for name, callback in _OPERATOR_COMMANDS.items():
        application.add_handler(CommandHandler(name, access.command(COMMANDS[name], callback), new))
    application.add_handler(CallbackQueryHandler(taps.dispatch))
    application.add_handler(MessageHandler(new & filters.COMMAND, start.unknown))
    application.add_handler(MessageHandler(new & filters.TEXT, searching.search))
    application.add_handler(MessageHandler(new & ~filters.StatusUpdate.ALL, start.not_text))
    application.add_handler(ChatMemberHandler(start.note_block, ChatMemberHandler.MY_CHAT_MEMBER))
