"""GraphQL over WebSocket, an actor at either end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from club import become

from antiphon import (
    ANY,
    DEFERRED,
    Accepted,
    Actor,
    Backoff,
    ChannelClosed,
    ConnectFailed,
    DialectError,
    Ending,
    ErrorReply,
    ExpectationFailed,
    GraphqlWs,
    Link,
    Message,
    RequestRefused,
    Run,
    Server,
    Stand,
    Text,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.graphql_codec import SUBPROTOCOL

SECRET = "looking-glass-7"


class Ticker(Actor):
    """Answers operations, for those who know the word."""

    line = Accepted(dialect=GraphqlWs(admit=lambda payload: payload == {"authorization": f"Bearer {SECRET}"}))

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stopped: list[str] = []

    @on("subscribe")
    def operate(self, request: Message) -> Any:
        self.asked.append(request["query"])
        match request["query"]:
            case "subscription { ticks }":
                return self.tick(request)
            case "{ hello }":
                return {"data": {"hello": request["variables"]["name"]}}
            case _:
                raise ErrorReply("VALIDATION", "no such field", path=["x"])

    async def tick(self, request: Message) -> AsyncIterator[dict[str, Any]]:
        try:
            for number in range(1, 4):
                yield {"data": {"ticks": number}}
            if request.get("variables"):
                await self.expect("never")
        finally:
            self.stopped.append(str(request.asks))


class Fan(Actor):
    line = WebSocket("{ticker}", dialect=GraphqlWs({"authorization": "Bearer {user.password}"}), within_s=10)


class Loyal(Actor):
    line = WebSocket(
        "{ticker}",
        dialect=GraphqlWs({"authorization": "Bearer {user.password}"}, resubscribes=True),
        within_s=10,
        reopens=Backoff(first_s=0.01),
    )


class Cutting(Ticker):
    """Cuts the wire when it is asked to."""

    @on("subscribe")
    def operate(self, request: Message) -> Any:
        if request["query"] == "{ cut }":
            self.line.abort()
            return DEFERRED
        return super().operate(request)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[..., tuple[Run, Server]]:
    """Performs a scenario with a ticker, over WebSocket."""

    def play(scene: Any, kind: type[Actor] = Ticker, password: str = SECRET, **options: Any) -> tuple[Run, Server]:
        async def main() -> tuple[Run, Server]:
            async with await listen("ws://127.0.0.1:0", lambda _: kind(), subprotocols=[SUBPROTOCOL]) as server:
                users = [{"name": "alice", "password": password}]
                stand = Stand("t", {"ticker": server.address}, users=users)
                return await perform(scene, stand=stand, **{"runs": None, **options}), server

        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main())

    return play


def test_a_subscription_goes_on_on_the_next_connection(play: Any) -> None:
    @scenario
    async def watch(fan: Loyal) -> list[int]:
        ticks: list[int] = []
        async for message in fan.ask("subscribe", query="subscription { ticks }", variables={"wait": True}):
            ticks.append(message["data"]["ticks"])
            if len(ticks) == 3:
                with pytest.raises(ChannelClosed):
                    await fan.ask("subscribe", query="{ cut }")
            if len(ticks) == 6:
                break
        return ticks

    run, _ = play(watch, Cutting)
    assert run.value == [1, 2, 3, 1, 2, 3]


def test_a_subscription_that_was_left_meanwhile_is_not_said_again(play: Any) -> None:
    @scenario
    async def watch(fan: Loyal) -> None:
        ticks = fan.ask("subscribe", query="subscription { ticks }", variables={"wait": True})
        with pytest.raises(ChannelClosed):
            await fan.ask("subscribe", query="{ cut }")
        ticks.cancel()
        await fan.line.reopened()
        fan.line.ignore("next")
        await fan.ask("subscribe", query="{ hello }", variables={"name": "alice"})

    asked: list[str] = []

    class Counting(Cutting):
        @on("subscribe")
        def operate(self, request: Message) -> Any:
            asked.append(request["query"])
            return super().operate(request)

    play(watch, Counting)
    assert asked == ["subscription { ticks }", "{ cut }", "{ hello }"]


def test_queries_and_subscriptions(play: Any) -> None:
    @scenario
    async def watch(fan: Fan) -> Any:
        ticks = fan.ask("subscribe", query="subscription { ticks }")
        hello = await fan.ask("subscribe", query="{ hello }", variables={"name": "alice"})
        seen = [(message.name, message.body) async for message in ticks]
        with pytest.raises(RequestRefused) as refused:
            await fan.ask("subscribe", query="{ nothing }")
        return hello.body, seen, refused.value.message.body

    run, server = play(watch)
    hello, seen, errors = run.value
    assert hello == {"data": {"hello": "alice"}}
    assert seen == [*(("next", {"data": {"ticks": number}}) for number in (1, 2, 3)), ("complete", None)]
    assert errors == [{"message": "no such field", "extensions": {"code": "VALIDATION"}, "path": ["x"]}]
    assert not server.failures


@pytest.mark.parametrize("in_a_word", [False, True])
def test_a_subscription_that_is_left_stops(play: Any, in_a_word: bool) -> None:
    tickers: list[Ticker] = []

    class Kept(Ticker):
        def __init__(self) -> None:
            super().__init__()
            tickers.append(self)

    @scenario(strict=True)
    async def watch(fan: Fan) -> int:
        ticks = fan.ask("subscribe", query="subscription { ticks }", variables={"for": "ever"})
        if in_a_word:
            async with ticks as replies:
                await anext(aiter(replies))
        else:
            async for message in ticks:
                if message["data"]["ticks"] == 3:
                    break
        await become(lambda: tickers[0].stopped)
        return len(tickers[0].asked)

    run, server = play(watch, Kept)
    assert run.value == 1
    assert tickers[0].stopped == ["1"]
    assert not server.failures
    (told,) = [entry for entry in run.journal if isinstance(entry, Message) and entry.name == "complete"]
    assert told.is_sent
    assert told.is_protocol


def test_a_login_that_is_refused(play: Any) -> None:
    @scenario
    async def enter(fan: Patient) -> Any:
        refused = await fan.line.expect_refusal(4403)
        with pytest.raises(ConnectFailed, match="the server closed the connection with code 4403 'Forbidden'"):
            await fan.line.open()
        with pytest.raises(ExpectationFailed, match="was refused with 4403, wanted 4401"):
            await fan.line.expect_refusal(4401)
        return refused.code

    run, server = play(enter, password="wrong-word-1")
    assert run.value == 4403
    assert not server.failures


class Patient(Fan):
    line = WebSocket("{ticker}", dialect=GraphqlWs({"authorization": "{user.password}"}), opens="manually", within_s=10)


class Hasty(Actor):
    """Asks before it has said who it is, or says what is none of the protocol."""

    line = Link("{ticker}", dialect=Text(), subprotocols=[SUBPROTOCOL], within_s=10)


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ('{"type": "subscribe", "id": "1", "payload": {"query": "x"}}', 4401, "Unauthorized"),
        ('{"type": "hello"}', 4400, "Invalid message received"),
        ('{"type": "connection_init"}', 4403, "Forbidden"),
    ],
)
def test_a_server_closes_with_the_protocols_codes(play: Any, said: str, code: int, reason: str) -> None:
    @scenario
    async def rush(hasty: Hasty) -> Any:
        hasty.line.send("text", said)
        return await hasty.expect_close(code)

    run, _ = play(rush)
    assert (run.value.reason, run.value.by) == (reason, "peer")


def test_a_server_that_says_nonsense_is_left(play: Any) -> None:
    endings: list[Ending] = []

    class Liar(Actor):
        line = Accepted(dialect=Text())

        @on(ANY)
        def lie(self, _message: Message) -> None:
            self.line.send("text", "nonsense")

        @on.closed
        def note(self, ending: Ending) -> None:
            endings.append(ending)

    @scenario
    async def enter(fan: Fan) -> None:
        await fan.expect_close()

    with pytest.raises(DialectError, match="not JSON"):
        play(enter, Liar)
    assert [(ending.code, ending.reason) for ending in endings] == [(4400, "Invalid message received")]


def test_tokens_are_written_nowhere(play: Any, tmp_path: Path) -> None:
    class Bearer(Fan):
        line = WebSocket("{ticker}", dialect=GraphqlWs({"token": "{word}", "x": {"password": "k-987654321"}}))

        def __init__(self) -> None:
            self.word = "tok-123456789"

    class Open(Ticker):
        line = Accepted(dialect=GraphqlWs())

    @scenario
    async def watch(fan: Bearer) -> None:
        await fan.ask("subscribe", query="{ hello }", variables={"name": "alice"})

    run, _ = play(watch, Open, runs=tmp_path)
    written = b"".join(path.read_bytes() for path in run.directory.rglob("*") if path.is_file())
    assert b"connection_init" in written
    assert b"tok-123456789" not in written
    assert b"k-987654321" not in written
