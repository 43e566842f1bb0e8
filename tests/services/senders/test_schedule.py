from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lanes import Lane
from services.senders.limits import Chats, Window
from services.senders.schedule import Schedule, Ticket

GROUP = -100


def push(schedule: Schedule, lane: Lane, *chats: int | str | None, messages: int = 1) -> list[Ticket]:
    tickets = [Ticket(lane, chat, messages) for chat in chats]
    for ticket in tickets:
        schedule.push(ticket)
    return tickets


def run(schedule: Schedule, *, start: float = 0, until: float = 1e9) -> list[tuple[float, Ticket]]:
    """Play the schedule with requests that end at once; what left, and when."""
    sent, now = [], start
    while True:
        while ticket := schedule.pop_ready(now):
            sent.append((now, ticket))
            schedule.finish()
        wake = schedule.next_wake(now)
        if wake is None or wake > until:
            return sent
        assert wake > now
        now = wake


def fill_slots(schedule: Schedule, lane: Lane, now: float) -> int:
    """Start requests in `lane` that do not end, a second apart; how many fit."""
    started = 0
    while push(schedule, lane, 1000 + started) and schedule.pop_ready(now + started):
        started += 1
    return started


def test_lanes_are_true_so_that_no_rate_limit_argument_is_lost():
    assert all(Lane)


def test_an_idle_schedule_sends_at_once_and_needs_no_timer():
    schedule = Schedule()
    (ticket,) = push(schedule, Lane.REPLY, 1)
    assert schedule.pop_ready(0) is ticket
    assert schedule.pop_ready(0) is None
    assert schedule.next_wake(0) is None


def test_urgent_lanes_go_first_and_each_lane_keeps_its_order():
    schedule = Schedule()
    tickets = [push(schedule, lane, chat)[0] for chat in (1, 2) for lane in reversed(Lane)]
    sent = [ticket for _, ticket in run(schedule)]
    assert sent == sorted(tickets, key=lambda ticket: (ticket.lane, ticket.number))


def test_a_code_overtakes_a_broadcast_without_waiting():
    schedule = Schedule()
    push(schedule, Lane.BULK, *range(1, 1001))
    *_, (now, _) = run(schedule, until=10)
    (code,) = push(schedule, Lane.CODE, 5000)
    assert schedule.pop_ready(now) is code


def test_a_code_overtakes_replies_without_waiting():
    schedule = Schedule()
    push(schedule, Lane.REPLY, *range(1, 101))
    *_, (now, _) = run(schedule, until=1)
    (code,) = push(schedule, Lane.CODE, 5000)
    assert schedule.pop_ready(now) is code


def test_a_code_does_not_wait_for_the_menus_of_its_own_chat():
    schedule = Schedule()
    push(schedule, Lane.EDIT, *[1] * 50)
    *_, (now, _) = run(schedule, until=10)
    (code,) = push(schedule, Lane.CODE, 1)
    assert schedule.pop_ready(now) is code


def test_all_lanes_together_stay_below_30_in_any_second():
    schedule = Schedule()
    push(schedule, Lane.CODE, *range(1, 101))
    push(schedule, Lane.BULK, *range(101, 201))
    moments = [moment for moment, _ in run(schedule)]
    assert len(moments) == 200
    assert busiest(moments, period=1) <= 30
    assert moments[99] == pytest.approx(98 / 28)


def test_bulk_goes_at_its_own_rate():
    schedule = Schedule()
    push(schedule, Lane.BULK, *range(1, 1001))
    moments = [moment for moment, _ in run(schedule)]
    assert 999 / 25 - 0.1 < moments[-1] <= 999 / 25
    assert busiest(moments, period=1) <= 27


def test_a_late_wake_up_costs_bulk_no_speed():
    schedule = Schedule()
    push(schedule, Lane.BULK, *range(1, 501))
    sent, now = 0, 0.0
    while (wake := schedule.next_wake(now)) is not None:
        now = wake + 0.003
        while schedule.pop_ready(now):
            schedule.finish()
            sent += 1
    assert sent / now > 25 * 0.95


def test_an_album_counts_as_many_messages_but_makes_no_code_wait():
    schedule = Schedule()
    push(schedule, Lane.BULK, 1, 2, 3, 4, messages=10)
    (first, _), *_, (last, _) = run(schedule)
    assert last - first == pytest.approx(29 / 25)
    (code,) = push(schedule, Lane.CODE, 5)
    assert schedule.pop_ready(last) is code


def test_a_private_chat_gets_five_at_once_and_then_one_a_second():
    schedule = Schedule(rate=1000)
    push(schedule, Lane.REPLY, *[1] * 8)
    moments = [moment for moment, _ in run(schedule)]
    assert moments[4] < 0.1
    assert moments[5:] == pytest.approx([1, 2, 3], abs=0.1)


@pytest.mark.parametrize("chat", [GROUP, "@channel"])
def test_a_group_gets_20_in_any_minute(chat):
    schedule = Schedule()
    push(schedule, Lane.REPLY, *[chat] * 60)
    moments = [moment for moment, _ in run(schedule)]
    assert busiest(moments, period=60) == 20
    assert moments[-1] < 125


