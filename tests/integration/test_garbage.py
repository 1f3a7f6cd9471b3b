"""What is kept of a run, and that what is over is gone: it leaves the garbage collector nothing to do."""

from __future__ import annotations

import asyncio
import copy
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from club import Club

from antiphon import (
    Accepted,
    Actor,
    Backoff,
    CheckFailed,
    DeadlinePassed,
    Json,
    Message,
    OpeningRefused,
    Run,
    Scenario,
    ScenarioError,
    Stand,
    WebSocket,
    action,
    call,
    check,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.journal import Called

DIALECT = Json(name="action", body="data", reply="result{Name}")


class Desk(Actor):
    """Answers."""

    line = Accepted(dialect=DIALECT)

    @on("counted")
    def thank(self, _message: Message) -> None:
        self.send("thanks")

    @on("add")
    def add(self, request: Message) -> dict[str, Any]:
        self.send("added")
        return {"sum": request["a"] + request["b"]}


class Operator(Actor):
    """Asks, and has handlers of every kind."""

    line = WebSocket("{centre}/desk/{seat}", dialect=DIALECT)
    heard = 0

    async def arrive(self) -> None:
        self.seat = 4

    @on("added")
    async def count(self, _message: Message) -> None:
        self.heard += 1
        self.send("counted")

    @on.closed
    def end(self, _ending: object) -> None:
        self.heard += 1

    @action
    async def add(self, a: int, b: int) -> int:
        """Have it added."""
        total: int = (await self.ask("add", a=a, b=b))["sum"]
        await self.expect("thanks")
        return total


@scenario
async def adding(operator: Operator) -> int:
    """In Python."""
    return await operator.add(1, 2)


@scenario
def adding_in_a_list(operator: Operator) -> list[Any]:
    """As a workflow."""
    return [Operator.add(1, 2)]


@scenario
async def adding_side_by_side(first: Operator, second: Operator) -> None:
    """With two actors."""
    await asyncio.gather(first.add(1, 2), second.add(3, 4))


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("chosen", [adding, adding_in_a_list, adding_side_by_side])
def test_a_run_that_nobody_has_is_gone(chosen: Scenario[Any, Any]) -> None:
    async def main() -> dict[str, weakref.ref[Any]]:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Desk()) as server:
            run = await perform(chosen, stand=Stand("test", {"centre": server.address}), runs=None)
            there = parts(run)
            assert all(part() is not None for part in there.values())
            return there

    there = asyncio.run(main())

    assert [name for name, part in there.items() if part() is not None] == []


class Sum(msgspec.Struct):
    sum: int


class Counted(msgspec.Struct):
    """Says that it was counted."""


class Typist(Actor):
    """Asks, awaits and hears types, and one of several names."""

    line = WebSocket("{centre}/desk", dialect=DIALECT)
    heard = 0

    @on(("added", "thanks"))
    def count(self, _message: Message) -> None:
        self.heard += 1


@scenario
async def adding_by_types(typist: Typist) -> None:
    """Waits of every kind that knows more than one name."""
    assert (await typist.ask("add", a=1, b=2, reply=Sum)).sum == 3
    assert (await typist.ask("add", a=1, b=2, provisional=lambda body: body["sum"] < 3))["sum"] == 3
    await typist.expect(("added", "never"))
    typist.send(Counted())
    await typist.expect(("thanks", "never"))
    typist.expect(Counted).cancel()
    await typist.expect_none((Sum, Counted), within_s=0.001)


class Host(Actor):
    """Lets in whoever says `sesame`, and answers."""

    line = Accepted(dialect=Club())

    @on("add")
    def add(self, _request: Message) -> str:
        return "added"


class Guest(Actor):
    """Logs in, by itself and by hand."""

    line = WebSocket("{centre}", dialect=Club(name="anna", password="{password}"), opens="manually")

    async def arrive(self) -> None:
        self.password = "sesame"


@scenario
async def entering_twice(guest: Guest) -> None:
    """With a codec that resumes, gives up and says goodbye."""
    await guest.line.open()
    await guest.ask("add")
    await guest.line.reconnect()
    guest.ask("add").cancel()


class Faithful(Guest):
    """Comes back by itself."""

    line = WebSocket(
        "{centre}",
        dialect=Club(name="anna", password="{password}"),
        opens="manually",
        reopens=Backoff(first_s=0, after={1000}),
    )

    @on.reopened
    async def ask_again(self) -> None:
        await self.ask("add")


@scenario
async def coming_back(guest: Faithful) -> None:
    """With a wait that outlives two connections, and is given up."""
    await guest.line.open()
    waiting = guest.expect("never")
    for _ in range(2):
        guest.line.connection.abort()  # type: ignore[union-attr]
        await guest.expect_close()
        await guest.line.reopened()
    waiting.cancel()


@scenario
async def entering_in_vain(guest: Guest) -> None:
    """The door stays shut."""
    guest.password = "open"
    await guest.line.expect_refusal(5)
    with pytest.raises(OpeningRefused):
        await guest.line.open()


