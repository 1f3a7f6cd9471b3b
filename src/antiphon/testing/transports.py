"""What every transport must do, as checks to run on one's own: `async` functions that raise AssertionError.

    @pytest.mark.parametrize("check", transports.CHECKS, ids=transports.name_of)
    def test_contract(check):
        asyncio.run(check(Wires(MyListener(), MyTransport(), "my://127.0.0.1:0")))

A `Wires` says what is checked and what it can do; a check that asks for more than that passes without doing anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.errors import ConnectFailed, UpgradeRefused
from antiphon.transport.interface import Connection, Listener, Listening, Opening, Receiver, RejectConnection, Transport

__all__ = ["CHECKS", "Hearing", "Wires", "name_of"]


class Wires(msgspec.Struct, eq=False):
    """A listener and the transport that connects to it.

    `address` is where to listen, with port 0 where there are ports; `options` go to `listen`. The flags say what the
    wire knows: `has_frames` each send arrives as one piece of data; `has_text` text stays text; `has_codes` close codes
    and reasons travel; `has_openings` headers, path and refusals do; `has_subprotocols` `listen` takes `subprotocols`.
    `within_s` bounds each check.
    """

    listener: Listener
    transport: Transport
    address: str
    options: Mapping[str, Any] = {}
    has_frames: bool = True
    has_text: bool = True
    has_codes: bool = True
    has_openings: bool = True
    has_subprotocols: bool = True
    within_s: float = 20.0


class Hearing:
    """A receiver that remembers what it was told. `at_opening` is sent as soon as the connection is there."""

    def __init__(self, *at_opening: Data) -> None:
        self.connection: Connection | None = None
        self.data: list[Data] = []
        self.ending: Ending | None = None
        self.faults: list[str] = []
        self._at_opening = at_opening
        self._changed = asyncio.Event()

    def on_opened(self, connection: Connection) -> None:
        if self.connection is not None:
            self.faults.append("on_opened was called twice")
        self.connection = connection
        for data in self._at_opening:
            connection.send(data)
        self._changed.set()

    def on_data(self, data: Data) -> None:
        if self.connection is None:
            self.faults.append("on_data was called before on_opened")
        if self.ending is not None:
            self.faults.append("on_data was called after on_ended")
        self.data.append(data)
        self._changed.set()

    def on_ended(self, ending: Ending) -> None:
        if self.connection is None:
            self.faults.append("on_ended was called before on_opened")
        if self.ending is not None:
            self.faults.append("on_ended was called twice")
        self.ending = ending
        self._changed.set()

    @property
    def size(self) -> int:
        """How much was heard: characters and bytes."""
        return sum(map(len, self.data))

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so; raises AssertionError if it never is."""
        try:
            while not is_so():
                self._changed.clear()
                await self._changed.wait()
        except asyncio.CancelledError:
            # The check's deadline has passed; `_bounded` turns this into an AssertionError that says what was missing.
            self.faults.append(f"waited for {what}; heard {len(self.data)} data, ending {self.ending}")
            raise

    async def ended(self) -> Ending:
        """The ending, once it is there."""
        await self.until(lambda: self.ending is not None, "the end")
        assert self.ending is not None
        return self.ending


