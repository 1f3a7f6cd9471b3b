"""Words are made for whoever reads them: a run that nobody watches makes none, however much it waits."""

from __future__ import annotations

import gc
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import msgspec
import pytest

from antiphon import DeadlinePassed, Message, Run, action, all_of, first_of, scenario, together, wait
from antiphon.conversation import awaited, difference_text, explanation_text, match, waits, wording
from antiphon.journal import ChannelOpened, Note, StepStarted, WaitEnded, WaitStarted, arguments
from antiphon.journal.masking import field_names, fields, known_secrets, masker, shapes

Play = Callable[..., Run]
WAITS = 1_000
STEPS = 1_000


def functions_of(module: Any) -> Iterator[Any]:
    """The functions of a module, and the methods of its classes."""
    for thing in vars(module).values():
        if inspect.isfunction(thing) and thing.__module__ == module.__name__:
            yield thing
        elif inspect.isclass(thing) and thing.__module__ == module.__name__:
            yield from filter(inspect.isfunction, vars(thing).values())


def wording_code() -> dict[CodeType, str]:
    """Whatever makes words of what was awaited, said, done or found, and whatever hides secrets in them."""
    made = [each for module in (wording, explanation_text, difference_text) for each in functions_of(module)]
    made += [
        each for each in functions_of(awaited) if each is not awaited.is_predicate
    ]  # which decides, and says nothing
    made += [each for module in (match, waits) for each in functions_of(module) if "describe" in each.__name__]
    making = {arguments.GivenArguments.__init__}  # it only keeps how they are made
    hiding = (arguments, masker, field_names, fields, known_secrets, shapes)
    made += [each for module in hiding for each in functions_of(module) if each not in making]
    assert len(made) > 90
    return {each.__code__: each.__qualname__ for each in made}


