"""Actors that do not find each other: each mistake is one clear error with its place and a hint, at the command line.

They play at the embedded contact centre, with the examples' actors.
"""

from __future__ import annotations

import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from desk import Operator

from antiphon import Actor, call, play, scenario
from antiphon.cli import main
from antiphon.journal import RunEnded
from antiphon.journal.file import read_journal

SCENARIOS = """
from desk import Operator
from outside import Customer

from antiphon import action, await_signal, scenario, signal, together


class Colleague(Operator):
    @action
    async def answers_after(self, awaited, given):
        await await_signal(awaited)
        await signal(given)


@scenario
async def to_nobody(alice: Operator, customer: Customer):
    await together([alice.sign_in(), alice.set_ready_status()], customer.dials())
    await alice.accept_interaction()
    await alice.transfer("zoe")


@scenario
async def to_a_desk_that_is_not_there(alice: Operator, customer: Customer):
    await together([alice.sign_in(), alice.set_ready_status()], customer.dials())
    await alice.accept_interaction()
    await alice.consult("erin")


@scenario
def unheard(alice: Operator, customer: Customer):
    return [
        alice.sign_in(),
        together(
            [signal("open")],
            [await_signal("opened", within_s=0.1), customer.dials()],
        )
    ]


@scenario
async def crossed(alice: Colleague, bob: Colleague):
    await together(alice.answers_after("b is done", "a is done"), bob.answers_after("a is done", "b is done"))


@scenario
async def six_desks(a: Operator, b: Operator, c: Operator, d: Operator, e: Operator, f: Operator):
    pass


@scenario
async def one_desk(alice: Operator):
    pass


@scenario
async def two_desks(alice: Operator, bob: Operator):
    pass


@scenario
async def without_await(alice: Operator):
    await alice.sign_in()
    alice.set_ready_status()
    await alice.outbound_call("890000002")
"""

STANDS = """
default = "embedded"

[stands.embedded]
start = "antiphon_testbed:ContactCentre"
users_within_s = 0.1

[stands.small]
centre = "http://127.0.0.1:9"
users = [{ name = "alice", password = "looking-glass" }]
users_within_s = 0.1
"""


class Somebody(Actor):
    """A user of the stand, who says nothing."""


class Ended(NamedTuple):
    """How a command ended, and what it left behind."""

    code: int
    error: str
    lines: list[str]
    verdict: str

    def tells(self, *parts: str) -> None:
        """There is one error, with each of these in a line."""
        assert not [line for line in self.lines if line.startswith(("error: ", "failed: "))]  # that the verdict says
        assert "Traceback" not in self.error
        for part in parts:
            assert any(part in line for line in self.lines), f"{part!r} is not in:\n{self.error}"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with the scenarios; their module is forgotten again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "meetings.py").write_text(SCENARIOS)
    (tmp_path / "antiphon.toml").write_text(STANDS)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith("antiphon"):
            del sys.modules[name]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], workplace: Path) -> Callable[..., Ended]:
    """Performs `antiphon run` in this process."""

    def perform(name: str, *options: str) -> Ended:
        code = main(["run", f"meetings.py:{name}", "--quiet", *options])
        said = capsys.readouterr()
        journals = list(workplace.glob("runs/*/journal.jsonl"))
        entries = [entry for path in journals for entry in read_journal(path)]
        verdict = entries[-1].verdict if entries and isinstance(entries[-1], RunEnded) else ""
        return Ended(code, said.err, said.err.splitlines(), verdict)

    return perform


def line(code: str) -> str:
    """Where the code stands: `meetings.py:7`."""
    (number,) = (number for number, text in enumerate(SCENARIOS.splitlines(), 1) if code in text)
    return f"meetings.py:{number}"


def line_of(code: str, function: Any) -> str:
    lines, first = inspect.getsourcelines(function)
    (number,) = (first + index for index, text in enumerate(lines) if code in text)
    return f"examples/contact_centre/desk.py:{number}"


