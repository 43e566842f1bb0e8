"""How much Telegram takes: one message a second to a person, in short bursts of more; 20 a minute to a group.

Moments are floats of seconds of any monotonic clock. Source: Telegram Bots FAQ, "My bot is hitting limits".
"""

from collections import deque
from math import inf

Chat = int | str | None
"""A chat id, a channel's @name, or None for a request that goes to no chat."""


class Bucket:
    """At most `burst` at once and `rate` a second in the long run."""

    __slots__ = ("_burst", "_interval", "full_at")

    def __init__(self, *, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._burst = burst
        self.full_at = -inf

    def ready_at(self, spare: int = 0) -> float:
        """When one may be taken that leaves `spare` behind."""
        return self.full_at - (self._burst - 1 - spare) * self._interval

    def take(self, now: float, messages: int = 1) -> None:
        self.full_at = max(self.full_at, now) + messages * self._interval


class Window:
    """At most `limit` in any `period` seconds."""

    __slots__ = ("_period", "_taken")

    def __init__(self, *, limit: int, period: float) -> None:
        self._taken: deque[float] = deque(maxlen=limit)
        self._period = period

    @property
    def full_at(self) -> float:
        return self._taken[-1] + self._period if self._taken else -inf

    def ready_at(self, spare: int = 0) -> float:
        """When one may be taken; codes do not go to groups, so nothing is spared for them."""
        return self._taken[0] + self._period if len(self._taken) == self._taken.maxlen else -inf

    def take(self, now: float) -> None:
        self._taken.append(now)


class Chats:
    """What each chat may still be sent; chats at rest take no memory."""

    _SWEEP_AT = 1024

    def __init__(self) -> None:
        self._limits: dict[Chat, Bucket | Window] = {}
        self._paused: dict[Chat, float] = {}
        self._sweep_at = self._SWEEP_AT

    def __len__(self) -> int:
        return len(self._limits)

    def ready_at(self, chat: Chat, spare: int) -> float:
        limit = self._limits.get(chat)
        ready_at = limit.ready_at(spare) if limit else -inf
        return max(ready_at, self._paused[chat]) if chat in self._paused else ready_at

    def take(self, chat: Chat, now: float) -> None:
        if chat is None:
            return
        if chat not in self._limits:
            self._sweep(now)
            self._limits[chat] = _limit_of(chat)
        self._limits[chat].take(now)

    def pause(self, chat: Chat, until: float, now: float) -> float:
        """Send nothing to `chat` before `until`; when everything may go on, -inf where it need not stop.

        Telegram does not say whether one chat or the whole bot must wait. Two chats at once mean the bot.
        """
        self._paused = {paused: end for paused, end in self._paused.items() if end > now}
        self._paused[chat] = max(until, self._paused.get(chat, until))
        return max(self._paused.values()) if len(self._paused) > 1 else -inf

    def _sweep(self, now: float) -> None:
        if len(self._limits) >= self._sweep_at:
            self._limits = {chat: limit for chat, limit in self._limits.items() if limit.full_at > now}
            self._sweep_at = max(self._SWEEP_AT, 2 * len(self._limits))


def _limit_of(chat: Chat) -> Bucket | Window:
    if isinstance(chat, int) and chat > 0:
        return Bucket(rate=1, burst=6)  # five, and one that only a code may take
    return Window(limit=20, period=60)
