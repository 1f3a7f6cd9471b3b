"""The memory network, beyond what every transport must do: in which turn of the loop what arrives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.conversation.ending import Ending
from antiphon.errors import ConnectFailed, TransportError, UpgradeRefused
from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening
from antiphon.transport.memory import MemoryConnection, MemoryNetwork


class Watching(Hearing):
    """Notes, beside the data, the turn of the loop and the task in which each call came."""

    def __init__(self, *at_opening: Any) -> None:
        super().__init__(*at_opening)
        self.turn = 0
        self.turns: list[int] = []
        self.tasks: list[Any] = []
        self.counting = asyncio.get_running_loop().call_soon(self.count)

    def count(self) -> None:
        self.turn += 1
        self.counting = asyncio.get_running_loop().call_soon(self.count)

    def on_opened(self, connection: Any) -> None:
        self.tasks.append(current_task())
        super().on_opened(connection)

    def on_data(self, data: Any) -> None:
        self.turns.append(self.turn)
        self.tasks.append(current_task())
        super().on_data(data)

    def on_ended(self, ending: Ending) -> None:
        self.tasks.append(current_task())
        super().on_ended(ending)


def current_task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


async def pair(client: Hearing, server: Hearing) -> tuple[MemoryConnection, MemoryConnection]:
    network = MemoryNetwork()
    await network.listen("memory://here", lambda _opening: server)
    connection = await network.connect("memory://here", Opening(), client)
    assert isinstance(server.connection, MemoryConnection)
    return connection, server.connection


def test_everything_arrives_in_a_callback_of_the_loop_in_the_next_turn() -> None:
    async def scene() -> Watching:
        server = Watching()
        connection, _ = await pair(Hearing(), server)
        now = server.turn
        for number in range(3):
            connection.send(str(number))
        assert server.data == []
        await server.until(lambda: len(server.data) == 3, "the data")
        server.turns = [turn - now for turn in server.turns]
        connection.close()
        await server.ended()
        server.counting.cancel()
        return server

    server = asyncio.run(scene())
    assert server.data == ["0", "1", "2"]
    assert len(set(server.turns)) == 1, "several sends arrive in one callback"
    assert server.turns[0] <= 1
    assert server.tasks == [None] * len(server.tasks)


def test_a_reply_is_heard_in_a_later_callback_than_its_request() -> None:
    """Whoever replies from within on_data is not called back from within its own send."""

    async def scene() -> list[str]:
        log: list[str] = []

        class Replying(Hearing):
            def on_data(self, data: Any) -> None:
                super().on_data(data)
                log.append(f"{data} begins")
                assert self.connection is not None
                if len(data) < 3:
                    self.connection.send(data + "!")
                log.append(f"{data} ends")

        client, server = Replying(), Replying()
        connection, _ = await pair(client, server)
        connection.send("a")
        await server.until(lambda: len(server.data) == 2, "the second")
        connection.abort()
        await server.ended()
        return log

    assert asyncio.run(scene()) == [f"{data} {what}" for data in ("a", "a!", "a!!") for what in ("begins", "ends")]


def test_what_the_server_says_first_is_there_before_connect_returns() -> None:
    async def scene() -> list[Any]:
        client = Hearing()
        await pair(client, Hearing("welcome"))
        return list(client.data)

    assert asyncio.run(scene()) == ["welcome"]


def test_an_abort_loses_what_has_not_been_heard_but_not_what_was_said() -> None:
    async def scene() -> tuple[Hearing, Hearing]:
        client, server = Hearing(), Hearing()
        ours, theirs = await pair(client, server)
        theirs.send("not heard any more")
        ours.send("still said")
        ours.abort()
        await client.ended()
        await server.ended()
        return client, server

    client, server = asyncio.run(scene())
    assert (client.data, server.data) == ([], ["still said"])
    assert client.ending == Ending(code=1006, by="us")
    assert server.ending == Ending(code=1006, by="wire")


def test_both_say_goodbye_at_once() -> None:
    async def scene() -> list[Ending]:
        client, server = Hearing(), Hearing()
        ours, theirs = await pair(client, server)
        ours.close(4001, "mine")
        theirs.close(4002, "yours")
        return [await client.ended(), await server.ended()]

    assert asyncio.run(scene()) == [
        Ending(code=4001, reason="mine", by="us", is_clean=True),
        Ending(code=4002, reason="yours", by="us", is_clean=True),
    ]


def test_who_is_on_the_network() -> None:
    async def scene() -> None:
        network, other = MemoryNetwork(), MemoryNetwork()
        with pytest.raises(ConnectFailed, match="no server is listening on memory://b") as caught:
            await network.connect("memory://b/desk", Opening(), Hearing())
        assert "nobody listens on this network" in (caught.value.hint or "")
        await network.listen("memory://a", lambda _opening: Hearing())
        with pytest.raises(ConnectFailed, match="no server is listening on memory://b") as caught:
            await network.connect("memory://b", Opening(), Hearing())
        assert "memory://a" in (caught.value.hint or "")
        with pytest.raises(ConnectFailed, match="nobody listens"):
            await other.connect("memory://a", Opening(), Hearing())
        with pytest.raises(TransportError, match="already"):
            await network.listen("memory://a/other", lambda _opening: Hearing())
        for address in ("ws://a", "memory://", "a"):
            with pytest.raises(TransportError, match="no memory address"):
                await network.listen(address, lambda _opening: Hearing())

    asyncio.run(scene())


class Broken(Hearing):
    """Raises in one of its calls, after it has noted it."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def on_opened(self, connection: Any) -> None:
        super().on_opened(connection)
        self.fail("on_opened")

    def on_data(self, data: Any) -> None:
        super().on_data(data)
        self.fail("on_data")

    def on_ended(self, ending: Ending) -> None:
        super().on_ended(ending)
        self.fail("on_ended")

    def fail(self, here: str) -> None:
        if self.where == here:
            raise KeyError("x")


