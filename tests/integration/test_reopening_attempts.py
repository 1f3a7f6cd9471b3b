"""How a channel is opened again by itself: when, how often, by whom it is ended, and what an actor does about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from club import Club, become
from town import DIALECT, SECOND, SOON, Caller, Town, entries, performed

from antiphon import (
    Actor,
    Backoff,
    ChannelClosed,
    ConnectFailed,
    HandlerFailed,
    Link,
    Run,
    ScenarioError,
    Stand,
    on,
    perform,
    scenario,
)
from antiphon.journal import ChannelReopened, ChannelReopening
from antiphon.testing import run_virtual

Play = Callable[..., Run]


def test_attempts_come_later_and_later_and_are_all_told(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> Any:
        await town.close()
        news = one.expect("news", within_s=20)
        one.later(6.5, lambda: None)
        await asyncio.sleep(6.5)
        await town.open()
        await one.line.reopened()
        peer.say("news", number=1)
        return (await news)["number"]

    run = performed(peer, listen, town)
    told = entries(run, ChannelReopening)
    assert [(each.attempt, each.in_ns // 10**9) for each in told] == [(1, 1), (2, 2), (3, 4)]
    assert [each.error for each in told] == ["", *["no server is listening on memory://peer"] * 2]
    (back,) = entries(run, ChannelReopened)
    assert (back.attempt, back.away_ns // 10**9) == (3, 7)


def test_what_is_given_up_is_one_error_with_all_that_was_met(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> Any:
        news = one.expect("news", within_s=100)
        await town.close()
        with pytest.raises(ChannelClosed) as failed:
            await news
        with pytest.raises(
            ChannelClosed, match=r"was closed by the server .* could not be opened again in 4 .*; dial cannot be sent"
        ):
            one.send("dial")
        return str(failed.value), one.line.ending

    run = performed(peer, listen, town)
    text, ending = run.value
    first, *_ = text.splitlines()
    assert first.startswith("one.line waited for news, but the server closed the connection with code 1001")
    assert first.endswith(
        "it could not be opened again in 4 attempts, the last of which met: no server is listening on memory://peer"
    )
    assert "attempts 1 to 4 to open it again met: no server is listening on memory://peer" in text
    assert ending.code == 1001
    last = entries(run, ChannelReopening)[-1]
    assert (last.attempt, last.in_ns, last.at_ns) == (4, None, 15 * 10**9)


@pytest.mark.parametrize(
    ("statuses", "attempts"), [([503, 429, 502], 4), ([401], 1), ([403], 1)], ids=["busy", "unknown", "forbidden"]
)
def test_a_refusal_that_is_meant_ends_the_attempts(peer: Any, statuses: list[int], attempts: int) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> None:
        town.refusals = list(statuses)
        peer.abort()
        await one.expect_close()
        await one.line.reopened()

    if attempts > 1:
        run = performed(peer, listen, town)
    else:
        with pytest.raises(ChannelClosed, match=f"the connection was refused: {statuses[0]}") as failed:
            performed(peer, listen, town)
        run = failed.value.run
    assert max(entry.attempt for entry in entries(run, ChannelReopening)) == attempts


def test_a_handler_makes_the_actor_itself_again(peer: Any, play_with: Play) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=SOON)
        opened = 0

        @on.opened
        def count(self) -> None:
            self.opened += 1

        @on.reopened
        async def log_in(self) -> None:
            await self.ask("login", name="ann")

    peer.on_request["login"] = lambda _: peer.say("resultLogin", result="ok")

    @scenario
    async def listen(one: Member) -> int:
        peer.abort()
        await one.expect_close()
        await one.line.reopened()
        assert peer.heard == [("login", {"name": "ann"})]
        return one.opened

    assert play_with(listen).value == 2


def test_a_handler_is_called_anew_if_its_connection_breaks_too(peer: Any) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=SECOND)
        logins = 0

        @on.reopened
        async def log_in(self) -> None:
            self.logins += 1
            await self.ask("login") if self.logins < 3 else await self.expect("hello")

    def answer(_body: Any) -> None:
        peer.abort()

    peer.on_request["login"] = answer

    @scenario
    async def listen(one: Member) -> int:
        peer.abort()
        await one.expect_close()
        await one.until(lambda: one.logins == 3)
        peer.say("hello")
        await one.line.reopened()
        return one.logins

    run = performed(peer, listen)
    assert run.value == 3
    assert [(each.attempt, each.error[:32]) for each in entries(run, ChannelReopening)] == [
        (1, ""),
        (2, "it was open, and ended: the conn"),
        (3, "it was open, and ended: the conn"),
    ]


def test_a_handler_that_waits_is_given_up_with_its_connection(peer: Any) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=SECOND)
        logins = 0

        @on.reopened
        async def log_in(self) -> None:
            self.logins += 1
            await self.expect("hello")

    @scenario
    async def listen(one: Member) -> int:
        peer.abort()
        await one.expect_close()
        await one.until(lambda: one.logins == 1, within_s=20)
        peer.abort()
        await one.until(lambda: one.logins == 2, within_s=20)
        peer.say("hello")
        await one.line.reopened()
        return one.logins

    assert performed(peer, listen).value == 2


def test_what_a_handler_of_the_reopening_raises_fails_the_run(peer: Any, play_with: Play) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=SOON)

        @on.reopened
        def log_in(self) -> None:
            raise ValueError("no such user")

    @scenario
    async def listen(one: Member) -> None:
        peer.abort()
        await one.expect("never")

    with pytest.raises(HandlerFailed, match="the handler log_in raised ValueError: no such user"):
        play_with(listen)


def test_a_connection_that_ends_at_once_again_and_again_is_given_up(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        peer.on_opened = lambda connection: connection.close(1011, "broken")
        peer.abort()
        await one.expect("news", within_s=1000)

    with pytest.raises(ChannelClosed) as failed:
        performed(peer, listen)
    assert "could not be opened again in 4 attempts" in str(failed.value)


def test_attempts_are_counted_anew_once_a_connection_has_lasted(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        for _ in range(12):
            peer.abort()
            await one.expect_close()
            await one.line.reopened()
            await asyncio.sleep(10)

    run = performed(peer, listen)
    assert {entry.attempt for entry in entries(run, ChannelReopening)} == {1}
    assert len(peer.openings) == 13


async def _close(one: Any) -> None:
    await one.close()


async def _abort(one: Any) -> None:
    one.line.abort()


async def _nothing(one: Any) -> None: ...


def test_a_close_that_cannot_be_said_changes_nothing(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        with pytest.raises(ScenarioError, match="cannot be closed like that"):
            one.close(1006)
        peer.abort()
        await one.expect_close()
        await one.line.reopened()

    assert len(entries(performed(peer, listen), ChannelReopened)) == 1


def test_what_is_being_opened_again_may_be_opened_by_hand_instead(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> bool:
        await town.close()
        await town.open()
        await one.line.reconnect()
        return one.line.is_open

    run = performed(peer, listen, town)
    assert run.value
    assert len(peer.openings) == 2
    assert not entries(run, ChannelReopened)


def test_attempts_that_were_ended_before_they_began_do_not_keep_the_next_ones_away(peer: Any) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        peer.abort()
        await become(lambda: one.line.mailbox.gap is not None)
        await one.close()
        await one.line.open()
        peer.abort()
        await one.expect_close()
        await one.line.reopened(within_s=5)

    assert len(entries(performed(peer, listen), ChannelReopened)) == 1


@pytest.mark.parametrize("leave", [_close, _abort], ids=["closed", "aborted"])
def test_a_gap_that_was_ended_by_hand_is_over(peer: Any, leave: Callable[[Any], Awaitable[None]]) -> None:
    @scenario
    async def listen(one: Caller) -> None:
        peer.abort()
        await one.expect_close()
        await leave(one)
        await asyncio.sleep(3)
        await one.line.open()
        await one.expect_none("alarm", within_s=1)

    performed(peer, listen)


def test_a_refusal_that_asks_for_time_is_given_it(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> None:
        town.refusals, town.retry_after = [503], "20"
        peer.abort()
        await one.expect_close()
        await one.line.reopened()

    told = entries(performed(peer, listen, town), ChannelReopening)
    assert [each.in_ns for each in told] == [1_000_000_000, 20_000_000_000]


def test_a_connection_that_breaks_as_soon_as_it_is_there_is_followed_too(peer: Any) -> None:
    town = Town(peer)

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        if len(peer.openings) == 1:
            town.refusals = [503]
            connection.abort()

    peer.on_opened = on_opened

    @scenario
    async def listen(one: Caller) -> None:
        await one.line.reopened()

    told = entries(performed(peer, listen, town), ChannelReopening)
    assert [each.attempt for each in told] == [1, 2]


class Eager(Actor):
    line = Link("{peer}", dialect=DIALECT, reopens=Backoff(first_s=0))


def test_one_that_ends_at_once_is_not_asked_for_ever_by_who_does_not_wait(peer: Any) -> None:
    @scenario
    async def listen(one: Eager) -> None:
        peer.on_opened = lambda connection: connection.close(1011, "broken")
        peer.abort()
        await one.expect("news", within_s=1000)

    with pytest.raises(ChannelClosed, match="could not be opened again in 10 attempts"):
        performed(peer, listen)
    assert len(peer.openings) == 11


@pytest.mark.parametrize("leave", [_close, _abort, _nothing], ids=["closed", "aborted", "the run ends"])
@pytest.mark.parametrize("after_s", [0.0, 0.5, 1.0, 1.5])
def test_nothing_is_left_behind_by_whoever_leaves_in_a_gap(
    peer: Any, leave: Callable[[Any], Awaitable[None]], after_s: float
) -> None:
    town = Town(peer)
    tasks: list[asyncio.Task[Any]] = []

    @scenario
    async def listen(one: Caller) -> Any:
        news = one.expect("news", within_s=100)
        await town.close()
        await asyncio.sleep(after_s)
        await leave(one)
        if leave is not _nothing:
            with pytest.raises(ChannelClosed):
                await news
            await town.open()
            await asyncio.sleep(50)
        else:
            news.cancel()

    async def play_here() -> None:
        await town.open()
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": town.network})
        await perform(listen, stand=stand, runs=None)
        tasks.extend(asyncio.all_tasks() - {asyncio.current_task()})  # type: ignore[arg-type]

    run_virtual(play_here())
    assert len(peer.openings) == 1
    assert tasks == []


def test_an_attempt_under_way_is_cancelled_by_a_close(peer: Any) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=Club(name="a", password="b"), open_within_s=60, reopens=SECOND)

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        if len(peer.openings) == 1:
            connection.send("WELCOME t1")

    peer.on_opened, peer.on_data = on_opened, lambda _data: None

    @scenario
    async def listen(one: Member) -> None:
        peer.abort()
        await one.expect_close()
        await asyncio.sleep(5)  # the second connection is there, and its protocol is not open
        assert len(peer.openings) == 2
        assert one.line.is_open
        await one.close()
        await one.line.open()

    peer.on_data = lambda data: peer.connection.send("WELCOME t2") if len(peer.openings) == 3 else None
    run = performed(peer, listen)
    assert len(peer.openings) == 3
    assert peer.endings[1].code == 1006
    assert entries(run, ChannelReopened) == []


def test_to_open_what_is_being_opened_is_to_wait_for_it(peer: Any) -> None:
    town = Town(peer)

    @scenario
    async def listen(one: Caller) -> None:
        await town.close()
        one.later(5, lambda: asyncio.ensure_future(town.open()))
        await one.line.open()
        assert one.line.is_open
        await town.close()
        with pytest.raises(ChannelClosed, match="could not be opened again in 4 attempts"):
            await one.line.open()
        with pytest.raises(ConnectFailed):
            await one.line.open()

    performed(peer, listen, town)


def test_a_first_opening_that_fails_is_not_tried_again(peer: Any, play_with: Play) -> None:
    class Nobody(Actor):
        line = Link("memory://nobody", dialect=DIALECT, reopens=SOON)

    @scenario
    async def listen(one: Nobody) -> None: ...

    with pytest.raises(ConnectFailed):
        play_with(listen)


def test_a_connection_that_ends_before_it_is_open_is_no_break(peer: Any, play_with: Play) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=Club(name="a", password="b"), opens="manually", reopens=SOON)

    peer.on_data = lambda _: peer.connection.abort()

    @scenario
    async def listen(one: Member) -> None:
        with pytest.raises(ConnectFailed, match="before its protocol was open"):
            await one.line.open()

    assert not entries(play_with(listen), ChannelReopening)


def test_the_protocol_opens_again_with_what_its_codec_has_learnt(peer: Any) -> None:
    club = Club(name="a", password="b")

    class Member(Actor):
        line = Link("{peer}/door", dialect=club, open_within_s=2, reopens=SECOND)

    heard: list[str] = []
    tokens = ["t1", "", "t2"]

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Any) -> None:
        heard.append(data)
        if str(data).startswith("LOGIN"):
            token = tokens.pop(0)
            peer.connection.send(f"WELCOME {token}") if token else peer.connection.abort()

    peer.on_opened, peer.on_data = on_opened, on_data

    @scenario
    async def listen(one: Member) -> Any:
        news = one.expect("news")
        peer.abort()
        await one.expect_close()
        await one.line.reopened()
        peer.connection.send("SAY news big")
        return (await news).body

    run = performed(peer, listen)
    assert run.value == "big"
    # Also behind an attempt whose connection was there, and whose protocol did not open.
    assert heard == ["LOGIN a b", "LOGIN a b t1", "LOGIN a b t1", "BYE"]
    assert [opening.headers["X-Token"] for opening in peer.openings] == ["", "t1", "t1"]
    assert [each.error for each in entries(run, ChannelReopening)][1].endswith("before its protocol was open")


def test_a_bug_of_a_dialect_ends_the_attempts_and_the_waits(peer: Any) -> None:
    class Buggy(Club):
        def codec(self, meeting: Any, /) -> Any:
            if self.made:
                raise IndexError("pop from empty list")
            return super().codec(meeting)

    class Member(Actor):
        line = Link("{peer}", dialect=Buggy(name="a", password="b"), reopens=SECOND)

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        connection.send("WELCOME t1")

    peer.on_opened, peer.on_data = on_opened, lambda _: None

    @scenario
    async def listen(one: Member) -> None:
        peer.abort()
        await one.expect("news")

    with pytest.raises(Exception, match="the dialect Buggy raised IndexError"):
        performed(peer, listen)


class Chancy(Actor):
    line = Link("{peer}", dialect=DIALECT, reopens=Backoff(first_s=1, jitter=0.5, attempts=3))


def test_chance_is_the_runs_own(peer: Any) -> None:
    def waits() -> list[int]:
        town = Town(peer)

        @scenario
        async def listen(one: Chancy, other: Chancy) -> None:
            await town.close()
            with pytest.raises(ChannelClosed):
                await one.expect("news", within_s=1000)

        told = entries(performed(peer, listen, town), ChannelReopening)
        return sorted(each.in_ns for each in told if each.in_ns is not None)

    first = waits()
    assert first == waits()
    assert len(set(first)) == len(first) == 6
