"""The promises of waiting as an author meets them, and the traps that others fall into."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    ChannelClosed,
    CheckFailed,
    DeadlinePassed,
    ForbiddenMessage,
    HandlerFailed,
    Json,
    Link,
    Message,
    RejectConnection,
    RequestRefused,
    Run,
    ScenarioError,
    all_of,
    call,
    first_of,
    on,
    scenario,
    together,
    wait,
)
from antiphon.journal import ChannelEnded, ChannelOpened, Dropped, Handled, WaitEnded
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]
DIALECT = Json(
    name="action", body="data", reply="result{Name}", failed={"result": "error"}, provisional={"result": "wait"}
)


class Desk(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=5)
    state = "idle"

    @on("ping")
    def answer_ping(self, ping: Message) -> None:
        self.send("pong", seq=ping["seq"])

    @on("state")
    def note_state(self, message: Message) -> None:
        self.state = message["state"]


def test_two_messages_in_one_read_while_a_wait_completes(peer: Any, play_with: Play) -> None:
    @scenario
    async def both(desk: Desk) -> list[int]:
        waiting = desk.expect("news")
        peer.say("news", n=1)
        peer.say("news", n=2)
        return [(await waiting)["n"], (await desk.expect("news"))["n"]]

    assert play_with(both).value == [1, 2]


def test_a_message_that_comes_with_the_handshake_counts(peer: Any, play_with: Play) -> None:
    peer.greeting = [("ping", {"seq": 0}), ("welcome", {"to": "you"})]

    @scenario
    async def greeted(desk: Desk) -> Any:
        return (await desk.expect("welcome"))["to"]

    assert play_with(greeted).value == "you"
    assert ("pong", {"seq": 0}) in peer.heard


def test_a_second_expectation_of_the_same_name_gets_the_second_message(peer: Any, play_with: Play) -> None:
    @scenario
    async def two(desk: Desk) -> list[int]:
        first, second = desk.expect("news"), desk.expect("news")
        peer.say("news", n=1)
        peer.say("news", n=2)
        return [(await second)["n"], (await first)["n"]]

    assert play_with(two).value == [2, 1]


def test_an_event_may_come_before_the_reply_that_explains_it(peer: Any, play_with: Play) -> None:
    def on_order(_: Any) -> None:
        peer.say("created", id=7)
        peer.say("resultOrder", id=7)

    peer.on_request["order"] = on_order

    @scenario
    async def order(desk: Desk) -> int:
        reply = await desk.ask("order")
        return (await desk.expect("created", {"id": reply["id"]})).number

    assert play_with(order).value == 1


def test_a_close_ends_every_wait_at_once_with_code_and_reason(peer: Any, play_with: Play) -> None:
    peer.on_request["work"] = lambda _: peer.close(4409, "replaced")

    @scenario
    async def closed(desk: Desk) -> str:
        waiting = desk.expect("news", within_s=1000)
        asking = desk.ask("work", within_s=1000)
        for wait_ in (waiting, asking):
            with pytest.raises(ChannelClosed, match="code 4409 'replaced'"):
                await wait_
        with pytest.raises(ChannelClosed, match="4409"):
            desk.send("more")
        with pytest.raises(ChannelClosed):
            await desk.expect("news")
        return str(desk.channel.ending)

    assert "4409" in play_with(closed).value


def test_a_close_that_is_awaited_is_no_failure(peer: Any, play_with: Play) -> None:
    peer.on_request["bye"] = lambda _: peer.close(4000, "bye")

    @scenario
    async def parting(desk: Desk) -> Any:
        desk.send("bye")
        ending = await desk.expect_close(4000)
        return ending.code, ending.reason, ending.by

    assert play_with(parting).value == (4000, "bye", "peer")


def test_what_came_before_the_close_can_still_be_taken(peer: Any, play_with: Play) -> None:
    def last_words(_: Any) -> None:
        peer.say("news", n=9)
        peer.close(1000)

    peer.on_request["bye"] = last_words

    @scenario
    async def late(desk: Desk) -> Any:
        desk.send("bye")
        await desk.expect_close()
        return (await desk.expect("news"))["n"]

    assert play_with(late).value == 9


def test_a_deadline_never_passes_silently(peer: Any, play_with: Play) -> None:
    @scenario
    async def waiting(desk: Desk) -> None:
        await desk.expect("news", within_s=0.01)

    with pytest.raises(DeadlinePassed, match=r"desk\.line waited \d+ ms for news, and it did not come"):
        play_with(waiting)


@pytest.mark.parametrize("was_open", [True, False])
def test_a_deadline_passes_also_on_a_channel_that_is_not_open(peer: Any, play_with: Play, was_open: bool) -> None:
    class Outside(Actor):
        line = Link("{peer}", dialect=DIALECT, opens="manually")

    accept = peer.accept

    def accept_once(opening: Any) -> Any:
        if peer.openings:
            raise RejectConnection(503)
        return accept(opening)

    @scenario
    async def waiting(outside: Outside) -> None:
        if was_open:
            await outside.line.open()
            await outside.close()
            await outside.line.expect_refusal(503)
        async with asyncio.timeout(5):
            await outside.expect_none("call", within_s=0.001)
            with pytest.raises(DeadlinePassed):
                await outside.expect("call", within_s=0.001)

    peer.accept = accept_once
    play_with(waiting)


def test_a_deadline_that_passes_unobserved_fails_the_run(peer: Any, play_with: Play) -> None:
    @scenario
    async def forgetful(desk: Desk) -> None:
        desk.expect("news", within_s=0.01)
        await wait(0.05)

    with pytest.raises(DeadlinePassed, match="for news"):
        play_with(forgetful)


def test_a_deadline_tells_how_late_the_message_was(peer: Any, play_with: Play) -> None:
    @scenario
    async def waiting(desk: Desk) -> None:
        desk.later(0.25, lambda: peer.say("news"))
        await desk.expect("news", within_s=0.01)

    with pytest.raises(DeadlinePassed, match=r"it came \d+ ms too late"):
        play_with(waiting, linger_s=5)


@pytest.mark.parametrize("run_loop", [VirtualTimeLoop], ids=["virtual"], indirect=True)
def test_where_time_is_not_the_clocks_it_is_told_to_the_millisecond(peer: Any, play_with: Play) -> None:
    @scenario
    async def waiting(desk: Desk) -> None:
        desk.later(0.03, lambda: peer.say("news"))
        await desk.expect("news", within_s=0.01)

    with pytest.raises(DeadlinePassed, match=r"waited 10 ms for news, and it did not come\n  it came 20 ms too late"):
        play_with(waiting, linger_s=5)


def test_a_mark_leaves_stale_messages_alone(peer: Any, play_with: Play) -> None:
    peer.greeting = [("state", {"state": "old"})]
    peer.on_request["change"] = lambda _: peer.say("state", state="new")

    @scenario
    async def change(desk: Desk) -> Any:
        await desk.until(lambda: desk.state == "old")
        mark = desk.mark()
        desk.send("change")
        fresh = await desk.expect("state", since=mark)
        return fresh["state"], [message["state"] for message in desk.drain("state")]

    assert play_with(change).value == ("new", ["old"])


def test_an_ask_takes_only_its_own_reply(peer: Any, play_with: Play) -> None:
    peer.greeting = [("resultOrder", {"n": "stale"})]
    peer.on_request["order"] = lambda body: peer.say("resultOrder", n=body["n"])

    @scenario
    async def order(desk: Desk) -> list[Any]:
        first, second = desk.ask("order", n=1), desk.ask("order", n=2)
        return [(await second)["n"], (await first)["n"], (await desk.expect("resultOrder"))["n"]]

    assert play_with(order).value == [2, 1, "stale"]


def test_a_late_reply_does_not_answer_the_next_request(peer: Any, play_with: Play) -> None:
    asked: list[int] = []

    def slow(body: Any) -> None:
        asked.append(body["n"])
        if len(asked) == 2:
            peer.say("resultOrder", n=1)
            peer.say("resultOrder", n=2)

    peer.on_request["order"] = slow

    @scenario
    async def impatient(desk: Desk) -> Any:
        with pytest.raises(DeadlinePassed):
            await desk.ask("order", n=1, within_s=0.01)
        return (await desk.ask("order", n=2))["n"]

    assert play_with(impatient).value == 2


def test_an_error_reply_fails_the_ask_at_once(peer: Any, play_with: Play) -> None:
    peer.on_request["order"] = lambda _: peer.say("resultOrder", result="error", code="full", message="no room")

    @scenario
    async def order(desk: Desk) -> None:
        await desk.ask("order", within_s=1000)

    with pytest.raises(RequestRefused, match="no room") as refused:
        play_with(order)
    assert refused.value.message["code"] == "full"
    assert refused.value.run.verdict == "failed"


def test_an_exchange_is_iterated_for_every_reply(peer: Any, play_with: Play) -> None:
    def replies(_: Any) -> None:
        peer.say("resultDial", result="wait", n=100)
        peer.say("resultDial", result="wait", n=180)
        peer.say("resultDial", result="done", n=200)

    peer.on_request["dial"] = replies

    @scenario
    async def dial(desk: Desk) -> Any:
        exchange = desk.ask("dial")
        numbers = [message["n"] async for message in exchange]
        return numbers, (await exchange)["n"]

    assert play_with(dial).value == ([100, 180, 200], 200)


def test_where_selects_and_check_judges(peer: Any, play_with: Play) -> None:
    @scenario
    async def judged(desk: Desk) -> None:
        peer.say("news", id=1, state="good")
        peer.say("news", id=2, state="bad")
        await desk.expect("news", {"id": 2}, check={"state": "good"}, within_s=1000)

    with pytest.raises(CheckFailed, match="state is 'bad', wanted 'good'"):
        play_with(judged)


def test_first_of_takes_one_and_leaves_the_others(peer: Any, play_with: Play) -> None:
    @scenario
    async def race(desk: Desk) -> Any:
        waiting = first_of(desk.expect("a"), desk.expect("b"))
        peer.say("b")
        peer.say("a")
        winner = await waiting
        return winner.name, (await desk.expect("a")).name

    assert play_with(race).value == ("b", "a")


def test_all_of_takes_any_order_and_gives_the_order_asked_for(peer: Any, play_with: Play) -> None:
    @scenario
    async def everything(desk: Desk) -> list[str]:
        waiting = all_of(desk.expect("a"), desk.expect("b"), desk.expect("c"))
        for name in "cab":
            peer.say(name)
        return [message.name for message in await waiting]

    assert play_with(everything).value == ["a", "b", "c"]


def test_one_failure_among_all_of_cancels_the_rest(peer: Any, play_with: Play) -> None:
    @scenario
    async def everything(desk: Desk) -> Any:
        with pytest.raises(DeadlinePassed):
            await all_of(desk.expect("a", within_s=0.01), desk.expect("b"))
        peer.say("b", n=1)
        return (await desk.expect("b"))["n"]

    assert play_with(everything).value == 1


def test_until_looks_again_after_every_message(peer: Any, play_with: Play) -> None:
    @scenario
    async def until(desk: Desk) -> str:
        waiting = desk.until(lambda: desk.state == "ready")
        for state in ("busy", "ready", "gone"):
            peer.say("state", state=state)
        await waiting
        return desk.state

    assert play_with(until).value == "ready"


def test_forbid_fails_the_run_whatever_it_is_doing(peer: Any, play_with: Play) -> None:
    @scenario
    async def strict(desk: Desk) -> None:
        with desk.forbid("alarm"):
            peer.say("alarm", level=3)
            await wait(1000)

    with pytest.raises(ForbiddenMessage, match="alarm"):
        play_with(strict)


def test_expect_none_passes_with_time_and_fails_at_once(peer: Any, play_with: Play) -> None:
    @scenario
    async def quiet(desk: Desk) -> None:
        await desk.expect_none("alarm", within_s=0.01)
        peer.say("alarm", level=3)
        await desk.expect_none("alarm", within_s=1000)

    with pytest.raises(ForbiddenMessage, match="and no alarm was expected"):
        play_with(quiet)


@pytest.mark.parametrize("is_alone", [True, False])
def test_who_is_told_alone_is_told_as_those_who_are_told_together(peer: Any, play_with: Play, is_alone: bool) -> None:
    """Most messages satisfy one wait, which is told without a list; the record is the same."""

    @scenario
    async def hearing(desk: Desk) -> int:
        silence = desk.expect_none("alarm", within_s=1000) if not is_alone else None
        alarm = desk.expect("alarm")
        peer.say("alarm", level=3)
        level: int = (await alarm)["level"]
        if silence is not None:
            assert silence.done()
            with pytest.raises(ForbiddenMessage):
                await silence
        return level

    run = play_with(hearing)
    assert run.value == 3
    ends = [(entry.outcome, entry.message) for entry in run.journal if isinstance(entry, WaitEnded)]
    goodbye = ("satisfied", 0)
    assert ends == [*[("failed", 0)] * (not is_alone), ("satisfied", 1), goodbye]
    kinds = [type(entry).__name__ for entry in run.journal]
    after = kinds.index("Message") + 1
    assert kinds[after : after + len(ends) - 1] == ["WaitEnded"] * (len(ends) - 1)


def test_a_condition_that_becomes_true_behind_the_message_that_resumed_is_seen(peer: Any, play_with: Play) -> None:
    @scenario
    async def hearing(desk: Desk) -> bool:
        heard: list[Any] = []
        peer.say("alarm", level=3)
        await desk.expect("alarm")
        waiting = desk.until(lambda: heard)
        heard.append(1)
        await waiting  # no message comes any more
        return True

    assert play_with(hearing).value


@pytest.mark.parametrize("error", [TypeError("bad type"), KeyError("workitem")])
def test_what_a_handler_raises_fails_the_run_as_what_it_is(peer: Any, play_with: Play, error: Exception) -> None:
    class Clumsy(Actor):
        line = Link("{peer}", dialect=DIALECT)

        @on("news")
        def drop_it(self, message: Message) -> None:
            raise error

    @scenario
    async def handled(clumsy: Clumsy) -> None:
        peer.say("news")
        await wait(1000)

    with pytest.raises(HandlerFailed, match="the handler drop_it of news raised") as failed:
        play_with(handled)
    assert failed.value.__cause__ is error
    assert "test_waiting.py" in str(failed.value)
    assert failed.value.run.verdict == "error"


def test_a_field_that_is_not_there_is_named(peer: Any, play_with: Play) -> None:
    @scenario
    async def careless(desk: Desk) -> None:
        peer.say("news", id=1)
        (await desk.expect("news"))["identifier"]

    with pytest.raises(KeyError, match="news has no field 'identifier'"):
        play_with(careless)


def test_an_async_handler_goes_on_beside_the_reading(peer: Any, play_with: Play) -> None:
    class Slow(Actor):
        line = Link("{peer}", dialect=DIALECT)

        @on("order")
        async def handle(self, message: Message) -> Any:
            await self.expect("confirmation")
            return {"done": message["n"]}

    peer.on_request["resultOrder"] = lambda _: peer.say("thanks")

    @scenario
    async def serve(slow: Slow) -> None:
        peer.say("order", n=1)
        peer.say("confirmation")
        await slow.expect("thanks")

    play_with(serve)
    assert peer.heard == [("resultOrder", {"done": 1})]


def test_a_quiet_peer_does_not_delay_the_end(peer: Any, play_with: Play) -> None:
    @scenario
    async def nothing(desk: Desk) -> None:
        await desk.ask("hello")

    peer.on_request["hello"] = lambda _: peer.say("resultHello")
    run = play_with(nothing)
    assert run.verdict == "passed"
    assert [ending.code for ending in peer.endings] == [1000]


def test_a_blocking_function_in_call_does_not_stop_heartbeats(peer: Any, play_with: Play) -> None:
    answered = threading.Event()
    peer.on_request["pong"] = lambda _: answered.set()

    def block_until_answered() -> bool:
        return answered.wait(timeout=10)

    @scenario
    async def busy(desk: Desk) -> Any:
        peer.say("ping", seq=1)
        return await call(block_until_answered)

    assert play_with(busy).value is True


def test_a_wait_does_not_stop_heartbeats(peer: Any, play_with: Play) -> None:
    async def ping() -> None:
        peer.say("ping", seq=5)

    @scenario
    def resting(desk: Desk) -> Any:
        return [together(wait(0.05), call(ping))]

    play_with(resting)
    assert peer.heard == [("pong", {"seq": 5})]


def test_reconnecting_does_not_hide_the_close(peer: Any, play_with: Play) -> None:
    peer.on_request["drop"] = lambda _: peer.close(1012, "restart")

    @scenario
    async def come_back(desk: Desk) -> Any:
        waiting = desk.expect("news", within_s=1000)
        desk.send("drop")
        with pytest.raises(ChannelClosed, match="1012"):
            await waiting
        await desk.channel.reconnect()
        peer.say("news", n=2)
        return (await desk.expect("news"))["n"]

    run = play_with(come_back)
    assert run.value == 2
    told = [entry.code for entry in run.journal if isinstance(entry, ChannelEnded)]
    assert told == [1012, 1000]
    assert sum(isinstance(entry, ChannelOpened) for entry in run.journal) == 2


def test_a_break_without_a_goodbye_is_told(peer: Any, play_with: Play) -> None:
    peer.on_request["work"] = lambda _: peer.abort()

    @scenario
    async def broken(desk: Desk) -> None:
        await desk.ask("work", within_s=1000)

    with pytest.raises(ChannelClosed, match="lost without a close frame"):
        play_with(broken)


def test_a_full_mailbox_drops_the_oldest_and_says_so(peer: Any, play_with: Play) -> None:
    class Small(Actor):
        line = Link("{peer}", dialect=DIALECT, mailbox_limit=2)

    @scenario
    async def flood(small: Small) -> Any:
        for number in range(5):
            peer.say("news", n=number)
        await small.until(lambda: small.channel.mailbox.received == 5)
        return [message["n"] for message in small.drain("news")], small.channel.mailbox.dropped

    assert play_with(flood).value == ([3, 4], 3)


@pytest.mark.parametrize(
    ("bounds", "told"),
    [({"mailbox_limit": 2}, "2"), ({"mailbox_bytes": 100}, "100 bytes"), ({"mailbox_limit": 0}, "0")],
)
def test_what_falls_out_is_told_with_the_limit_that_was_crossed(
    peer: Any, play_with: Play, bounds: dict[str, int], told: str
) -> None:
    class Small(Actor):
        line = Link("{peer}", dialect=DIALECT, **bounds)

    @scenario
    async def flood(small: Small) -> None:
        for _ in range(9):
            peer.say("news", text="x" * 20)
        await small.until(lambda: small.channel.mailbox.received == 9)

    entries = play_with(flood).journal
    crossed = {entry.crossed for entry in entries if isinstance(entry, Dropped)}
    assert crossed == {told}


def test_handled_messages_stay_in_the_mailbox(peer: Any, play_with: Play) -> None:
    @scenario
    async def both(desk: Desk) -> Any:
        peer.say("ping", seq=8)
        return (await desk.expect("ping"))["seq"]

    run = play_with(both)
    assert run.value == 8
    assert [entry.handler for entry in run.journal if isinstance(entry, Handled)] == ["answer_ping"]


def test_what_is_not_a_wait_cannot_be_the_first(peer: Any, play_with: Play) -> None:
    @scenario
    async def wrong(desk: Desk) -> None:
        await first_of(asyncio.sleep(0))  # type: ignore[arg-type]

    with pytest.raises(ScenarioError, match="is no wait"):
        play_with(wrong)


def test_what_a_failure_says_keeps_the_secrets(peer: Any, play_with: Play) -> None:
    @scenario
    async def told(desk: Desk) -> None:
        peer.say("news", token="tok-1234567890-secret", state="bad")
        await desk.expect("news", check={"state": "good", "token": "another-secret-token"})

    with pytest.raises(CheckFailed, match="state is 'bad', wanted 'good'") as failed:
        play_with(told)
    assert "tok-1234567890-secret" not in str(failed.value)
    assert failed.value.explanation.culprit["token"] == "tok-1234567890-secret"


def test_what_was_seen_is_not_given_back(peer: Any, play_with: Play) -> None:
    @scenario
    async def seen(desk: Desk) -> list[int]:
        peer.say("news", n=1)
        peer.say("late", n=2)
        late = desk.expect("late")
        await late
        news = desk.expect("news")
        await first_of(news, late)
        return [message["n"] for message in desk.drain()]

    assert play_with(seen).value == []


def test_replies_that_were_seen_together_are_not_iterated_again(peer: Any, play_with: Play) -> None:
    peer.on_request["take"] = lambda _body: peer.say("resultTake", result="success")

    @scenario
    async def taking(desk: Desk) -> int:
        exchange = desk.ask("take")
        await all_of(exchange)
        return len([reply async for reply in exchange])

    assert play_with(taking).value == 0
