"""Who goes first to Telegram, and when: the order of sending, without a clock or a loop of its own."""

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf

from services.lanes import Lane
from services.senders.limits import Bucket, Chat, Chats

RATE, BULK_RATE = 28.0, 25.0
"""Messages a second, of all kinds and of broadcasts: the difference is left for people who do something."""


@dataclass(eq=False, slots=True)
class Ticket:
    """One request's place in the queue. It keeps its `number`, and so its place, when it must try again."""

    lane: Lane
    chat: Chat
    messages: int = 1
    """How many Telegram counts: an album is one request and several messages."""
    number: int = field(default=0, init=False)


class _Queue:
    """One lane: the oldest ticket whose chat may be written to.

    Every chat in `_lines` stands in `_ready` under the number of its oldest ticket, or in `_parked` until
    its limit allows another. Entries that a removal or a retry has outdated are skipped when they come up.
    """

    def __init__(self) -> None:
        self._lines: dict[Chat, list[tuple[int, Ticket]]] = {}
        self._ready: list[tuple[int, Chat]] = []
        self._parked: list[tuple[float, int, Chat]] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def push(self, ticket: Ticket) -> None:
        line = self._lines.setdefault(ticket.chat, [])
        heappush(line, (ticket.number, ticket))
        if line[0][1] is ticket:
            heappush(self._ready, (ticket.number, ticket.chat))

    def pop(self, now: float, chats: Chats, spare: int) -> Ticket | None:
        self._unpark(now)
        while self._ready:
            number, chat = heappop(self._ready)
            line = self._lines.get(chat)
            if line is None or line[0][0] != number:
                continue
            if (until := chats.ready_at(chat, spare)) > now:
                heappush(self._parked, (until, number, chat))
                continue
            _, ticket = heappop(line)
            self._go_on(chat, line)
            return ticket
        return None

    def remove(self, ticket: Ticket) -> bool:
        """Whether the ticket was still waiting."""
        line = self._lines.get(ticket.chat, [])
        if (ticket.number, ticket) not in line:
            return False
        line.remove((ticket.number, ticket))
        heapify(line)
        self._go_on(ticket.chat, line)
        return True

    def next_at(self) -> float:
        """When a ticket may be ready, as far as chats are concerned."""
        return -inf if self._ready else self._parked[0][0]

    def _unpark(self, now: float) -> None:
        while self._parked and self._parked[0][0] <= now:
            _, _, chat = heappop(self._parked)
            if line := self._lines.get(chat):
                heappush(self._ready, (line[0][0], chat))

    def _go_on(self, chat: Chat, line: list[tuple[int, Ticket]]) -> None:
        if line:
            heappush(self._ready, (line[0][0], chat))
        else:
            del self._lines[chat]
        if not self._lines:
            self._ready.clear()
            self._parked.clear()


class Schedule:
    """Strict priority between lanes, first come first served within one, and no chat in another's way.

    `push` a ticket, take what `pop_ready` gives, and call `finish` when its request has ended. Every
    lane below CODE leaves a slot and a message for the next code, so that nothing makes a code wait.
    """

    def __init__(self, *, in_flight: int = 8, rate: float = RATE, bulk_rate: float = BULK_RATE) -> None:
        """`rate` and `bulk_rate` are messages a second, in all and in BULK; `in_flight` requests at once."""
        kept = {Lane.ANSWER: 0, Lane.CODE: 1}
        self._slots = {lane: max(1, in_flight - kept.get(lane, 2)) for lane in Lane}
        self._queues = {lane: _Queue() for lane in Lane}
        self._all = Bucket(rate=rate, burst=2)  # 28 + 2: no second sees more than Telegram's 30
        self._bulk = Bucket(rate=bulk_rate, burst=2)
        self._chats = Chats()
        self._numbers = count(1)
        self._running = 0
        self._paused_until = -inf

    def push(self, ticket: Ticket) -> None:
        """Queue a ticket; one that was popped before takes its old place."""
        ticket.number = ticket.number or next(self._numbers)
        self._queues[ticket.lane].push(ticket)

    def remove(self, ticket: Ticket) -> bool:
        """Take back a ticket; False when it was popped already."""
        return self._queues[ticket.lane].remove(ticket)

    def pop_ready(self, now: float) -> Ticket | None:
        """The ticket that may go now, its limits spent and a slot taken; None while all must wait."""
        for lane, queue in self._queues.items():
            if queue and self._has_slot(lane) and self._opens_at(lane) <= now:
                ticket = queue.pop(now, self._chats, _spare(lane))
                if ticket:
                    self._spend(ticket, now)
                    return ticket
        return None

    def next_wake(self, now: float) -> float | None:
        """When to call `pop_ready` again; None where only a `push` or a `finish` can change anything."""
        wakes = [
            max(self._opens_at(lane), queue.next_at(), now)
            for lane, queue in self._queues.items()
            if queue and self._has_slot(lane)
        ]
        return min(wakes, default=None)

    def finish(self) -> None:
        """A request has ended, whichever way: its slot is free."""
        self._running -= 1

    def pause(self, chat: Chat, *, until: float, now: float) -> None:
        """Telegram told us to wait."""
        self._paused_until = max(self._paused_until, self._chats.pause(chat, until, now))

    def _has_slot(self, lane: Lane) -> bool:
        return self._running < self._slots[lane]

    def _opens_at(self, lane: Lane) -> float:
        if lane is Lane.ANSWER:
            return -inf
        opens_at = max(self._paused_until, self._all.ready_at(_spare(lane)))
        return max(opens_at, self._bulk.ready_at()) if lane is Lane.BULK else opens_at

    def _spend(self, ticket: Ticket, now: float) -> None:
        self._running += 1
        if ticket.lane is Lane.ANSWER:
            return
        self._all.take(now)
        self._chats.take(ticket.chat, now)
        if ticket.lane is Lane.BULK:
            self._bulk.take(now, ticket.messages)


def _spare(lane: Lane) -> int:
    return 0 if lane is Lane.CODE else 1
