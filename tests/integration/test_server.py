"""Actors that answer: the server side in the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from antiphon import (
    ANY,
    DEFERRED,
    Accepted,
    Actor,
    Ending,
    ErrorReply,
    Json,
    JsonRpc,
    Link,
    Message,
    Opening,
    RejectConnection,
    RequestRefused,
    Run,
    ScenarioError,
    Server,
    Stand,
    UpgradeRefused,
    action,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Counter(Actor):
    """Counts, and says so."""

    line = Accepted(dialect=DIALECT)

    def __init__(self, log: list[Any]) -> None:
        self.count = 0
        self.log = log

    @on.opened
    def greet(self) -> None:
        self.send("welcome", count=self.count)

    @on("add")
    def add(self, request: Message) -> dict[str, Any]:
        if not isinstance(request["n"], int):
            raise ErrorReply("type", "n is a number", field="n")
        self.count += request["n"]
        return {"count": self.count}

    @on("addLater")
    def add_later(self, request: Message) -> object:
        self.later(0.001, self.answer, request, {"count": -1})
        return DEFERRED

    @on("quiet")
    def say_nothing(self, message: Message) -> None:
        self.log.append(message.name)

    @on("ask back")
    async def ask_back(self, message: Message) -> dict[str, Any]:
        answer = await self.confer()
        return {"told": answer}

    @action
    async def confer(self) -> Any:
        return (await self.ask("question"))["answer"]

    @on("break")
    def fail(self, message: Message) -> None:
        raise RuntimeError("a bug of the server")

    @on(ANY)
    def unknown(self, message: Message) -> None:
        self.send("error", code="unknown", action=message.name)

    @on.unreadable
    def unreadable(self, message: Message) -> None:
        self.send("error", code="unreadable", raw=message.raw)

    @on.closed
    def gone(self, ending: Ending) -> None:
        self.log.append(ending.code)


class User(Actor):
    line = Link("memory://counter/desk", dialect=DIALECT, within_s=5)

    @on("question")
    def answer_question(self, request: Message) -> dict[str, Any]:
        return {"answer": 42}


def play(
    user_does: Callable[[Any], Awaitable[Any]],
    make: Callable[[Opening], Actor] | None = None,
    kind: type[Actor] = User,
) -> tuple[Run, Server, list[Any]]:
    log: list[Any] = []

    @scenario
    async def talk(user: kind) -> Any:  # type: ignore[valid-type]
        return await user_does(user)

    async def run() -> tuple[Run, Server, list[Any]]:
        network = MemoryNetwork()
        async with await listen("memory://counter", make or (lambda opening: Counter(log)), listener=network) as server:
            run = await perform(talk, stand=Stand("t", transports={"memory": network}), runs=None)
            return run, server, log

    return asyncio.run(run())


def test_requests_are_answered_by_what_handlers_return() -> None:
    async def talk(user: User) -> Any:
        await user.expect("welcome", check={"count": 0})
        first, second = user.ask("add", n=2), user.ask("add", n=3)
        later = await user.ask("addLater")
        return [(await first)["count"], (await second)["count"], later["count"]]

    run, server, log = play(talk)
    assert run.value == [2, 5, -1]
    assert server.failures == []
    assert log == [1000]
    assert not server.actors


def test_a_server_reads_and_answers_types_by_names_of_its_own() -> None:
    class Sum(msgspec.Struct):
        of: list[int]

    class Total(msgspec.Struct):
        total: int

    class Adder(Actor):
        line = Accepted(dialect=DIALECT, types={"add": Sum})

        @on(Sum)
        def add(self, numbers: Sum) -> Total:
            if not numbers.of:
                raise ErrorReply("empty", "there is nothing to add")
            return Total(sum(numbers.of))

    class Asking(Actor):
        line = Link("memory://counter/desk", dialect=DIALECT, types={"add": Sum}, within_s=5)

    async def talk(user: Asking) -> Any:
        with pytest.raises(RequestRefused, match="there is nothing to add"):
            await user.ask(Sum([]))
        return await user.ask(Sum([1, 2]), reply=Total)

    run, server, _ = play(talk, lambda opening: Adder(), Asking)
    assert run.value == Total(3)
    assert server.failures == []


def test_a_body_that_does_not_fit_its_handler_ends_the_connection_and_is_kept() -> None:
    class Sum(msgspec.Struct):
        of: list[int]

    class Adder(Actor):
        line = Accepted(dialect=DIALECT)

        @on(Sum)
        def add(self, numbers: Sum) -> int:
            return sum(numbers.of)

    async def talk(user: User) -> Any:
        user.send("sum", of=["x"])
        return (await user.expect_close()).code

    run, server, _ = play(talk, lambda opening: Adder())
    assert run.value == 1011
    (failure,) = server.failures
    assert "received sum, but it is no Sum\n  of[0] is 'x', wanted int" in str(failure)


def test_a_refusal_is_the_dialects_failure() -> None:
    async def talk(user: User) -> Any:
        with pytest.raises(RequestRefused, match="n is a number") as refused:
            await user.ask("add", n="x")
        return refused.value.message.body

    run, server, _ = play(talk)
    assert run.value == {"result": "error", "code": "type", "message": "n is a number", "field": "n"}
    assert server.failures == []


def test_unknown_and_unreadable_have_their_handlers() -> None:
    async def talk(user: User) -> Any:
        user.send("nonsense")
        user.send("quiet")
        first = await user.expect("error")
        user.channel.send_data("no json")
        return first["action"], (await user.expect("error"))["raw"]

    run, server, log = play(talk)
    assert run.value == ("nonsense", "no json")
    assert log[0] == "quiet"
    assert server.failures == []


def test_a_server_asks_too() -> None:
    async def talk(user: User) -> Any:
        return (await user.ask("ask back"))["told"]

    run, server, _ = play(talk)
    assert run.value == 42
    assert server.failures == []


def test_a_failing_handler_ends_its_connection_and_is_kept() -> None:
    async def talk(user: User) -> Any:
        user.send("break")
        return (await user.expect_close()).code

    run, server, _ = play(talk)
    assert run.value == 1011
    assert "a bug of the server" in str(server.failures[0])


def test_accept_sees_the_opening_and_may_refuse() -> None:
    def make(opening: Opening) -> Actor:
        assert opening.path == "/desk"
        if opening.headers.get("Cookie") != "session=1":
            raise RejectConnection(401, "who are you")
        return Counter([])

    class Guest(Actor):
        line = Link("memory://counter/desk", dialect=DIALECT, opens="manually")

    async def talk(guest: Guest) -> Any:
        guest.line.headers["Cookie"] = "session=0"
        refusal = await guest.line.expect_refusal(401)
        guest.line.headers["cookie"] = "session=1"  # the same header
        await guest.line.open()
        await guest.expect("welcome")
        return refusal.status, refusal.body

    run, _, _ = play(talk, make, Guest)
    assert run.value == (401, b"who are you")


def test_a_refusal_nobody_expects_is_no_connection() -> None:
    def make(opening: Opening) -> Actor:
        raise RejectConnection(403, "no")

    async def talk(user: User) -> None: ...

    with pytest.raises(UpgradeRefused, match="403"):
        play(talk, make)


class RpcServer(Actor):
    line = Accepted(dialect=JsonRpc())

    @on("sum")
    def sum(self, request: Message) -> Any:
        return sum(request.body)

    @on("nothing")
    def nothing(self, request: Message) -> None:
        """A JSON-RPC request is answered even with nothing."""


class RpcClient(Actor):
    line = Link("memory://counter", dialect=JsonRpc(), within_s=5)


def test_the_same_with_json_rpc_and_a_batch() -> None:
    async def talk(client: RpcClient) -> Any:
        with client.channel.batch():
            first, second = client.ask("sum", [1, 2]), client.ask("sum", [3, 4])
        nothing = await client.ask("nothing")
        return [(await first).body, (await second).body, nothing.body]

    run, server, _ = play(talk, lambda opening: RpcServer(), RpcClient)
    assert run.value == [3, 7, None]
    assert server.failures == []


class Codeless:
    """A network whose connections cannot be closed with a code: it raises an error."""

    def __init__(self, error: Exception) -> None:
        self.network = MemoryNetwork()
        self.error = error

    async def listen(self, address: str, accept: Any) -> Any:
        def accept_codeless(opening: Opening) -> Any:
            receiver = accept(opening)
            told_opened = receiver.on_opened

            def on_opened(connection: Any) -> None:
                def close(code: int | None = None, reason: str = "") -> None:
                    if code is not None:
                        raise self.error
                    connection.close(code, reason)

                told_opened(SimpleNamespace(subprotocol="", send=connection.send, close=close, abort=connection.abort))

            receiver.on_opened = on_opened
            return receiver

        return await self.network.listen(address, accept_codeless)


@pytest.mark.parametrize("error", [ValueError("no codes"), OSError("no codes, and this is no error of ours")])
def test_a_failing_connection_that_cannot_be_closed_is_not_left_open(error: Exception) -> None:
    async def run() -> tuple[Any, Server]:
        codeless = Codeless(error)

        @scenario
        async def talk(user: User) -> Any:
            user.send("break")
            return await user.expect_close()

        async with await listen("memory://counter", lambda opening: Counter([]), listener=codeless) as server:
            run = await perform(talk, stand=Stand("t", transports={"memory": codeless.network}), runs=None)
            return run.value, server

    ending, server = asyncio.run(run())
    assert ending.code == 1006
    assert "a bug of the server" in str(server.failures[0])
    assert "no codes" in str(server.failures[1])


def test_a_scheme_that_nobody_listens_with_is_said_with_those_that_are() -> None:
    with pytest.raises(ScenarioError) as failed:
        asyncio.run(listen("gopher://127.0.0.1:0", lambda opening: Counter([])))
    assert "no listener is registered for 'gopher://127.0.0.1:0'" in str(failed.value)
    assert "ws, ws+unix, wss" in str(failed.value)


def test_a_scheme_that_nobody_connects_with_is_said_likewise() -> None:
    class Lost(Actor):
        line = Link("gopher://127.0.0.1", dialect=DIALECT)

    @scenario
    async def talk(lost: Lost) -> None:
        lost.send("never")

    with pytest.raises(ScenarioError, match=r"no transport is registered for 'gopher://127\.0\.0\.1'"):
        asyncio.run(perform(talk, stand=Stand("t"), runs=None))
