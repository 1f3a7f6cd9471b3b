"""Requests that are to be refused: the refusal is what is awaited, and nothing has failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.conftest import Party

from antiphon import CheckFailed, DeadlinePassed, RequestRefused, Run, SoftChecksFailed, action, scenario, soft
from antiphon.journal import StepEnded, WaitEnded
from antiphon.report.text import Conversation

Play = Callable[..., Run]


class Called(msgspec.Struct):
    line: int


class Caller(Party):
    @action
    async def call_nobody(self) -> Any:
        """Call who is not there, which the peer is to refuse."""
        return await self.ask("call", to="nobody").refused(404)


@pytest.fixture(autouse=True)
def refuses(peer: Any) -> None:
    """The peer refuses calls, and accepts the rest; `late` is refused when it is told so."""
    peer.on_request["call"] = lambda body: peer.say(
        "resultCall", result="error", code=404, message=f"there is no {body['to']}"
    )
    peer.on_request["ring"] = lambda _body: peer.say("resultRing", result="success", line=3)


def test_a_refusal_that_is_expected_is_what_is_awaited(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller) -> Any:
        refusal = await caller.call_nobody()
        return refusal.name, refusal["message"]

    run = play_with(calling)
    assert run.value == ("resultCall", "there is no nobody")
    outcomes = [entry.outcome for entry in run.journal if isinstance(entry, (WaitEnded, StepEnded))]
    assert outcomes[:2] == ["satisfied", "passed"]
    assert "failed" not in outcomes


@pytest.mark.parametrize("code", [None, 404, "404"])
def test_its_code_is_a_number_or_a_word_as_one_likes(play_with: Play, code: Any) -> None:
    @scenario
    async def calling(caller: Caller) -> Any:
        return (await caller.ask("call", to="you").refused(code))["code"]

    assert play_with(calling).value == 404


def test_a_request_that_is_accepted_was_to_be_refused(play_with: Play) -> None:
    @scenario
    async def ringing(caller: Caller) -> None:
        await caller.ask("ring", to="you").refused()

    with pytest.raises(CheckFailed) as failed:
        play_with(ringing)
    first, place, *_ = str(failed.value).splitlines()
    assert first == (
        "caller.line was to be refused ring, and it was accepted: resultRing {'result': 'success', 'line': 3}"
    )
    assert "test_refusals.py" in place


def test_a_refusal_with_another_code_is_not_the_one(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller) -> None:
        await caller.ask("call", to="you").refused(486)

    with pytest.raises(CheckFailed, match="its code is 404, wanted 486"):
        play_with(calling)


def test_the_check_of_the_request_judges_the_refusal(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller, text: str) -> None:
        await caller.ask("call", to="you", check={"message": text}).refused(404)

    play_with(calling, text="there is no you")
    with pytest.raises(CheckFailed, match="message is 'there is no you', wanted 'busy'"):
        play_with(calling, text="busy")


def test_a_soft_check_of_the_refusal_is_told_at_the_end(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller) -> None:
        await caller.ask("call", to="you", check=soft({"message": "busy"})).refused(404)

    with pytest.raises(SoftChecksFailed, match="wanted 'busy'"):
        play_with(calling)


def test_no_answer_is_no_refusal(play_with: Play) -> None:
    @scenario
    async def waiting(caller: Caller) -> None:
        await caller.ask("wait", within_s=0.01).refused()

    with pytest.raises(DeadlinePassed):
        play_with(waiting)


def test_that_it_was_to_be_refused_may_be_said_when_it_has_been(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller) -> Any:
        asked, ringing = caller.ask("call", to="you"), caller.ask("ring")
        await ringing
        with pytest.raises(CheckFailed, match="was to be refused ring"):
            await ringing.refused()
        return (await asked.refused(404))["code"]

    assert play_with(calling).value == 404


def test_a_refusal_that_nobody_expects_is_raised_as_ever(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller) -> None:
        await caller.ask("call", to="you")

    with pytest.raises(RequestRefused, match="there is no you"):
        play_with(calling)


def test_a_request_that_says_of_what_type_its_answer_is_gives_its_refusal_as_a_message(play_with: Play) -> None:
    @scenario
    async def calling(caller: Caller) -> Any:
        return (await caller.ask("call", to="you", reply=Called, provisional={"result": "trying"}).refused(404))["code"]

    assert play_with(calling).value == 404


def test_what_a_request_that_was_left_fails_with_does_not_matter(peer: Any, play_with: Play) -> None:
    @scenario
    async def leaving(caller: Caller) -> None:
        async with caller.ask("call", to="you"):
            await caller.ask("ring")

    play_with(leaving)


def test_a_run_that_passed_with_a_refusal_shows_nothing_red(play_with: Play, tmp_path: Path) -> None:
    @scenario
    async def calling(caller: Caller) -> None:
        await caller.call_nobody()

    reports = ("files", "summary", "junit", "allure", "har", "mermaid", "trace")
    run = play_with(calling, runs=tmp_path, reports=reports)
    assert run.directory is not None
    written = {path.name: path.read_text() for path in run.directory.rglob("*") if path.is_file()}
    assert len(written) > len(reports)
    assert not [name for name, text in written.items() if "RequestRefused" in text]
    assert '"outcome":"failed"' not in written["journal.jsonl"]
    assert "<failure" not in written["junit.xml"]
    results = [json.loads(text) for name, text in written.items() if name.endswith("-result.json")]
    assert results
    assert not [result for result in results if '"failed"' in json.dumps(result)]
    lines: list[Any] = []
    conversation = Conversation(lines.append)
    for entry in run.journal:
        conversation(entry)
    conversation.flush()
    assert not [span for line in lines for span in line.spans if "red" in str(span.style)]
