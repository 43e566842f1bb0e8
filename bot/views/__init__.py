"""What people read: facts in, text and buttons out. Nothing here asks or decides anything.

Texts are Telegram's HTML. One file a part of the bot; `screen` holds what they share.
"""