@contextmanager
def words() -> Iterator[list[str]]:
    """The names of the wording functions that are called meanwhile, each time that they are."""
    code, called = wording_code(), []

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in code:
            called.append(code[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)


def is_even(body: Any) -> bool:
    return bool(body["n"] % 2 == 0)


async def wait_for_everything(desk: Any, peer: Any) -> int:
    """Waits of every kind that a message can end, some that come late and some that are given up; how many."""
    made = 0
    while made < WAITS:
        n = made
        waiting = desk.expect("news", {"n": n, "kind": str, "parts": [1, ...]}), desk.expect("news", is_even)
        peer.say("news", n=n, kind="x", parts=[1, 2])
        peer.say("news", n=2 * n)
        await all_of(*waiting)
        peer.say("state", n=n)
        await desk.expect("state", {"n": n}, check={"n": int})
        await desk.ask("count", n=n)
        await first_of(desk.expect("other"), desk.line.until(lambda: True))
        made += 6
    return made


def test_a_thousand_waits_are_satisfied_without_a_word(peer: Any, play_with: Play, party: Any) -> None:
    peer.on_request["count"] = lambda body: peer.say("resultCount", n=body["n"])
    heard: list[str] = []

    @scenario
    async def silent(desk: party) -> int:
        with words() as called:
            made = await wait_for_everything(desk, peer)
        heard.extend(called)
        return made

    run = play_with(silent)
    assert run.value >= WAITS
    assert len([entry for entry in run.journal if isinstance(entry, WaitStarted)]) >= WAITS
    assert heard == []


def test_a_thousand_steps_are_done_without_a_word(play_with: Play, party: Any) -> None:
    class Desk(party):  # type: ignore[misc]
        @action
        async def log_in(self, user: str, place: str, tries: int = 0, where: object = None) -> None:
            """No parameter is named like a secret: those are learnt at once."""

    heard: list[str] = []

    @scenario
    async def silent(desk: Desk) -> None:
        await desk.log_in("bob", "there")  # whether the action takes secrets is found once
        with words() as called:
            for n in range(STEPS // 5):
                await desk.log_in("bob", "here", tries=n, where={"token": "abc"})
                await Desk.log_in(f"bob {n}", "here")
                await together(desk.log_in("bob", "x"), wait(0))
        heard.extend(called)

    run = play_with(silent)
    begun = [entry for entry in run.journal if isinstance(entry, StepStarted)]
    assert len(begun) == STEPS + 1
    assert heard == []
    assert begun[1].title == "log_in('bob', 'here', tries=0, where={'token': '***'})"


def test_the_arguments_of_a_step_are_written_as_they_were_when_it_began(play_with: Play, party: Any) -> None:
    class Desk(party):  # type: ignore[misc]
        @action
        async def fill(self, basket: list[int]) -> None:
            basket.append(2)

    seen: list[Any] = []

    @scenario
    async def filling(desk: Desk) -> None:
        await desk.fill([1])

    play_with(filling, watch=seen.append)
    (step,) = (entry for entry in seen if isinstance(entry, StepStarted))
    assert step.title == "fill([1])"


def test_an_argument_that_was_a_secret_is_hidden_in_a_failure_of_a_run_that_nobody_watched(
    play_with: Play, party: Any, peer: Any
) -> None:
    class Desk(party):  # type: ignore[misc]
        @action
        async def log_in(self, password: str) -> None:
            pass

        @action
        async def hear(self, token: str) -> None:
            await self.expect("news", {"text": "nothing"}, within_s=0.01)

    @scenario
    async def failing(desk: Desk) -> None:
        await desk.log_in("hunter2-geheim")
        peer.say("news", text="you said hunter2-geheim")
        await desk.hear("abc")

    with pytest.raises(DeadlinePassed) as failure:
        play_with(failing)
    assert "you said ***" in str(failure.value)
    assert "in the step hear('***')" in str(failure.value)


def test_what_a_sink_or_a_failure_needs_is_told(peer: Any, play_with: Play, party: Any) -> None:
    """So the counting above counts."""

    @scenario
    async def watched(desk: party) -> None:
        peer.say("news", n=1)
        await desk.expect("news", {"n": int})

    @scenario
    async def failing(desk: party) -> None:
        await desk.expect("news", {"n": 1}, within_s=0.01)

    with words() as called:
        play_with(watched, watch=lambda _: None)
        assert "where_as_data" in called
        assert "Masker.text" in called
    with words() as called, pytest.raises(DeadlinePassed) as failure:
        play_with(failing)
    with words() as told:
        assert "party.line" not in str(failure.value)
    assert "parts_around_name" in told


@pytest.mark.usefixtures("collects_quickly")
def test_what_is_in_the_record_keeps_nothing_alive(peer: Any, play_with: Play, party: Any) -> None:
    """A predicate may hold its actor, which holds the run, which holds the record, where the predicate is."""
    kept: list[Any] = []

    @scenario
    async def circular(desk: party) -> None:
        desk.wanted = 1
        peer.say("news", n=1)
        await desk.expect("news", lambda body: body["n"] == desk.wanted)
        kept.append(weakref.ref(desk))

    run = play_with(circular)
    (entry,) = (entry for entry in run.journal if isinstance(entry, WaitStarted) and entry.awaits == "message")
    assert callable(entry.where)
    del run, entry
    gc.collect()
    assert [reference() for reference in kept] == [None]


def test_a_wait_is_told_alike_whoever_reads_of_it(peer: Any, play_with: Play, party: Any) -> None:
    """From memory, where the pattern itself is, and as a sink is given it."""
    seen: list[Any] = []

    @scenario
    async def various(desk: party) -> None:
        for where in ({"n": 1, "who": {"name": str}}, is_even, {"n": {1, 2}}, lambda body: True, None):
            peer.say("news", n=2 if where is is_even else 1, who={"name": "alice"})
            message: Message = await desk.expect("news", where)
            assert message["n"]

    run = play_with(various, watch=seen.append)
    told = [[entry.what for entry in entries if isinstance(entry, WaitStarted)] for entries in (run.journal, seen)]
    assert told[0] == told[1]
    assert told[0][:3] == [
        "news where {n: 1, who: {name: any str}}",
        "news that is_even accepts",
        "news where {n: one of 1, 2}",
    ]


def test_the_record_in_memory_is_the_one_that_a_sink_is_given(peer: Any, play_with: Play, party: Any) -> None:
    """Without sinks the entries are made when they are read, of what has become of the waits by then."""
    peer.on_request["count"] = lambda body: peer.say("resultCount", n=body["n"])

    @scenario
    async def various(desk: party) -> None:
        await wait_for_everything(desk, peer)
        desk.line.expect_close(1000).cancel()
        await desk.line.expect_none("never", {"n": 1}, within_s=0.001)
        for failing in (desk.expect("never", within_s=0.001), desk.line.until(lambda: False, within_s=0.001)):
            with pytest.raises(DeadlinePassed):
                await failing
        peer.say("news", n=1)
        peer.say("state", n=1)
        await desk.line.until(lambda: len(desk.line.mailbox) >= 2)
        await first_of(desk.expect("news"), desk.expect("state"))  # both are there, and the later goes back
        desk.line.drain()

    seen: list[Any] = []
    play_with(various, watch=seen.append)
    run = play_with(various)
    assert not run.runtime.journal.has_sinks
    # A note tells of a busy machine: that the loop was blocked.
    kept, given = ([told(each) for each in entries if not isinstance(each, Note)] for entries in (run.journal, seen))
    assert kept == given


def told(entry: Any) -> dict[str, Any]:
    """An entry without what another run has otherwise: times, and a pattern as it is or as a sink gets it."""
    fields = msgspec.structs.asdict(entry)
    if isinstance(entry, WaitStarted):
        fields |= {"where": entry.what, "deadline_ns": entry.deadline_ns is not None}
    if isinstance(entry, (Message, WaitEnded)):
        fields.pop("step")  # where it is shown is found for sinks only
    if isinstance(entry, ChannelOpened):
        fields.pop("took_ns")
    return {"kind": type(entry).__name__, **fields, "at_ns": 0, "started_at": 0, "address": ""}


@pytest.mark.usefixtures("collects_quickly")
def test_a_wait_that_failed_leaves_no_frame_in_the_record(peer: Any, play_with: Play, party: Any) -> None:
    kept: list[Any] = []

    @scenario
    async def polling(desk: party) -> int:
        async def once() -> None:
            large = Large()
            kept.append(weakref.ref(large))
            await desk.expect("never", within_s=0.001)

        with pytest.raises(DeadlinePassed):
            await once()
        for number in range(17):  # those that the mailbox itself remembers, to tell how late a message is
            with pytest.raises(DeadlinePassed):
                await desk.expect(f"never {number}", within_s=0.001)
        gc.collect()
        return len([each for each in kept if each() is not None])

    assert play_with(polling).value == 0


class Large:
    """Something of the author's."""