class _Scene:
    """One listening server and whoever connected, for the length of a check."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires
        self.openings: list[Opening] = []
        self.servers: list[Hearing] = []
        self.clients: list[Hearing] = []
        self.accepts: Callable[[], Receiver] = Hearing
        self.listening: Listening | None = None

    def accept(self, opening: Opening) -> Receiver:
        self.openings.append(opening)
        receiver = self.accepts()
        if isinstance(receiver, Hearing):
            self.servers.append(receiver)
        return receiver

    @property
    def address(self) -> str:
        _expect(self.listening is not None, "the server listens")
        assert self.listening is not None
        return self.listening.address

    async def connect(self, *at_opening: Data, opening: Opening | None = None) -> Hearing:
        client = Hearing(*at_opening)
        self.clients.append(client)
        connection = await self.wires.transport.connect(self.address, opening or Opening(), client)
        _expect(client.connection is not None, "on_opened was called before connect returned")
        _expect(client.connection is connection, "on_opened was given the connection that connect returned")
        return client

    async def pair(self) -> tuple[Hearing, Hearing]:
        """A client and its server, both open."""
        count = len(self.servers)
        client = await self.connect()
        server = self.servers[count]
        await server.until(lambda: server.connection is not None, "the server's on_opened")
        return client, server

    def data(self, text: str) -> Data:
        """Text, or its bytes where the wire knows only those."""
        return text if self.wires.has_text else text.encode()

    async def expect_data(self, hearing: Hearing, expected: list[Data], what: str) -> None:
        """Wait until as much was heard as is expected, and compare."""
        size = sum(map(len, expected))
        if self.wires.has_frames:
            await hearing.until(lambda: len(hearing.data) >= len(expected), what)
            _expect(hearing.data == expected, f"{what} arrives as it was sent, in order")
        else:
            await hearing.until(lambda: hearing.size >= size, what)
            heard = b"".join(data if isinstance(data, bytes) else data.encode() for data in hearing.data)
            sent = b"".join(data if isinstance(data, bytes) else data.encode() for data in expected)
            _expect(heard == sent, f"{what} arrives as it was sent, in order")


@asynccontextmanager
async def _scene(wires: Wires, **options: Any) -> AsyncIterator[_Scene]:
    scene = _Scene(wires)
    try:
        async with asyncio.timeout(wires.within_s):
            scene.listening = await wires.listener.listen(wires.address, scene.accept, **{**wires.options, **options})
            try:
                yield scene
            finally:
                await scene.listening.close()
            for hearing in (*scene.clients, *scene.servers):
                if hearing.connection is not None:
                    await hearing.ended()
    except TimeoutError as error:
        faults = "; ".join(_faults(scene)) or "no end of it"
        raise AssertionError(f"not within {wires.within_s:g} s: {faults}") from error
    _expect(not _faults(scene), "; ".join(_faults(scene)))


def _faults(scene: _Scene) -> list[str]:
    sides = (("client", scene.clients), ("server", scene.servers))
    return [f"{side}: {fault}" for side, hearings in sides for hearing in hearings for fault in hearing.faults]


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise AssertionError(f"the transport does not keep the contract: {what}")


Check = Callable[[Wires], Awaitable[None]]


def name_of(check: Check) -> str:
    """A check's name in few words, as an id for pytest."""
    name: str = getattr(check, "__name__", repr(check))
    return name.removeprefix("check_")


def _needs(*flags: str) -> Callable[[Check], Check]:
    """A check that is skipped where the wire lacks one of these."""

    def decorate(check: Check) -> Check:
        @wraps(check)
        async def skipping(wires: Wires) -> None:
            if all(getattr(wires, flag) for flag in flags):
                await check(wires)

        return skipping

    return decorate


async def check_order(wires: Wires) -> None:
    """A thousand sends each way, both ways at once, arrive whole and in order."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        there = [scene.data(f"there {number};") for number in range(1000)]
        back = [scene.data(f"back {number};") for number in range(1000)]
        for ours, theirs in zip(there, back, strict=True):
            client.connection.send(ours)
            server.connection.send(theirs)
        await scene.expect_data(server, there, "what the client sent")
        await scene.expect_data(client, back, "what the server sent")


@_needs("has_text", "has_frames")
async def check_text_and_binary(wires: Wires) -> None:
    """Text arrives as text and binary as binary, whatever is in it, also nothing."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        data: list[Data] = ["plain", b"plain", "", b"", "gr\u00fc\u00df \U0001f600 \x00", bytes(range(256))]
        for piece in data:
            client.connection.send(piece)
            server.connection.send(piece)
        for hearing in (client, server):
            await scene.expect_data(hearing, data, "mixed data")
            _expect([type(piece) for piece in hearing.data] == [type(piece) for piece in data], "text stays text")


async def check_data_with_the_opening(wires: Wires) -> None:
    """What either side says at its opening arrives, after the other's on_opened."""
    async with _scene(wires) as scene:
        hello = [scene.data(f"hello {number};") for number in range(3)]
        scene.accepts = lambda: Hearing(*hello)
        client = await scene.connect(*hello)
        await scene.expect_data(client, hello, "what the server said first")
        await scene.expect_data(scene.servers[0], hello, "what the client said first")


