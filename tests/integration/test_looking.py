"""Looking at a conversation of a load, in virtual time: its lines, held open while the others go on, let go again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    ChannelClosed,
    Json,
    Link,
    LoadInconclusive,
    Stand,
    ThresholdCrossed,
    action,
    listen,
    on,
    scenario,
    wait,
)
from antiphon.journal.figures import Second
from antiphon.load.director import Director
from antiphon.load.keeping import Keep
from antiphon.load.loads import Load, perform_load
from antiphon.load.looking import Looked
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})
TOKEN = "s3cret-of-the-stand"


class Server(Actor):
    """Answers, and says a heartbeat every five seconds."""

    line = Accepted(dialect=DIALECT)

    @on("call")
    async def call(self, request: Any) -> dict[str, Any]:
        self._beating = asyncio.get_running_loop().create_task(self._beat())
        return {"result": "error"} if request["number"] == "wrong" else {"token": TOKEN}

    async def _beat(self) -> None:
        seq = 0
        with suppress(ChannelClosed):
            while True:
                await asyncio.sleep(5)
                seq += 1
                self.send("ping", seq=seq)


class Caller(Actor, user=False):
    line = Link("{peer}", dialect=DIALECT, within_s=5)

    @on("ping")
    def reply(self, ping: Any) -> None:
        self.send("pong", seq=ping["seq"])

    @action
    async def outbound_call(self, number: str) -> None:
        await self.ask("call", number=number)


@scenario
async def calling(caller: Caller, number: str = "890", talk_s: float = 1.5) -> None:
    await caller.outbound_call(number)
    await wait(talk_s)


class Watching:
    """Says the words of `said` in the second in which they are due, and keeps what is seen in each."""

    def __init__(self, said: dict[int, Callable[[Director], None]]) -> None:
        self.seen: dict[int, Looked | None] = {}
        self.live: dict[int, int] = {}
        self._said = said

    def begin(self, director: Director, /) -> None:
        self._director = director

    def see(self, entry: Any, /) -> None:
        if isinstance(entry, Second):
            at_s = round(entry.at_ns / 1e9)
            self.seen[at_s] = self._director.looked
            self.live[at_s] = sum(part.live for part in entry.parts.values())
            self._said.get(at_s, lambda _director: None)(self._director)

    def close(self) -> None:
        pass

    def of(self, at_s: int) -> Looked:
        looked = self.seen[at_s]
        assert looked is not None
        return looked


Seen = Callable[..., tuple[Load, Watching]]


@pytest.fixture
def looked_at() -> Seen:
    """Performs a plan while somebody says words, by the second."""

    async def perform_here(plan: Plan, watch: Watching, options: dict[str, Any]) -> Load:
        network = MemoryNetwork()
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network}, secrets=["token"])
        async with await listen("memory://peer", lambda _opening: Server(), listener=network):
            try:
                return await perform_load(plan, stand=stand, watch=watch, **{"runs": None, **options})
            except (ThresholdCrossed, LoadInconclusive) as error:
                load: Load = error.load
                return load

    def perform(plan: Plan, said: dict[int, Callable[[Director], None]], **options: Any) -> tuple[Load, Watching]:
        watch = Watching(said)
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(perform_here(plan, watch, options)), watch

    return perform


def look(director: Director) -> None:
    director.look()


def hold(director: Director) -> None:
    director.hold(True)


def let_go(director: Director) -> None:
    director.hold(False)


def look_away(director: Director) -> None:
    director.look_away()


def test_its_latest_lines_are_seen_without_secrets(looked_at: Seen) -> None:
    _, watching = looked_at(Plan(part(calling, rate="2/s"), during=10), {3: look})
    assert watching.seen[3] is None
    seen = watching.of(4)
    told = "\n".join(seen.lines)
    assert "outbound_call('890')" in told
    assert "← resultCall" in told
    assert TOKEN not in told
    later = watching.of(6)
    assert (later.conversation, later.standing) == (seen.conversation, "over")
    assert "passed: calling" in later.lines[-1]


def test_each_look_is_at_another_one(looked_at: Seen) -> None:
    plan = Plan(part(calling, users=3, talk_s=60), during=10, grace_s=0)
    _, watching = looked_at(plan, dict.fromkeys((2, 3, 4, 5), look))
    names = [watching.of(second).conversation for second in (3, 4, 5, 6)]
    assert len({*names[:3]}) == 3
    assert names[3] == names[0]


def test_one_is_held_open_while_the_others_go_on(looked_at: Seen) -> None:
    load, watching = looked_at(Plan(part(calling, rate="1/s"), during=30), {3: look, 4: hold, 20: let_go})
    held = watching.of(15)
    assert held.standing == "held"
    assert held.conversation == watching.of(5).conversation
    assert [line for line in held.lines if "→ pong" in line], "its handlers answer"
    assert watching.of(21).standing == "over"
    assert watching.live[15] > watching.live[25]
    total = load.figures.total
    assert (total.started, total.passed) == (30, 30)
    assert load.verdict == "passed", load.doubts


def test_to_be_held_is_not_its_time(looked_at: Seen, tmp_path: Path) -> None:
    plan = Plan(part(calling, rate="1/s"), during=20)
    directory = tmp_path / "load"
    directory.mkdir()
    load, watching = looked_at(plan, {3: hold, 15: let_go}, directory=directory, keep=Keep(0, 0, 0.0))
    name = watching.of(10).conversation
    assert load.figures.series["calling"].histogram.max_us < 1_600_000
    (kept,) = load.figures.kept
    assert (kept.conversation, kept.why) == (name, "held")
    assert kept.took_us < 1_600_000
    assert "pong" in (directory / kept.directory / "journal.jsonl").read_text()


def test_one_that_fails_is_held_open_too(looked_at: Seen) -> None:
    load, watching = looked_at(Plan(part(calling, rate="1/s", number="wrong"), during=12), {3: hold, 10: let_go})
    held = watching.of(9)
    assert held.standing == "held"
    assert any("RequestRefused" in line for line in held.lines)
    assert load.figures.total.failed == 12


def test_if_it_is_over_the_next_is_held(looked_at: Seen) -> None:
    _, watching = looked_at(Plan(part(calling, rate="1/s"), during=20), {3: look, 6: hold})
    before, after = watching.of(6), watching.of(12)
    assert before.standing == "over"
    assert after.standing == "held"
    assert after.conversation != before.conversation


def test_where_none_is_under_way_the_next_that_begins_is_looked_at(looked_at: Seen) -> None:
    plan = Plan(part(calling, rate="0.2/s"), during=12)
    _, watching = looked_at(plan, {3: hold})
    assert watching.seen[4] is None
    assert watching.of(6).conversation == "calling-1"
    assert watching.of(6).standing == "to be held"
    assert watching.of(9).standing == "held"


def test_to_look_away_lets_it_go(looked_at: Seen) -> None:
    _, watching = looked_at(Plan(part(calling, rate="1/s"), during=20), {3: hold, 10: look_away})
    assert watching.seen[11] is None
    assert watching.live[11] < watching.live[10]


def test_the_end_of_the_load_lets_it_go(looked_at: Seen) -> None:
    load, watching = looked_at(Plan(part(calling, rate="1/s"), during=10, grace_s=30), {3: hold})
    assert watching.of(9).standing == "held"
    assert load.figures.duration_ns < 13e9
    assert load.figures.total.passed == 10
    assert load.verdict == "passed", load.doubts
