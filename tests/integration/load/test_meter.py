"""What is measured of conversations, from what they say to the figures."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import weakref
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest
from tests.integration.load.conftest import Load, SlowPeer

import antiphon.load
from antiphon import (
    Actor,
    Backoff,
    ExpectationFailed,
    Json,
    Link,
    Message,
    Opening,
    RejectConnection,
    Step,
    action,
    await_signal,
    call,
    expect,
    first_of,
    on,
    scenario,
    signal,
    timer,
    together,
    wait,
    within,
)
from antiphon.journal.figures import SeriesFigures
from antiphon.load.meter import Meter
from antiphon.transport.interface import Receiver

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Operator(Actor):
    desk = Link("{peer}", dialect=DIALECT, within_s=5)

    @action
    async def dial(self) -> None:
        await self.ask("call")

    @action
    async def call_out(self) -> None:
        """Two asks after each other, an expectation beside them, and 20 ms of its own."""
        connected = self.expect("connected")
        await self.ask("call")
        await asyncio.sleep(0.02)
        await self.ask("mute")
        await connected

    @action
    async def twice(self) -> None:
        first, second = self.ask("call"), self.ask("mute")
        await first
        await second

    @action
    async def outer(self) -> None:
        await asyncio.sleep(0.01)
        await self.dial()

    @action
    async def hear(self, state: str) -> None:
        await self.expect("state", where={"state": state})

    @action
    async def judge(self) -> None:
        await self.expect("state", check={"state": "connected"})


def told(figures: SeriesFigures) -> tuple[int, int, int, dict[str, int]]:
    return figures.count, figures.errors, figures.sum_us, figures.split


@scenario
async def dialling(operator: Operator) -> None:
    await operator.dial()


def test_an_action_its_request_and_the_whole_conversation(load: Load, slow_peer: SlowPeer) -> None:
    slow_peer.answers("call", 30, "resultCall")
    load.perform(dialling)
    series = load.take().series
    assert {name: (each.kind, told(each)) for name, each in series.items()} == {
        "calls": ("conversation", (1, 0, 30_000, {})),
        "calls/dial": ("step", (1, 0, 30_000, {"call": 30_000, "": 0})),
        "calls/dial/call": ("ask", (1, 0, 30_000, {})),
        "calls/operator.desk": ("connect", (1, 0, 1, {})),
    }


class Stubborn(Actor):
    desk = Link("{peer}", dialect=DIALECT, within_s=50, reopens=Backoff(first_s=1, jitter=0))


class BusyPeer(SlowPeer):
    """Refuses the second who comes."""

    def accept(self, opening: Opening) -> Receiver:
        self.openings.append(opening)
        if len(self.openings) == 2:
            raise RejectConnection(503)
        return self


def test_each_connection_of_a_channel_that_reopens_is_counted_and_so_is_each_that_failed() -> None:
    peer = BusyPeer()

    @scenario
    async def listening(operator: Stubborn) -> None:
        peer.abort()
        await operator.expect_close()
        await operator.desk.reopened()

    load = Load(peer)
    load.perform(listening)
    (connects,) = (each for each in load.take().series.values() if each.kind == "connect")
    assert (connects.count, connects.errors) == (3, 1)


def test_a_conversation_counts_from_when_it_was_due(load: Load, slow_peer: SlowPeer) -> None:
    slow_peer.answers("call", 30, "resultCall")
    load.perform(dialling, due_s=-2)
    assert load.take().series["calls"].sum_us == 2_030_000


def test_what_was_told_is_not_told_again(load: Load, slow_peer: SlowPeer) -> None:
    slow_peer.answers("call", 30, "resultCall")
    load.perform(dialling)
    first = load.meter.take(1_000)
    assert (first.from_ns, first.at_ns) == (0, 1_000)
    second = load.meter.take(3_000)
    assert (second.from_ns, second.at_ns, second.series, second.causes) == (1_000, 3_000, {}, [])
    assert (second.traffic.sent, second.correctness) == (0, {})
    load.perform(dialling)
    assert load.take().series["calls/dial"].count == 1


def test_messages_and_their_bytes(load: Load, slow_peer: SlowPeer) -> None:
    slow_peer.answers("call", 1, "resultCall", who="Zoë")
    load.perform(dialling)
    traffic = load.take().traffic
    sent, received = '{"action":"call","data":{}}', '{"action":"resultCall","data":{"who":"Zoë"}}'
    assert (traffic.sent, traffic.received) == (1, 1)
    assert (traffic.sent_bytes, traffic.received_bytes) == (len(sent), len(received) + 1)


def test_waits_of_types_and_of_several_names_are_measured_under_their_names(load: Load, slow_peer: SlowPeer) -> None:
    class Called(msgspec.Struct):
        pass

    class Party(Actor):
        desk = Link("{peer}", dialect=DIALECT, within_s=5)

        @action
        async def dial(self) -> None:
            await self.ask("call", reply=Called)
            self.send("ring")
            await self.expect(Called)
            self.send("look")
            await self.expect(("busy", "idle"))

    @scenario
    async def dialling_typed(party: Party) -> None:
        await party.dial()

    slow_peer.answers("call", 30, "resultCall")
    slow_peer.answers("ring", 20, "called")
    slow_peer.answers("look", 10, "idle")
    load.perform(dialling_typed)
    series = load.take().series
    assert {name: (each.kind, told(each)) for name, each in series.items() if name.startswith("calls/dial")} == {
        "calls/dial": ("step", (1, 0, 60_000, {"call": 30_000, "called": 20_000, "busy or idle": 10_000, "": 0})),
        "calls/dial/call": ("ask", (1, 0, 30_000, {})),
        "calls/dial/called": ("expect", (1, 0, 20_000, {})),
        "calls/dial/busy or idle": ("expect", (1, 0, 10_000, {})),
    }


# -- the split --------------------------------------------------------------------------------------------------------


def test_a_steps_time_is_that_of_the_wait_that_is_settled_next(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        await operator.call_out()

    slow_peer.answers("mute", 50, "resultMute")
    slow_peer.answers("call", 100, "resultCall")
    slow_peer.answers("call", 300, "connected")
    load.perform(case)
    series = load.take().series
    # 0-100 call, 100-120 nothing but the expectation, 120-170 mute, 170-300 the expectation.
    assert series["calls/call_out"].split == {"call": 100_000, "mute": 50_000, "connected": 150_000, "": 0}
    assert series["calls/call_out/connected"].sum_us == 300_000
    assert series["calls/call_out/connected"].kind == "expect"


def test_what_is_no_wait_is_ours(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        await operator.outer()

    slow_peer.answers("call", 30, "resultCall")
    load.perform(case)
    series = load.take().series
    assert series["calls/outer"].split == {"call": 30_000, "": 10_000}
    assert series["calls/dial"].split == {"call": 30_000, "": 0}
    assert set(series) == {"calls", "calls/outer", "calls/dial", "calls/dial/call", "calls/operator.desk"}


def test_two_requests_at_once(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        await operator.twice()

    slow_peer.answers("call", 40, "resultCall")
    slow_peer.answers("mute", 10, "resultMute")
    load.perform(case)
    series = load.take().series
    assert series["calls/twice"].split == {"mute": 10_000, "call": 30_000, "": 0}
    assert (series["calls/twice/call"].sum_us, series["calls/twice/mute"].sum_us) == (40_000, 10_000)


def test_an_early_message_takes_no_time(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        await wait(1)
        await operator.hear("held")

    slow_peer.greeting = [("state", {"state": "held"})]
    load.perform(case)
    series = load.take().series
    assert told(series["calls/hear/state"]) == (1, 0, 1, {})
    assert series["calls/hear"].split == {"state": 0, "": 1}
    assert "calls/wait" not in series


@pytest.mark.parametrize("count", [1, 700])
def test_the_parts_of_a_split_add_up(load: Load, slow_peer: SlowPeer, count: int) -> None:
    class Busy(Operator):
        @action
        async def work(self) -> None:
            end = self.expect("end", within_s=60)
            for _ in range(count):
                await self.ask("call")
                await asyncio.sleep(0.0017)
            await end

    @scenario
    async def case(operator: Busy) -> None:
        await operator.work()

    asked = 0

    def react(_body: Any) -> None:
        nonlocal asked
        asked += 1
        slow_peer.say_in(2.3, "resultCall")
        if asked == count:
            slow_peer.say_in(100, "end")

    slow_peer.on_request["call"] = react
    load.perform(case)
    figures = load.take().series["calls/work"]
    assert sum(figures.split.values()) == figures.sum_us
    assert figures.split["call"] == pytest.approx(count * 2_300, abs=2)
    assert figures.split["end"] == pytest.approx(figures.sum_us - count * 2_300, abs=2)


# -- what does not go well --------------------------------------------------------------------------------------------


def test_a_deadline_is_an_error_of_its_time(load: Load) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        await operator.hear("held")

    load.perform(case)
    second = load.take()
    assert told(second.series["calls/hear/state"]) == (1, 1, 5_000_000, {})
    assert told(second.series["calls/hear"]) == (1, 1, 5_000_000, {"state": 5_000_000, "": 0})
    assert second.series["calls"].errors == 1
    (cause,) = second.causes
    assert (cause.part, cause.error, cause.step, cause.count) == ("calls", "DeadlinePassed", "hear", 1)
    assert cause.conversation == "calls-0"
    assert "waited 5.000 s" in cause.example


def test_a_failing_check_is_an_error_of_the_wait_and_the_step(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        await operator.judge()

    slow_peer.greeting = [("state", {"state": "held"})]
    load.perform(case)
    series = load.take().series
    assert (series["calls/judge/state"].errors, series["calls/judge"].errors) == (1, 1)


def test_what_is_cancelled_is_not_counted_as_a_time_of_the_system(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        with pytest.raises(ExpectationFailed):
            await within(0.5, operator.hear("held"))

    load.perform(case)
    series = load.take().series
    assert set(series) == {"calls", "calls/operator.desk"}
    assert series["calls"].errors == 0


def test_of_first_of_the_one_that_came_is_counted(load: Load, slow_peer: SlowPeer) -> None:
    class Chooser(Operator):
        @action
        async def choose(self) -> None:
            await first_of(self.expect("never"), self.expect("state"))

    @scenario
    async def case(operator: Chooser) -> None:
        slow_peer.say_in(40, "state")
        await operator.choose()

    load.perform(case)
    series = load.take().series
    assert series["calls/choose"].split == {"state": 40_000, "never": 0, "": 0}
    assert "calls/choose/never" not in series


def test_a_request_lasts_until_its_last_reply(load: Load, slow_peer: SlowPeer) -> None:
    class Caller(Actor):
        line = Link("{peer}", dialect=Json(name="action", body="data", id="id", provisional={"status": "ringing"}))

        @action
        async def invite(self) -> int:
            return len([reply async for reply in self.ask("invite")])

    @scenario
    async def case(caller: Caller) -> int:
        return await caller.invite()

    def say(delay_ms: float, status: str) -> None:
        answer = {"action": "invite", "id": 1, "data": {"status": status}}
        asyncio.get_running_loop().call_later(delay_ms / 1e3, slow_peer.say_raw, json.dumps(answer))

    def react(_asked: Any) -> None:
        for delay_ms, status in ((5, "ringing"), (10, "ringing"), (30, "ok")):
            say(delay_ms, status)

    slow_peer.on_request["invite"] = react
    assert load.perform(case).value == 3
    series = load.take().series
    assert told(series["calls/invite/invite"]) == (1, 0, 30_000, {})
    assert series["calls/invite"].split == {"invite": 30_000, "": 0}


# -- where it is -------------------------------------------------------------------------------------------------------


def test_outside_of_actions_a_message_is_of_the_part(load: Load, slow_peer: SlowPeer) -> None:
    @scenario
    def case(operator: Operator) -> list[Step[Any]]:
        return [within(3, expect("state"))]

    slow_peer.greeting = [("state", {"state": "held"})]
    load.perform(case)
    assert set(load.take().series) == {"calls", "calls/state", "calls/operator.desk"}


def test_in_an_action_the_words_of_workflows_are_a_part_of_it(load: Load, slow_peer: SlowPeer) -> None:
    class Careful(Operator):
        @action
        async def hear_in_time(self) -> None:
            await within(3, expect("state"))

    @scenario
    async def case(operator: Careful) -> None:
        slow_peer.say_in(7, "state")
        await operator.hear_in_time()

    load.perform(case)
    series = load.take().series
    assert series["calls/hear_in_time"].split == {"state": 7_000, "": 0}
    assert series["calls/hear_in_time/state"].count == 1


def test_a_wait_for_a_signal_a_silence_or_a_close_is_a_part_of_the_step_only(load: Load, slow_peer: SlowPeer) -> None:
    class Patient(Operator):
        @action
        async def be_patient(self) -> None:
            await self.expect_none("alarm", within_s=1)
            await await_signal("go")
            slow_peer.close()
            await self.expect_close()

    @scenario
    async def case(operator: Patient) -> None:
        await together(operator.be_patient(), [wait(3), signal("go")])

    load.perform(case)
    series = load.take().series
    assert series["calls/be_patient"].split == {
        "no alarm": 1_000_000,
        "the signal 'go'": 2_000_000,
        "the close": 0,
        "": 0,
    }
    assert set(series) == {"calls", "calls/be_patient", "calls/operator.desk"}


def test_a_condition_is_an_expectation(load: Load, slow_peer: SlowPeer) -> None:
    class Knowing(Operator):
        state = ""

        @on("state")
        def learn(self, message: Message) -> None:
            self.state = message["state"]

        def is_held(self) -> bool:
            return self.state == "held"

        @action
        async def hold(self) -> None:
            slow_peer.say_in(20, "state", state="held")
            await self.until(self.is_held)
            await self.until(lambda: self.state)

    @scenario
    async def case(operator: Knowing) -> None:
        await operator.hold()

    load.perform(case)
    split = load.take().series["calls/hold"].split
    line = Knowing.hold.__wrapped__.__code__.co_firstlineno + 4  # type: ignore[attr-defined]
    assert split == {"until is_held": 20_000, f"until test_meter.py:{line}": 0, "": 0}


def test_two_kinds_of_one_name_are_told_apart(load: Load, slow_peer: SlowPeer) -> None:
    class Echoing(Operator):
        @action
        async def both(self) -> None:
            await self.ask("call")
            await self.expect("call")

    @scenario
    async def case(operator: Echoing) -> None:
        await operator.both()

    slow_peer.answers("call", 5, "resultCall")
    slow_peer.answers("call", 9, "call")
    load.perform(case)
    series = load.take().series
    assert (series["calls/both/call"].kind, series["calls/both/call"].sum_us) == ("ask", 5_000)
    assert (series["calls/both/call (expect)"].kind, series["calls/both/call (expect)"].sum_us) == ("expect", 4_000)
    assert series["calls/both"].split == {"call": 9_000, "": 0}


def test_of_a_wait_that_outlives_its_step_only_the_message_is_told(load: Load, slow_peer: SlowPeer) -> None:
    class Hasty(Operator):
        @action
        async def begin(self) -> Any:
            self.answer_to_come = self.ask("call")

    @scenario
    async def case(operator: Hasty) -> None:
        await operator.begin()
        await operator.answer_to_come

    slow_peer.answers("call", 40, "resultCall")
    load.perform(case)
    series = load.take().series
    assert series["calls/begin"].split == {"": 1}
    assert series["calls/begin/call"].sum_us == 40_000


@pytest.mark.usefixtures("collects_quickly")
def test_a_wait_that_outlives_its_step_is_not_kept_alive_by_it(load: Load, slow_peer: SlowPeer) -> None:
    class Hasty(Operator):
        @action
        async def begin(self, is_patient: bool) -> Any:
            answer = self.ask("call")
            if is_patient:
                await answer
            return [answer]

    kept = []

    @scenario
    async def case(operator: Hasty) -> None:
        for is_patient in (True, True, False):  # by the last the name is known
            (answer,) = await operator.begin(is_patient)
        await answer
        kept.append(weakref.ref(operator))

    slow_peer.answers("call", 40, "resultCall")
    load.perform(case)
    series = load.take().series
    assert series["calls/begin"].split == {"call": 80_000, "": 1}
    assert series["calls/begin/call"].count == 3
    journal = load.journals.pop()
    gc.disable()
    try:
        load.runs.clear()
        assert kept[0]() is not None
        journal.forget()
        assert kept[0]() is None
    finally:
        gc.enable()


def test_a_word_of_workflows_that_is_called_like_an_action_is_none(load: Load, slow_peer: SlowPeer) -> None:
    class Calling(Operator):
        @action
        async def call(self) -> None:
            await self.ask("call")

    @scenario
    async def case(operator: Calling) -> None:
        async def asking() -> None:
            await operator.ask("call")

        for _ in range(2):
            await operator.call()
            await call(asking)

    slow_peer.answers("call", 40, "resultCall")
    load.perform(case)
    series = load.take().series
    assert series["calls/call"].count == 2
    assert {name: each.count for name, each in series.items() if each.kind == "ask"} == {
        "calls/call/call": 2,
        "calls/call (ask)": 2,
    }


def test_a_timer_is_a_series_of_the_part(load: Load, slow_peer: SlowPeer) -> None:
    class Timing(Operator):
        @action
        async def work(self) -> None:
            for _ in range(2):
                with timer("talk"):
                    await asyncio.sleep(0.07)

    @scenario
    async def case(operator: Timing) -> None:
        await operator.work()

    load.perform(case)
    figures = load.take().series["calls/talk"]
    assert (figures.kind, figures.count, figures.sum_us) == ("timer", 2, 140_000)


# -- what is wrong with messages --------------------------------------------------------------------------------------


@scenario(strict=True)
async def in_strict_mode(operator: Operator) -> None:
    await wait(1)


def test_what_is_left_over_said_twice_or_an_answer_to_nothing(load: Load, slow_peer: SlowPeer) -> None:
    state = ("state", {"state": "held"})
    slow_peer.greeting = [state, state, ("resultCall", {}), ("news", {})]
    load.perform(in_strict_mode, strict=True)
    second = load.take()
    assert second.correctness == {"left over": 4, "duplicate": 1, "stale": 1}
    assert [(cause.error, cause.text.partition(", at ")[0]) for cause in second.causes] == [
        ("MessagesLeft", "nobody expected news, resultCall, state; said twice: state")
    ]


@pytest.mark.parametrize("way", ["forbid", "expect_none"])
def test_what_was_forbidden_is_counted_once(load: Load, slow_peer: SlowPeer, way: str) -> None:
    @scenario
    async def case(operator: Operator) -> None:
        slow_peer.say_in(1000, "alarm")
        if way == "forbid":
            with operator.desk.forbid("alarm"):  # type: ignore[attr-defined]
                await wait(2)
        else:
            await operator.expect_none("alarm", within_s=2)

    load.perform(case)
    assert json.dumps(load.take().correctness) == '{"forbidden": 1}'


def test_what_comes_after_its_deadline_is_stale(load: Load, slow_peer: SlowPeer) -> None:
    slow_peer.answers("call", 5_200, "resultCall")
    load.perform(dialling, linger_s=1)
    second = load.take()
    # As it is written down: a truth is no number there, and nobody could read it.
    assert json.dumps(second.correctness) == '{"stale": 1}'
    (cause,) = second.causes
    assert "it came 200 ms too late" in cause.example
    assert cause.text.startswith("waited 5 s for the reply to call; it came too late, in dial at test_meter.py:")


# -- what it takes ----------------------------------------------------------------------------------------------------


def sizes(meter: Meter) -> dict[str, int]:
    """How many things are in what it consists of, however deep."""
    found: Counter[str] = Counter()
    rest: list[Any] = [meter]
    seen: set[int] = set()
    while rest:
        each = rest.pop()
        if id(each) in seen or isinstance(each, (str, bytes, int, type)) or callable(each):
            continue
        seen.add(id(each))
        found[type(each).__name__] += 1
        if isinstance(each, dict):
            rest += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple, set)):
            rest += each
        else:
            rest += gc.get_referents(each)
    return dict(found)


def test_it_stays_as_small_as_it_was(load: Load, slow_peer: SlowPeer) -> None:
    """However many conversations there were, of which every other one failed, nothing has become more."""

    @scenario
    async def case(operator: Operator, number: int) -> None:
        await operator.call_out()
        if number % 2:
            await operator.ask("call", check={"number": number}, within_s=1)

    slow_peer.answers("call", 3, "resultCall")
    slow_peer.answers("call", 4, "connected")
    slow_peer.answers("mute", 5, "resultMute")
    measured = []
    for number in range(60):
        load.perform(case, number=number)
        if number % 20 == 19:
            load.take()
            measured.append(sizes(load.meter))
            load.runs.clear()
    assert measured[0] == measured[1] == measured[2]


def test_names_that_are_ever_new_do_not_make_it_grow(load: Load, slow_peer: SlowPeer) -> None:
    class Counting(Operator):
        @action
        async def count(self, number: int) -> None:
            await first_of(self.expect(f"counted-{number}"), self.expect("never"))

    @scenario
    async def case(operator: Counting) -> None:
        for number in range(700):
            slow_peer.say_in(1, f"counted-{number}")
            await operator.count(number)

    load.perform(case)
    series = load.take().series
    assert len(series) < 510
    assert sum(each.count for name, each in series.items() if each.kind == "expect") == 700
    assert series["calls/count"].count == 700
    assert sum(series["calls/count"].split.values()) == 700_000


def test_a_round_trip_takes_a_call_for_each_thing_that_is_recorded(load: Load, slow_peer: SlowPeer) -> None:
    """What a load loses to being measured; the time itself is no matter for a test."""

    @scenario
    async def case(operator: Operator, often: int) -> None:
        for _ in range(often):
            await operator.dial()

    slow_peer.answers("call", 1, "resultCall")
    measuring = str(Path(antiphon.load.__file__).parent)
    calls = []
    for often in (1, 100, 300):  # what is met the first time takes more
        count = 0

        def called(frame: FrameType, event: str, _given: Any) -> None:
            nonlocal count
            count += event == "call" and frame.f_code.co_filename.startswith(measuring)

        sys.setprofile(called)
        try:
            load.perform(case, keep=64, often=often)
        finally:
            sys.setprofile(None)
        calls.append(count)
    assert calls[2] - calls[1] == 200 * 6
