import os

VERSION = "0.1.0"

# python-telegram-bot otherwise warns whenever Telegram asks it to wait.
os.environ.setdefault("PTB_TIMEDELTA", "true")
