"""Strict mode, and checks that collect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    CheckFailed,
    DeadlinePassed,
    Json,
    Link,
    Message,
    MessagesLeft,
    Run,
    SoftChecksFailed,
    Step,
    check,
    expect,
    on,
    saved,
    scenario,
    soft,
)
from antiphon.journal import SoftCheckFailed

Play = Callable[..., Run]
DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Desk(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=5, ignored=("capacity",))

    @on("ping")
    def answer_ping(self, ping: Message) -> None:
        self.send("pong", seq=ping["seq"])


def test_what_nobody_expected_fails_a_strict_run(peer: Any, play_with: Play) -> None:
    @scenario(strict=True)
    async def strict(desk: Desk) -> None:
        peer.say("news", n=1)
        peer.say("news", n=2)
        await desk.expect("news")
        peer.say("bye")
        await desk.expect("bye")

    with pytest.raises(MessagesLeft, match="1 message was received that nobody expected") as failed:
        play_with(strict)
    assert [message.body for message in failed.value.messages] == [{"n": 2}]
    assert "desk.line received news" in str(failed.value)
    assert "ignored=['news']" in str(failed.value)
    assert failed.value.run.verdict == "failed"


def test_handled_expected_and_ignored_messages_are_no_leftovers(peer: Any, play_with: Play) -> None:
    @scenario(strict=True)
    async def strict(desk: Desk) -> None:
        desk.ignore("mood", {"is": "good"})
        peer.say("ping", seq=1)
        peer.say("capacity", voice=1)
        peer.say("mood", **{"is": "good"})
        peer.say("news", n=1)
        await desk.expect("news")

    assert play_with(strict).verdict == "passed"


def test_what_is_ignored_is_ignored_where_it_fits_only(peer: Any, play_with: Play) -> None:
    @scenario(strict=True)
    async def strict(desk: Desk) -> None:
        desk.ignore("mood", {"is": "good"})
        peer.say("mood", **{"is": "bad"})
        peer.say("news", n=1)
        await desk.expect("news")

    with pytest.raises(MessagesLeft) as failed:
        play_with(strict)
    assert [message.body for message in failed.value.messages] == [{"is": "bad"}]


def test_a_handler_of_any_name_handles_everything(peer: Any, play_with: Play) -> None:
    class Listener(Desk):
        @on("*")
        def hear(self, message: Message) -> None:
            """Hear it."""

    @scenario(strict=True)
    async def strict(desk: Listener) -> None:
        peer.say("rumour")
        peer.say("news", n=1)
        await desk.expect("news")

    assert play_with(strict).verdict == "passed"


def test_an_answer_that_came_twice_is_told_as_that(peer: Any, play_with: Play) -> None:
    def answer(_body: Any) -> None:
        peer.say("resultTake", result="success")
        peer.say("resultTake", result="success")
        peer.say("over")

    peer.on_request["take"] = answer

    @scenario(strict=True)
    async def strict(desk: Desk) -> None:
        await desk.ask("take")
        await desk.expect("over")

    with pytest.raises(MessagesLeft) as failed:
        play_with(strict)
    assert "an answer to no open request" in str(failed.value)
    assert "did it come twice?" in str(failed.value)


def test_whoever_performs_decides(peer: Any, play_with: Play) -> None:
    @scenario
    async def lenient(desk: Desk) -> None:
        peer.say("rumour")
        peer.say("news", n=1)
        await desk.expect("news")

    assert play_with(lenient).verdict == "passed"
    with pytest.raises(MessagesLeft):
        play_with(lenient, strict=True)
    lenient.is_strict = True
    assert play_with(lenient, strict=False).verdict == "passed"


def test_messages_that_fell_out_are_told(peer: Any, play_with: Play) -> None:
    class Small(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=5, mailbox_limit=2)

    @scenario(strict=True)
    async def strict(desk: Small) -> None:
        for n in range(5):
            peer.say("rumour", n=n)
        peer.say("news")
        await desk.expect("news")

    with pytest.raises(MessagesLeft, match="3 more fell out of its mailbox, which keeps 2"):
        play_with(strict)


def test_what_is_handled_or_ignored_pushes_nothing_out(peer: Any, play_with: Play) -> None:
    class Small(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=5, mailbox_limit=2, ignored=("capacity",))

        @on("ping")
        def answer_ping(self, ping: Message) -> None:
            self.send("pong", seq=ping["seq"])

    @scenario(strict=True)
    async def strict(desk: Small) -> None:
        desk.ignore("mood", {"is": "good"})
        peer.say("rumour", n=1)
        for n in range(5):
            peer.say("ping", seq=n)
            peer.say("capacity", voice=n)
            peer.say("mood", **{"is": "good"})
        peer.say("news")
        await desk.expect("news")
        await desk.expect("rumour")

    assert play_with(strict).verdict == "passed"


def test_a_strict_run_that_failed_fails_with_that(peer: Any, play_with: Play) -> None:
    @scenario(strict=True)
    async def strict(desk: Desk) -> None:
        peer.say("rumour")
        await desk.expect("news", within_s=0.01)

    with pytest.raises(DeadlinePassed):
        play_with(strict)


def test_soft_checks_collect(peer: Any, play_with: Play) -> None:
    @scenario
    async def collecting(desk: Desk) -> str:
        peer.say("state", state="busy", seat=4)
        peer.say("news", n=1)
        state = await desk.expect("state", check=soft({"state": "ready", "seat": 4}))
        await desk.expect("news", check=soft({"n": 2}))
        return str(state["state"])

    with pytest.raises(SoftChecksFailed, match="2 soft checks failed") as failed:
        play_with(collecting)
    run = failed.value.run
    assert run.value == "busy"
    assert run.verdict == "failed"
    told = str(failed.value)
    assert "state is 'busy', wanted 'ready'" in told
    assert "n is 1, wanted 2" in told
    assert "seat" not in told.partition("wanted 'ready'")[0].rpartition("the check")[2]
    assert [type(failure) for failure in failed.value.failures] == [CheckFailed, CheckFailed]
    assert len([entry for entry in run.journal if isinstance(entry, SoftCheckFailed)]) == 2


def test_a_soft_check_of_an_answer(peer: Any, play_with: Play) -> None:
    peer.on_request["take"] = lambda _body: peer.say("resultTake", result="success", n=1)

    @scenario
    async def collecting(desk: Desk) -> int:
        return int((await desk.ask("take", check=soft({"n": 2})))["n"])

    with pytest.raises(SoftChecksFailed, match="1 soft check failed"):
        play_with(collecting)


def test_a_soft_check_that_fits_is_nothing(peer: Any, play_with: Play) -> None:
    @scenario
    async def collecting(desk: Desk) -> None:
        peer.say("news", n=2)
        await desk.expect("news", check=soft({"n": 2}))

    assert play_with(collecting).verdict == "passed"


def test_a_failure_after_a_soft_one_tells_both(peer: Any, play_with: Play) -> None:
    @scenario
    async def collecting(desk: Desk) -> None:
        peer.say("news", n=1)
        await desk.expect("news", check=soft({"n": 2}))
        await desk.expect("more", within_s=0.01)

    with pytest.raises(DeadlinePassed) as failed:
        play_with(collecting)
    assert any("1 soft check failed" in note for note in failed.value.__notes__)


def test_check_judges_any_value_in_a_workflow(peer: Any, play_with: Play) -> None:
    @scenario
    def judging(desk: Desk) -> list[Step[Any]]:
        return [
            expect("news", save_as="news"),
            check(saved.news, {"n": int}),
            check(saved.news, soft({"n": 2})),
            check(saved.news["n"], 3),
        ]

    peer.greeting = [("news", {"n": 1})]
    with pytest.raises(CheckFailed, match="the value does not fit 3") as failed:
        play_with(judging)
    assert "test_strict.py" in str(failed.value)
    assert any("n is 1, wanted 2" in note for note in failed.value.__notes__)


def test_check_in_plain_async_code(peer: Any, play_with: Play) -> None:
    @scenario
    async def judging(desk: Desk) -> None:
        await check({"state": "finished", "n": 1}, {"state": "finished"})
        await check([1, 2], [1, 3])

    with pytest.raises(CheckFailed, match=r"\[1\] is 2, wanted 3"):
        play_with(judging)