@pytest.mark.parametrize(
    ("chosen", "server"),
    [(adding_by_types, Desk), (entering_twice, Host), (coming_back, Host), (entering_in_vain, Host)],
)
def test_a_run_with_types_or_a_login_is_gone_too(chosen: Scenario[Any, Any], server: type[Actor]) -> None:
    async def main() -> dict[str, weakref.ref[Any]]:
        async with await listen("ws://127.0.0.1:0", lambda _opening: server()) as listening:
            return parts(await perform(chosen, stand=Stand("test", {"centre": listening.address}), runs=None))

    there = asyncio.run(main())

    assert [name for name, part in there.items() if part() is not None] == []


def parts(run: Run) -> dict[str, weakref.ref[Any]]:
    """What a run consists of, weakly."""
    actors = {name: weakref.ref(actor) for name, actor in run.actors.items()}
    channels = {f"{name}.line": weakref.ref(actor.channel) for name, actor in run.actors.items()}
    return {"run": weakref.ref(run), "runtime": weakref.ref(run.runtime), **actors, **channels}


def test_what_a_run_has_learnt_outlives_it() -> None:
    """Whoever keeps the run, an actor or a channel has all of that."""

    async def main() -> tuple[Run, Operator]:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Desk()) as server:
            run = await perform(adding, stand=Stand("test", {"centre": server.address}), runs=None)
            return run, run.operator

    run, operator = asyncio.run(main())

    assert (run.value, run.verdict) == (3, "passed")
    assert (operator.heard, operator.seat) == (2, 4)
    assert operator.line.ending is not None
    assert operator.line.ending.code == 1000
    assert [message.name for message in run.journal if isinstance(message, Message)] == [
        "add",
        "added",
        "resultAdd",
        "counted",
        "thanks",
    ]


def test_what_nobody_reads_is_not_put_into_words() -> None:
    """Neither while the run goes on nor when it ends: under load that would be a large part of each run."""
    told: list[str] = []

    class Record(dict[str, Any]):
        def __repr__(self) -> str:
            told.append("told")
            return super().__repr__()

    @scenario
    def fetching(operator: Operator) -> list[Any]:
        return [Operator.add(1, 2), call(lambda: Record(state="finished"), save_as="record")]

    async def main() -> Run:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Desk()) as server:
            return await perform(fetching, stand=Stand("test", {"centre": server.address}), runs=None)

    run = asyncio.run(main())

    assert told == []
    (called,) = (entry for entry in run.journal if isinstance(entry, Called))
    assert (called.save_as, called.result) == ("record", "{'state': 'finished'}")
    assert told


# -- what stays in memory ---------------------------------------------------------------------------------------------


@scenario
async def adding_often(operator: Operator) -> None:
    """Many steps, and then something that never comes."""
    for number in range(20):
        await operator.add(number, 1)
    await operator.expect("never", within_s=0.01)


def failed_with(keep: int, runs: Path | None = None) -> tuple[Run, DeadlinePassed]:
    async def main() -> DeadlinePassed:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Desk()) as server:
            stand = Stand("test", {"centre": server.address})
            with pytest.raises(DeadlinePassed) as failed:
                await perform(adding_often, stand=stand, runs=runs, reports=(), keep=keep, linger_s=0)
            return failed.value

    error = asyncio.run(main())
    run: Run = error.run
    return run, error


@pytest.mark.parametrize("keep", [1, 16, 64])
def test_a_run_keeps_what_it_is_told_to(keep: int, tmp_path: Path) -> None:
    run, error = failed_with(keep, tmp_path)

    assert len(run.journal) == keep
    assert error.explanation is not None
    assert len(error.explanation.history) == max(1, keep // 8)
    assert run.directory is not None
    assert len((run.directory / "journal.jsonl").read_text().splitlines()) > 20 * 6


def test_what_is_remembered_for_explanations_has_an_end() -> None:
    run, error = failed_with(10_000)

    assert len(run.journal) > 20 * 6
    assert error.explanation is not None
    assert len(error.explanation.history) == 60  # three for each step; no more than 64


@pytest.mark.parametrize("keep", [-1, "64", None, 1.5])
def test_how_much_is_kept_must_be_a_number(keep: Any) -> None:
    with pytest.raises(ScenarioError, match=r"keep is .*, not a number of entries"):
        asyncio.run(perform(adding, runs=None, keep=keep))


@pytest.mark.parametrize(
    "returned",
    [
        {"token": "s3cr3t-of-the-call"},
        [{"more": {"token": "s3cr3t-of-the-call"}}],
        {"token": "s3cr3t-of-the-call", "not in JSON": {1j}},
    ],
)
@pytest.mark.parametrize("keep", [0, 1, 10_000])
def test_what_a_call_returned_is_learnt_though_nobody_reads_its_entry(keep: int, returned: Any) -> None:
    copied = copy.deepcopy(returned)

    def log_in() -> Any:
        return copied

    @scenario
    def telling(operator: Operator) -> list[Any]:
        return [call(log_in), call(copied.clear), check("it is s3cr3t-of-the-call", "another")]

    async def main() -> str:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Desk()) as server:
            with pytest.raises(CheckFailed) as failed:
                await perform(telling, stand=Stand("test", {"centre": server.address}), runs=None, keep=keep)
            return str(failed.value)

    told = asyncio.run(main())

    assert "s3cr3t-of-the-call" not in told
    assert "***" in told
