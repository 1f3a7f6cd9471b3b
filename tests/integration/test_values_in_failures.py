"""A failure tells the values that the author's own code looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon import CheckFailed, DeadlinePassed, FieldMissing, HandlerFailed, Run, Scenario
from antiphon.scenarios.outcome import text_of

Play = Callable[..., Run]

MODULE = """
from antiphon import Actor, Json, Link, action, on, scenario

class Desk(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=0.02)
    state = "idle"
    token = "t0p-s3cret-value"

    @on("state")
    def note(self, message):
        self.state = message["state"]

    @on("odd")
    def judge(self, message):
        assert message["n"] == 1

    @action
    async def be_ready(self):
        await self.expect("state")
        assert self.state == "ready"

@scenario
async def asserting(desk: Desk):
    await desk.be_ready()

@scenario
async def waiting(desk: Desk):
    await desk.until(lambda: desk.state == "ready" and desk.token == "other")

@scenario
async def selecting(desk: Desk):
    await desk.expect("state", lambda body: body["state"] == "ready")

@scenario
async def checking(desk: Desk):
    await desk.expect("state", check={"state": lambda state: state in ("ready", "idle")})

@scenario
async def handling(desk: Desk):
    await desk.expect("odd")

@scenario
async def reading(desk: Desk):
    return (await desk.expect("state"))["stat"]

@scenario
async def showing(desk: Desk):
    token = desk.token
    assert token == "another"

@scenario
async def showing_long(desk: Desk):
    settings = {"filling": "x" * 150, "password": "S3cret" + "a1b2c3d4" * 12, "last": 1}
    assert not settings

@scenario
async def waiting_long(desk: Desk):
    settings = {"filling": "x" * 150, "password": "S3cret" + "a1b2c3d4" * 12, "last": 1}
    await desk.until(lambda: not settings)
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> dict[str, Scenario[Any, Any]]:
    file = tmp_path / "calls.py"
    file.write_text(MODULE)
    names: dict[str, Any] = {}
    exec(compile(MODULE, str(file), "exec"), names)
    return names


@pytest.fixture(autouse=True)
def is_busy(peer: Any) -> None:
    peer.greeting = [("state", {"state": "busy"}), ("odd", {"n": 2})]


@pytest.fixture
def is_calm(peer: Any, is_busy: None) -> None:
    peer.greeting = peer.greeting[:1]


def lines(failed: pytest.ExceptionInfo[BaseException]) -> list[str]:
    return [line.strip() for line in text_of(failed.value).splitlines()]


@pytest.mark.usefixtures("is_calm")
def test_an_assert_in_an_action(play_with: Play, scenarios: dict[str, Any]) -> None:
    with pytest.raises(AssertionError) as failed:
        play_with(scenarios["asserting"])
    told = lines(failed)
    assert told[:2] == ["AssertionError: assert self.state == 'ready'", "self.state = 'busy'"]
    assert told[2].endswith("calls.py:20")
    assert told[3] == 'assert self.state == "ready"'


@pytest.mark.usefixtures("is_calm")
def test_a_condition(play_with: Play, scenarios: dict[str, Any]) -> None:
    with pytest.raises(DeadlinePassed) as failed:
        play_with(scenarios["waiting"])
    told = lines(failed)
    assert told[1:3] == ["the condition: desk.state == 'ready' and desk.token == '***'", "desk.state = 'busy'"]
    assert told[3] == "desk.token = '***'"
    assert 'await desk.until(lambda: desk.state == "ready" and' in "\n".join(told)


@pytest.mark.usefixtures("is_calm")
def test_what_a_predicate_accepts(play_with: Play, scenarios: dict[str, Any]) -> None:
    with pytest.raises(DeadlinePassed) as failed:
        play_with(scenarios["selecting"])
    told = lines(failed)
    place = told.index("what it must be: body['state'] == 'ready'")
    assert told[place + 1] == "body['state'] = 'busy'"


@pytest.mark.usefixtures("is_calm")
def test_a_predicate_in_a_check(play_with: Play, scenarios: dict[str, Any]) -> None:
    with pytest.raises(CheckFailed) as failed:
        play_with(scenarios["checking"])
    told = lines(failed)
    place = told.index("what state must be: state in ('ready', 'idle')")
    assert told[place + 1] == "state = 'busy'"


def test_an_assert_in_a_handler(play_with: Play, scenarios: dict[str, Any]) -> None:
    with pytest.raises(HandlerFailed) as failed:
        play_with(scenarios["handling"])
    told = lines(failed)
    assert told[0] == "desk.line: the handler judge of odd raised AssertionError: assert message['n'] == 1"
    assert told[1] == "message['n'] = 2"


@pytest.mark.usefixtures("is_calm")
def test_a_field_that_is_not_there(play_with: Play, scenarios: dict[str, Any]) -> None:
    with pytest.raises(FieldMissing, match="its fields are 'state'; did you mean 'state'"):
        play_with(scenarios["reading"])


@pytest.mark.usefixtures("is_calm")
def test_secrets_are_masked_in_the_record(play_with: Play, scenarios: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        play_with(scenarios["showing"], runs=tmp_path / "runs", reports=("trace", "junit"))
    (journal,) = (tmp_path / "runs").rglob("journal.jsonl")
    assert '"error":"AssertionError"' in journal.read_text()
    for written in (tmp_path / "runs").rglob("*"):
        assert not written.is_file() or "t0p-s3cret-value" not in written.read_text()


@pytest.mark.usefixtures("is_calm")
@pytest.mark.parametrize("name", ["showing_long", "waiting_long"])
def test_no_secret_loses_its_name_by_being_cut(play_with: Play, scenarios: dict[str, Any], name: str) -> None:
    with pytest.raises(AssertionError) as failed:
        play_with(scenarios[name])
    told = text_of(failed.value)
    assert "settings = {'filling': 'xxx" in told
    assert "a1b2" not in told