@pytest.mark.parametrize(("where", "heard"), [("on_opened", []), ("on_data", ["one"]), ("on_ended", ["one", "two"])])
def test_a_receiver_that_raises(where: str, heard: list[str]) -> None:
    """As with WebSocket: the loop's handler is told, the other side hears of 1011, and the end comes in any case."""
    wrong: list[str] = []

    async def scene() -> tuple[Hearing, Hearing]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context["message"]))
        client, server = Hearing(), Broken(where)
        connection, _ = await pair(client, server)
        connection.send("one")
        connection.send("two")
        if where == "on_ended":
            connection.close(1011)
        await client.ended()
        await server.ended()
        return client, server

    client, server = asyncio.run(scene())
    assert wrong == [f"the receiver raised KeyError in {where}"]
    assert server.data == heard
    assert client.ending is not None
    assert server.ending is not None
    assert (client.ending.code, server.ending.code) == (1011, 1011)
    assert server.ending.by == ("peer" if where == "on_ended" else "us")


def test_an_accept_that_raises() -> None:
    wrong: list[str] = []

    def accept(_opening: Opening) -> Hearing:
        raise KeyError("x")

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context["message"]))
        network = MemoryNetwork()
        await network.listen("memory://here", accept)
        with pytest.raises(UpgradeRefused) as caught:
            await network.connect("memory://here", Opening(), Hearing())
        assert caught.value.status == 500

    asyncio.run(scene())
    assert wrong == ["the accept function of a memory listener failed"]


def test_who_comes_has_an_address() -> None:
    async def play() -> list[str]:
        network, came = MemoryNetwork(), []

        def accept(opening: Opening) -> Hearing:
            came.append(opening.peer.address)
            return Hearing()

        listening = await network.listen("memory://desk", accept)
        for _ in range(2):
            await network.connect("memory://desk", Opening(), Hearing())
        await listening.close()
        return came

    assert asyncio.run(play()) == ["memory:1", "memory:2"]
