"""A channel that is opened again by itself: what waits, waits on, and everything that cannot is told so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from club import Club, become
from town import DIALECT, SECOND, SOON, Caller, Hasty, Town, entries, performed

from antiphon import (
    DEFERRED,
    Actor,
    Backoff,
    ChannelClosed,
    DeadlinePassed,
    DialectFailed,
    ForbiddenMessage,
    JsonRpc,
    Link,
    Message,
    Run,
    ScenarioError,
    on,
    scenario,
)
from antiphon.errors import ExpectationFailed
from antiphon.journal import ChannelEnded, ChannelOpened, ChannelReopened, ChannelReopening, Note

Play = Callable[..., Run]


def test_it_is_off_unless_somebody_asks_for_it(peer: Any, play_with: Play, party: type[Actor]) -> None:
    @scenario
    async def listen(one: party) -> None:  # type: ignore[valid-type]
        news = one.expect("news")  # type: ignore[attr-defined]
        peer.abort()
        with pytest.raises(ChannelClosed):
            await news
        with pytest.raises(ScenarioError, match=r"one\.line is not opened again by itself"):
            one.line.reopened()  # type: ignore[attr-defined]

    assert len(entries(play_with(listen), ChannelOpened)) == 1
    assert len(peer.openings) == 1


@pytest.mark.parametrize(
    "breaks", [lambda peer: peer.abort(), lambda peer: peer.close(1001), lambda peer: peer.close(1012)]
)
def test_a_wait_outlives_its_connection(peer: Any, play_with: Play, breaks: Callable[[Any], None]) -> None:
    @scenario
    async def listen(one: Hasty) -> Any:
        news = one.expect("news")
        breaks(peer)
        await one.expect_close()
        await one.line.reopened()
        peer.say("news", number=1)
        return (await news)["number"]

    run = play_with(listen)
    assert run.value == 1
    assert len(peer.openings) == 2
    told = entries(run, ChannelOpened, ChannelEnded, ChannelReopening, ChannelReopened)
    kinds = [type(entry).__name__.removeprefix("Channel") for entry in told]
    assert kinds == ["Opened", "Ended", "Reopening", "Opened", "Reopened", "Ended"]
    assert (told[2].attempt, told[2].in_ns, told[2].error) == (1, 1_000_000, "")
    assert told[4].attempt == 1


def test_a_deadline_stays_what_it_was_and_tells_of_the_gap(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> None:
        await asyncio.sleep(1)
        news = one.expect("news", within_s=5)
        await asyncio.sleep(1)
        await town.close()
        await asyncio.sleep(1.5)
        await town.open()
        await news

    with pytest.raises(DeadlinePassed) as failed:
        performed(peer, listen, town)
    text = str(failed.value)
    assert text.startswith("one.line waited 5.000 s for news, and it did not come")
    assert (
        "there was no connection from 2.000 s to 5.000 s of the run, and nothing could come: the server closed" in text
    )
    assert "attempt 1 to open it again met: no server is listening on memory://peer" in text


def test_a_wait_that_ends_in_a_gap_says_what_is_done_about_it(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> None:
        await town.close()
        await one.expect("news", within_s=5)

    with pytest.raises(DeadlinePassed) as failed:
        performed(peer, listen, town)
    text = str(failed.value)
    assert "there was no connection since 0 ms of the run" in text
    assert "attempts 1 to 2 to open it again met: no server is listening" in text
    assert "it is being opened again, attempt 3 at 7.000 s of the run" in text


def test_a_request_under_way_fails_at_once_unless_its_protocol_resumes(peer: Any, play_with: Play) -> None:
    @scenario
    async def ask(one: Hasty) -> str:
        dialled = one.ask("dial")
        peer.abort()
        with pytest.raises(ChannelClosed) as failed:
            await dialled
        await one.line.reopened()
        peer.on_request["dial"] = lambda _: peer.say("resultDial", result="ok")
        await one.ask("dial")
        return str(failed.value)

    text = play_with(ask).value
    assert text.startswith("one.line waited for the reply to dial, but the connection was lost without a close frame")
    assert "what was asked before is not answered on the next connection" in text


def test_an_answer_does_not_go_out_on_a_connection_on_which_nobody_asked(peer: Any, play_with: Play) -> None:
    """There its id may be that of another question."""
    questions: list[Message] = []

    class Asked(Actor):
        line = Link("{peer}", dialect=JsonRpc(), within_s=30, reopens=SOON)

        @on("question")
        def defer(self, question: Message) -> Any:
            questions.append(question)
            return DEFERRED

    def ask(what: str) -> None:
        peer.say_raw(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "question", "params": {"of": what}}))

    @scenario
    async def answering(one: Asked) -> None:
        peer.on_data = lambda data: peer.heard.append(json.loads(data))
        ask("first")
        await one.expect("question")
        peer.abort()
        await one.line.expect_close()
        await one.line.reopened()
        ask("second")
        await one.expect("question")
        first, second = questions
        one.line.answer(first, "the first's")
        one.line.refuse(first, 7, "the first's")
        one.line.answer(second, "the second's")

    play_with(answering)
    assert [each["result"] for each in peer.heard] == ["the second's"]


def test_what_is_said_in_a_gap_fails_clearly(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def speak(one: Caller) -> list[str]:
        await town.close()
        await asyncio.sleep(2)
        said: list[str] = []
        for attempt in (lambda: one.send("dial"), lambda: one.ask("dial"), lambda: one.line.send_data("x")):
            with pytest.raises(ChannelClosed) as failed:
                attempt()
            said.append(str(failed.value))
        await town.open()
        return said

    said = performed(peer, speak, town).value
    ended = "one.line was closed by the server with code 1001 'the server is closing' at 0 ms; "
    again = "cannot be sent: it is being opened again, attempt"
    assert said[0].startswith(f"{ended}dial {again} 2 at 3.000 s of the run")
    assert said[1].startswith("one.line was closed by the server")
    assert f"; dial {again}" in said[1]
    assert said[2].startswith("one.line was closed by the server")
    assert f"; data {again}" in said[2]
    assert "hint: await channel.reopened() waits until there is a connection" in said[0]


def test_a_batch_does_not_go_out_on_a_connection_that_it_was_not_made_for(peer: Any, play_with: Play) -> None:
    async def say(one: Hasty) -> None:
        with one.line.batch():
            one.send("hello")
            peer.abort()
            await one.expect_close()
            await one.line.reopened()

    @scenario
    async def speak(one: Hasty) -> None:
        with pytest.raises(ChannelClosed, match="the connection on which it was begun has ended"):
            await say(one)
        one.send("again")
        await become(lambda: peer.heard)

    play_with(speak)
    assert [name for name, _ in peer.heard] == ["again"]


@pytest.mark.parametrize("code", [1000, 1002, 1008, 4000])
def test_a_goodbye_that_is_meant_is_not_followed(peer: Any, play_with: Play, code: int) -> None:
    @scenario
    async def listen(one: Hasty) -> None:
        news = one.expect("news")
        peer.close(code, "enough")
        with pytest.raises(ChannelClosed, match=f"with code {code} 'enough'"):
            await news

    run = play_with(listen)
    assert not entries(run, ChannelReopening)
    assert len(peer.openings) == 1


def test_further_codes_may_be_named(peer: Any, play_with: Play) -> None:
    class Stubborn(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=Backoff(first_s=0, after=range(4000, 5000)))

    @scenario
    async def listen(one: Stubborn) -> None:
        peer.close(4001)
        await one.expect_close(4001)
        await one.line.reopened()

    play_with(listen)
    assert len(peer.openings) == 2


def test_our_own_end_is_not_followed(peer: Any, play_with: Play) -> None:
    @scenario
    async def leave(one: Hasty) -> None:
        assert (await one.close()).by == "us"
        await one.line.open()
        one.line.abort()
        await one.expect_close(1006)
        with pytest.raises(ChannelClosed):
            await one.line.reopened()

    assert not entries(play_with(leave), ChannelReopening)


def test_a_wire_may_be_cut_on_purpose(peer: Any, play_with: Play) -> None:
    @scenario
    async def cut(one: Hasty) -> None:
        one.line.connection.abort()  # type: ignore[union-attr]
        await one.expect_close(1006)
        await one.line.reopened()

    play_with(cut)
    assert len(peer.openings) == 2


def test_an_absence_does_not_hold_over_a_gap(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        silence = one.expect_none("alarm", within_s=5)
        await asyncio.sleep(2)
        peer.abort()
        await silence

    with pytest.raises(ChannelClosed) as failed:
        performed(peer, listen)
    text = str(failed.value)
    assert text.startswith(
        "one.line waited 5.000 s to hear no alarm, and none came, but not all that time could any come"
    )
    assert "there was no connection from 2.000 s to 3.000 s of the run" in text


def test_what_was_ruled_out_is_told_also_behind_a_gap(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        silence = one.expect_none("alarm", within_s=5)
        peer.abort()
        await one.expect_close()
        await one.line.reopened()
        peer.say("alarm")
        await silence

    with pytest.raises(ForbiddenMessage):
        performed(peer, listen)


def test_an_absence_before_or_behind_a_gap_holds(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        await one.expect_none("alarm", within_s=5)
        peer.abort()
        await one.expect_close()
        await one.line.reopened()
        await one.expect_none("alarm", within_s=5)

    performed(peer, listen)


def test_what_is_forbidden_over_a_gap_is_noted(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        with one.forbid("alarm"):
            await asyncio.sleep(1)
            peer.abort()
            await asyncio.sleep(2)
        with one.forbid("alarm"):
            await asyncio.sleep(1)

    (note,) = entries(performed(peer, listen), Note)
    assert note.text.startswith(
        "one.line: there was to be no alarm, but there was no connection from 1.000 s to 2.000 s of the run"
    )


@pytest.mark.parametrize("new_session", [False, True], ids=["resumed", "a new session"])
def test_a_request_outlives_its_connection_if_its_protocol_resumes(peer: Any, new_session: bool) -> None:
    def resumes(codec: Any, request: Any) -> bool:
        return request.name == "dial" and codec.token == "t1"

    class Carrying(Club):
        def codec(self, meeting: Any, /) -> Any:
            codec = super().codec(meeting)
            codec.resumes = lambda request: resumes(codec, request)  # type: ignore[method-assign]
            if meeting.previous is None and len(self.made) > 1:
                raise AssertionError("nothing to resume")
            if len(self.made) > 1:
                codec.new_id = self.made[-2].new_id
            return codec

    class Member(Actor):
        line = Link("{peer}/door", dialect=Carrying(name="a", password="b"), reopens=SECOND)

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Any) -> None:
        if str(data).startswith("LOGIN"):
            peer.connection.send("WELCOME t2" if new_session and len(peer.openings) > 1 else "WELCOME t1")

    peer.on_opened, peer.on_data = on_opened, on_data

    @scenario
    async def ask(one: Member) -> Any:
        dialled, other = one.ask("dial"), one.ask("other")
        peer.abort()
        with pytest.raises(ChannelClosed):
            await other
        assert not dialled.done()
        await one.line.reopened()
        if new_session:
            with pytest.raises(ChannelClosed, match="the reply to dial, but the connection was lost"):
                await dialled
        again = one.ask("again")
        peer.connection.send("LAST 0 first")
        peer.connection.send("LAST 2 second")
        return (await dialled).body if not new_session else None, (await again).body

    assert performed(peer, ask).value == (None if new_session else "first", "second")


def test_an_attempt_that_came_to_nothing_has_no_say_in_what_is_resumed(peer: Any) -> None:
    """Its codec was never ready, so it knows nothing of the session."""

    class Hesitant(Club):
        def codec(self, meeting: Any, /) -> Any:
            codec = super().codec(meeting)
            codec.resumes = lambda _request: codec.is_ready  # type: ignore[method-assign]
            return codec

    class Member(Actor):
        line = Link("{peer}", dialect=Hesitant(name="a", password="b"), reopens=SECOND)

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Any) -> None:
        if str(data).startswith("LOGIN"):
            peer.connection.send("WELCOME t1") if len(peer.openings) != 2 else peer.connection.abort()

    peer.on_opened, peer.on_data = on_opened, on_data

    @scenario
    async def ask(one: Member) -> Any:
        dialled = one.ask("dial")
        peer.abort()
        await one.expect_close()
        await one.line.reopened()
        peer.connection.send("LAST 0 ok")
        return (await dialled).body

    assert performed(peer, ask).value == "ok"
    assert len(peer.openings) == 3


def test_a_codec_that_cannot_say_what_it_resumes_is_named(peer: Any) -> None:
    class Broken(Club):
        def codec(self, meeting: Any, /) -> Any:
            codec = super().codec(meeting)
            codec.resumes = lambda _request: [][0]  # type: ignore[method-assign]
            return codec

    class Member(Actor):
        line = Link("{peer}", dialect=Broken(name="a", password="b"), reopens=SECOND)

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        connection.send("WELCOME t1")

    peer.on_opened, peer.on_data = on_opened, lambda _: None

    @scenario
    async def ask(one: Member) -> None:
        dialled = one.ask("dial")
        peer.abort()
        await dialled

    with pytest.raises(DialectFailed, match=r"the dialect Broken raised IndexError: .* in its resumes\(\)"):
        performed(peer, ask)


def test_what_nobody_expected_is_still_told_in_strict_mode(peer: Any) -> None:
    @scenario(strict=True)
    async def listen(one: Caller) -> None:
        peer.say("before")
        await become(lambda: one.line.mark() == 1)
        peer.abort()
        await one.expect_close()
        await one.line.reopened()
        peer.say("after")
        await become(lambda: one.line.mark() == 2)

    with pytest.raises(ExpectationFailed) as failed:
        performed(peer, listen)
    assert [message.name for message in failed.value.messages] == ["before", "after"]  # type: ignore[attr-defined]
    assert "one.line: there was no connection from 0 ms to 1.000 s of the run" in str(failed.value)


def test_what_cannot_be_both_is_told() -> None:
    with pytest.raises(ScenarioError, match="cannot allow_half_open"):
        Link("tcp://127.0.0.1:1", dialect=DIALECT, reopens=SOON, allow_half_open=True)
    with pytest.raises(ScenarioError, match=r"reopens=0\.5 is no Backoff"):
        Link("tcp://127.0.0.1:1", dialect=DIALECT, reopens=0.5)  # type: ignore[arg-type]
