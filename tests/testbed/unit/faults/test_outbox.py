"""What is on its way to a desk: late, and still in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from antiphon_testbed.effects import Answer, Event
from antiphon_testbed.faults.outbox import Outbox


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self.timers = 0

    def later(self, delay_s: float, function: Callable[[], None]) -> None:
        self.timers += 1
        heapq.heappush(self._due, (self.now_s + delay_s, self.timers, function))

    def advance(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self._due and self._due[0][0] <= until_s:
            self.now_s, _, function = heapq.heappop(self._due)
            function()
        self.now_s = until_s


def say(name: str) -> Event:
    return Event("desk", name, {})


def outbox(time: Time) -> tuple[Outbox, list[tuple[str, float]]]:
    gone: list[tuple[str, float]] = []

    def hand_over(item: Event | Answer) -> None:
        assert isinstance(item, Event)
        gone.append((item.name, time.now_s))

    return Outbox(hand_over, now_s=lambda: time.now_s, later=time.later), gone


def test_what_is_not_late_goes_at_once() -> None:
    time = Time()
    box, gone = outbox(time)
    box.put(say("a"))
    box.put(say("b"), 0.0)
    assert gone == [("a", 0.0), ("b", 0.0)]
    assert time.timers == 0


def test_an_event_waits_for_the_answer_before_it() -> None:
    time = Time()
    box, gone = outbox(time)
    box.put(say("answer"), 2.0)
    box.put(say("event"))
    time.advance(1.0)
    box.put(say("quick answer"), 0.5)
    assert gone == []
    time.advance(1.0)
    assert gone == [("answer", 2.0), ("event", 2.0), ("quick answer", 2.0)]
    box.put(say("at once"))
    assert gone[-1] == ("at once", 2.0)


def test_late_answers_do_not_add_up() -> None:
    time = Time()
    box, gone = outbox(time)
    box.put(say("a"), 1.0)
    box.put(say("b"), 1.5)
    time.advance(5)
    assert gone == [("a", 1.0), ("b", 1.5)]


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3))))
def test_the_order_is_kept_and_nothing_is_early_or_lost(puts: list[tuple[float, float]]) -> None:
    time = Time()
    box, gone = outbox(time)
    earliest = []
    for number, (delay_s, pause_s) in enumerate(puts):
        earliest.append(time.now_s + delay_s)
        box.put(say(str(number)), delay_s)
        time.advance(pause_s)
    time.advance(10)
    assert [name for name, _ in gone] == [str(number) for number in range(len(puts))]
    assert all(at_s >= due_s for (_, at_s), due_s in zip(gone, earliest, strict=True))