def test_a_chat_that_must_wait_is_in_nobodys_way():
    schedule = Schedule()
    blocked = push(schedule, Lane.REPLY, *[1] * 7)
    (other,) = push(schedule, Lane.REPLY, 2)
    sent = run(schedule)
    assert [ticket for _, ticket in sent] == [*blocked[:5], other, *blocked[5:]]


def test_answers_are_not_counted():
    schedule = Schedule()
    push(schedule, Lane.ANSWER, *[None] * 100)
    push(schedule, Lane.CODE, 1)
    assert {moment for moment, _ in run(schedule)} == {0}


def test_slow_requests_leave_slots_for_codes_and_answers():
    schedule = Schedule(in_flight=8)
    assert fill_slots(schedule, Lane.BULK, now=0) == 6
    assert fill_slots(schedule, Lane.CODE, now=100) == 1
    assert fill_slots(schedule, Lane.ANSWER, now=200) == 1


def test_a_finished_request_makes_room():
    schedule = Schedule(in_flight=1)
    first, second = push(schedule, Lane.CODE, 1, 2)
    assert schedule.pop_ready(0) is first
    assert schedule.pop_ready(0) is None
    assert schedule.next_wake(0) is None
    schedule.finish()
    assert schedule.pop_ready(0) is second


def test_a_paused_chat_waits_alone():
    schedule = Schedule()
    schedule.pause(1, until=30, now=0)
    paused, other = *push(schedule, Lane.CODE, 1), *push(schedule, Lane.BULK, 2)
    assert run(schedule) == [(0, other), (30, paused)]


def test_two_paused_chats_pause_everything_but_answers():
    schedule = Schedule()
    schedule.pause(1, until=30, now=0)
    schedule.pause(2, until=20, now=5)
    code, answer = *push(schedule, Lane.CODE, 3), *push(schedule, Lane.ANSWER, None)
    assert run(schedule, start=5) == [(5, answer), (30, code)]


def test_pauses_one_after_the_other_stay_with_their_chats():
    schedule = Schedule()
    schedule.pause(1, until=10, now=0)
    schedule.pause(2, until=20, now=10)
    (code,) = push(schedule, Lane.CODE, 3)
    assert schedule.pop_ready(10) is code


def test_a_retry_keeps_its_place():
    schedule = Schedule()
    first, second = push(schedule, Lane.REPLY, 1, 1)
    assert schedule.pop_ready(0) is first
    schedule.finish()
    schedule.pause(1, until=3, now=0)
    schedule.push(first)
    assert [ticket for _, ticket in run(schedule)] == [first, second]


def test_a_removed_ticket_never_comes_up():
    schedule = Schedule()
    first, second, third = push(schedule, Lane.REPLY, 1, 1, 2)
    assert schedule.remove(first)
    assert not schedule.remove(first)
    assert [ticket for _, ticket in run(schedule)] == [second, third]


def test_a_ticket_that_was_popped_cannot_be_removed():
    schedule = Schedule()
    (ticket,) = push(schedule, Lane.REPLY, 1)
    schedule.pop_ready(0)
    assert not schedule.remove(ticket)


def test_chats_at_rest_are_forgotten():
    chats = Chats()
    for chat in range(1, 100_001):
        chats.take(chat, now=chat / 28)
    assert len(chats) <= 1024


def test_a_window_counts_every_moment_of_its_period():
    window = Window(limit=2, period=60)
    window.take(0)
    window.take(50)
    assert window.ready_at() == 60
    window.take(60)
    assert window.ready_at() == 110


@settings(max_examples=200)
@given(st.data())
def test_every_ticket_leaves_once_and_in_order_whatever_is_removed_paused_and_retried(data):
    schedule, now, waiting = Schedule(), 0.0, list[Ticket]()
    for _ in range(data.draw(st.integers(1, 40))):
        match data.draw(st.sampled_from(["push", "push", "remove", "pause", "time", "pop"])):
            case "push":
                chat = data.draw(st.sampled_from([1, 2, GROUP, "@channel", None]))
                waiting += push(schedule, data.draw(st.sampled_from(Lane)), chat)
            case "remove" if waiting:
                ticket = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
                assert schedule.remove(ticket)
            case "pause":
                chat = data.draw(st.sampled_from([1, 2, GROUP]))
                schedule.pause(chat, until=now + data.draw(st.integers(0, 9)), now=now)
            case "time":
                now += data.draw(st.floats(0, 5))
            case "pop" if popped := schedule.pop_ready(now):
                schedule.finish()
                if data.draw(st.booleans()):
                    schedule.push(popped)
                else:
                    waiting.remove(popped)
    sent = [ticket for _, ticket in run(schedule, start=now)]
    assert Counter(map(id, sent)) == Counter(map(id, waiting))
    by_line = sorted(sent, key=lambda ticket: (ticket.lane, str(ticket.chat)))
    for earlier, later in pairwise(by_line):
        if (earlier.lane, earlier.chat) == (later.lane, later.chat):
            assert earlier.number < later.number


def busiest(moments: list[float], *, period: float) -> int:
    """The most moments within any stretch of `period`, its end excluded."""
    return max(sum(start <= moment < start + period - 1e-9 for moment in moments) for start in moments)
