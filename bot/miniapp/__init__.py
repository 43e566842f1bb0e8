"""The shop as a page inside Telegram, beside the chat: the whole catalogue at once, and one's own orders."""