async def check_large_data(wires: Wires) -> None:
    """1 MiB arrives whole, each way."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        large: Data = bytes(range(256)) * 4096
        client.connection.send(large)
        server.connection.send(large)
        await scene.expect_data(server, [large], "1 MiB from the client")
        await scene.expect_data(client, [large], "1 MiB from the server")


async def check_connections_apart(wires: Wires) -> None:
    """Several connections do not hear each other."""
    async with _scene(wires) as scene:
        pairs = [await scene.pair() for _ in range(10)]
        for number, (client, _) in enumerate(pairs):
            assert client.connection is not None
            client.connection.send(scene.data(f"from {number}"))
        for number, (_, server) in enumerate(pairs):
            await scene.expect_data(server, [scene.data(f"from {number}")], "one client's data")


async def check_closed_by_client(wires: Wires) -> None:
    """A client's goodbye is heard on both sides, with its code and reason, and behind what was sent before it."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        await _check_close(scene, client, server)


async def check_closed_by_server(wires: Wires) -> None:
    """A server's goodbye likewise."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        await _check_close(scene, server, client)


async def _check_close(scene: _Scene, closing: Hearing, closed: Hearing) -> None:
    assert closing.connection is not None
    sent = [scene.data(f"before the end {number};") for number in range(100)]
    for data in sent:
        closing.connection.send(data)
    if scene.wires.has_codes:
        closing.connection.close(4321, "enough, th\u00e4nks")
    else:
        closing.connection.close()
    ours, theirs = await closing.ended(), await closed.ended()
    await scene.expect_data(closed, sent, "what was sent before the goodbye")
    _expect(ours.by == "us", f"who closed hears by='us', not {ours.by!r}")
    _expect(theirs.by == "peer", f"who was closed hears by='peer', not {theirs.by!r}")
    _expect(ours.is_clean and theirs.is_clean, "both said goodbye: both endings are clean")
    if scene.wires.has_codes:
        for ending in (ours, theirs):
            _expect((ending.code, ending.reason) == (4321, "enough, th\u00e4nks"), f"code and reason travel: {ending}")


@_needs("has_codes")
async def check_closes_that_cannot_be_sent(wires: Wires) -> None:
    """Codes and reasons that no close frame can carry raise ValueError, and the connection goes on."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        for code, reason in ((999, ""), (1005, ""), (1006, ""), (5000, ""), (1000, "\u00e4" * 62)):
            try:
                client.connection.close(code, reason)
            except ValueError:
                continue
            _expect(False, f"close({code}, {reason!r}) raises ValueError")
        client.connection.send(scene.data("still here"))
        await scene.expect_data(server, [scene.data("still here")], "what was sent after a close that failed")


async def check_aborted_by_client(wires: Wires) -> None:
    """A client that vanishes: its server hears of an end that is not clean, and that nobody announced."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        await _check_abort(client, server)


async def check_aborted_by_server(wires: Wires) -> None:
    """A server that vanishes likewise."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        await _check_abort(server, client)


async def _check_abort(aborting: Hearing, aborted: Hearing) -> None:
    assert aborting.connection is not None
    aborting.connection.abort()
    ours, theirs = await aborting.ended(), await aborted.ended()
    _expect(not ours.is_clean and not theirs.is_clean, "an abort is no clean end")
    _expect(ours.by == "us", f"who aborted hears by='us', not {ours.by!r}")
    _expect(theirs.by == "wire", f"the other hears by='wire', not {theirs.by!r}")


async def check_nothing_after_the_end(wires: Wires) -> None:
    """After the end, sending, closing and aborting do nothing, and nothing is heard."""
    async with _scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        client.connection.close()
        client.connection.send(scene.data("after the goodbye"))
        client.connection.close()
        await client.ended()
        await server.ended()
        for connection in (client.connection, server.connection):
            connection.send(scene.data("after the end"))
            connection.close()
            connection.abort()
        for _ in range(10):
            await asyncio.sleep(0)
        _expect(not client.data and not server.data, "what is sent after the goodbye is ignored")


@_needs("has_openings")
async def check_opening(wires: Wires) -> None:
    """The server hears of the path with its query, and of the headers, whatever their case."""
    async with _scene(wires) as scene:
        assert scene.listening is not None
        address = f"{scene.address.rstrip('/')}/desk/7?shift=late"
        await wires.transport.connect(address, Opening(headers={"X-Seat": "7a"}), Hearing())
        (opening,) = scene.openings
        _expect(opening.path.endswith("/desk/7?shift=late"), f"path and query arrive: {opening.path!r}")
        _expect(opening.headers.get("x-seat") == "7a", "headers are found without regard to case")