TRANSFERS = line_of("self.ask(", Operator.transfer.__wrapped__)  # type: ignore[attr-defined]
CONSULTS = line_of("self.ask(", Operator.consult.__wrapped__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "step", "asked"),
    [
        ("to_nobody", "transfer('zoe')", TRANSFERS),
        ("to_a_desk_that_is_not_there", "consult('erin')", CONSULTS),
    ],
)
def test_a_transfer_to_nobody(run: Callable[..., Ended], name: str, step: str, asked: str) -> None:
    """The centre says who would be there."""
    ended = run(name)
    assert (ended.code, ended.verdict) == (1, "failed")
    target, where = step.split("'")[1], line("alice." + step.replace("'", '"'))
    ended.tells(f"alice.desk was refused transfer: unknownTarget nobody at a desk is called '{target}'")
    ended.tells("or has such a skill; at desks are alice", asked)
    ended.tells(f"in the step {step} at {where}")
    ended.tells("the request: transfer {'workitemID': '")


def test_a_signal_that_nobody_gives(run: Callable[..., Ended]) -> None:
    ended = run("unheard")
    assert (ended.code, ended.verdict) == (1, "failed")
    assert re.match(r"the scenario waited (\d{3} ms|\d.* s) for the signal 'opened', and nobody gave it\n", ended.error)
    given, awaited = line('signal("open")'), line('await_signal("opened"')
    ended.tells(f"given were: 'open' at {given} after ", "hint: is 'open' meant?")
    ended.tells(f"in the step await_signal('opened', within_s=0.1) at {awaited}")


def test_two_actors_that_wait_for_each_other(run: Callable[..., Ended]) -> None:
    ended = run("crossed")
    assert (ended.code, ended.verdict) == (2, "error")
    where = line("await await_signal(awaited)")
    ended.tells("a deadlock: alice and bob wait for signals that only they could give")
    for who, awaits in (("alice", "b is done"), ("bob", "a is done")):
        assert re.search(rf"\n  {who} waits for the signal '{awaits}', for \d+ ms, at {where}\n", ended.error)
    ended.tells("no signal was given at all", "hint: let one of them give its signal before it awaits the other's")


@pytest.mark.parametrize(
    ("name", "stand", "told"),
    [
        ("six_desks", "embedded", "the stand 'embedded' has 5 users, and 6 are needed at once"),
        ("two_desks", "small", "the stand 'small' has 1 user, and 2 are needed at once"),
    ],
)
def test_more_actors_than_users(run: Callable[..., Ended], name: str, stand: str, told: str) -> None:
    ended = run(name, "--stand", stand)
    assert (ended.code, ended.verdict) == (2, "error")
    ended.tells(told, "antiphon.toml", "hint: add users to it")


def test_a_user_whom_another_run_has(run: Callable[..., Ended]) -> None:
    """The users of a stand file are lent to one run at a time; the error says who has them."""
    has_begun, is_over = threading.Event(), threading.Event()

    @scenario
    async def holding(alice: Somebody) -> None:
        has_begun.set()
        await call(is_over.wait)

    with ThreadPoolExecutor() as pool:
        held = pool.submit(play, holding, stand="small", runs=None)
        assert has_begun.wait(10)
        ended = run("one_desk", "--stand", "small")
        is_over.set()
        assert held.result().verdict == "passed"
    assert (ended.code, ended.verdict) == (2, "error")
    ended.tells("no user of the stand 'small' became free within 0.", "s for alice")
    ended.tells("alice is lent to alice of holding", "hint: add users to it, or wait longer with users_within_s")


def test_a_step_without_await(run: Callable[..., Ended]) -> None:
    ended = run("without_await")
    assert (ended.code, ended.verdict) == (2, "error")
    ended.tells("set_ready_status() was made, and neither awaited nor put into a workflow")
    ended.tells(
        f"  at {line('    alice.set_ready_status()')}", "hint: write `await` before it, or put it into the list"
    )
    ended.tells("this cancelled alice: outbound_call('890000002') at meetings.py:")