@_needs("has_openings", "has_subprotocols")
async def check_subprotocols(wires: Wires) -> None:
    """The client's first choice that the server supports is what both sides have; none is "" on both."""
    async with _scene(wires, subprotocols=("v2", "v1")) as scene:
        for offered, agreed in ((("v3", "v1", "v2"), "v1"), (("v9",), ""), ((), "")):
            client = await scene.connect(opening=Opening(subprotocols=offered))
            server = scene.servers[-1]
            assert client.connection is not None
            assert server.connection is not None
            heard = (client.connection.subprotocol, server.connection.subprotocol)
            _expect(heard == (agreed, agreed), f"of {offered} the choice is {agreed!r}, not {heard}")
            _expect(tuple(scene.openings[-1].subprotocols) == offered, "the server hears what was offered")


@_needs("has_openings")
async def check_refusal(wires: Wires) -> None:
    """A refused opening raises UpgradeRefused with status, headers and body; the receiver hears nothing."""

    def refuse() -> Receiver:
        raise RejectConnection(403, "not you", {"X-Why": "the list"})

    async with _scene(wires) as scene:
        scene.accepts = refuse
        client = Hearing()
        try:
            await wires.transport.connect(scene.address, Opening(), client)
        except UpgradeRefused as refused:
            _expect(refused.status == 403, f"the status is 403, not {refused.status}")
            _expect(refused.headers.get("x-why") == "the list", "the refusal's headers arrive")
            _expect(refused.body == b"not you", f"the refusal's body arrives: {refused.body!r}")
            _expect(refused.place is not None, "the error says where")
        else:
            _expect(False, "a refused opening raises UpgradeRefused")
        _expect(client.connection is None and client.ending is None, "a refused receiver hears nothing")


async def check_nobody_there(wires: Wires) -> None:
    """Connecting to where nobody listens any more raises ConnectFailed with a place and a hint."""
    async with _scene(wires) as scene:
        assert scene.listening is not None
        address = scene.address
        await scene.listening.close()
        client = Hearing()
        try:
            await wires.transport.connect(address, Opening(), client)
        except ConnectFailed as failed:
            _expect(failed.place is not None and failed.hint is not None, "the error has a place and a hint")
        else:
            _expect(False, "connecting to nobody raises ConnectFailed")
        _expect(client.connection is None and client.ending is None, "its receiver hears nothing")


async def check_cancelled_connect(wires: Wires) -> None:
    """A connect that is cancelled, at whatever moment, leaves nothing open on either side."""
    async with _scene(wires) as scene:
        for turns in range(30):
            client = Hearing()
            connecting = asyncio.ensure_future(wires.transport.connect(scene.address, Opening(), client))
            for _ in range(turns):
                await asyncio.sleep(0)
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
            if isinstance(outcome, BaseException):
                _expect(isinstance(outcome, asyncio.CancelledError), f"a cancelled connect raised {outcome!r}")
            else:
                outcome.close()
            scene.clients.append(client)
        await scene.pair()  # the server has by now heard of all that came before
        for server in scene.servers[:-1]:
            if server.connection is not None:
                await server.ended()


async def check_server_closes_all(wires: Wires) -> None:
    """When the server stops, every connection ends, with code 1001 where there are codes, and nothing is left."""
    async with _scene(wires) as scene:
        assert scene.listening is not None
        pairs = [await scene.pair() for _ in range(5)]
        await scene.listening.close()
        for client, server in pairs:
            _expect(server.ending is not None, "its own side has ended when close() returns")
            ending = await client.ended()
            _expect(ending.by == "peer", f"clients hear by='peer', not {ending.by!r}")
            _expect(not wires.has_codes or ending.code == 1001, f"clients hear code 1001, not {ending.code}")


CHECKS: Final[tuple[Check, ...]] = (
    check_order,
    check_text_and_binary,
    check_data_with_the_opening,
    check_large_data,
    check_connections_apart,
    check_closed_by_client,
    check_closed_by_server,
    check_closes_that_cannot_be_sent,
    check_aborted_by_client,
    check_aborted_by_server,
    check_nothing_after_the_end,
    check_opening,
    check_subprotocols,
    check_refusal,
    check_nobody_there,
    check_cancelled_connect,
    check_server_closes_all,
)
