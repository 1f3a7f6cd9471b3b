"""Every built-in transport keeps the contract, and a transport that breaks it is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.testing.transport_check import Check
from antiphon.testing.transports import CHECKS, Wires, name_of
from antiphon.transport.grpc.client import GrpcTransport
from antiphon.transport.grpc.listener import GrpcListener
from antiphon.transport.http_stream import HttpStream
from antiphon.transport.http_stream_listener import HttpStreamListener
from antiphon.transport.interface import Accept, Connection, Opening, Receiver
from antiphon.transport.memory import MemoryNetwork
from antiphon.transport.stream.stdio import StdioTransport
from antiphon.transport.stream.tcp import TcpListener, TcpTransport
from antiphon.transport.stream.unix import UnixListener, UnixTransport
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

BY_NAME = {check.__name__: check for check in CHECKS}
HTTP = dict.fromkeys(
    (
        *("has_frames", "has_text", "has_codes", "has_subprotocols"),
        *("has_resets", "has_half_close", "has_finish"),
    ),
    False,
)
GRPC = dict.fromkeys(
    (
        *("has_text", "has_codes", "has_paths", "has_refusals", "has_subprotocols"),
        *("has_half_close", "has_finish"),  # a server's status ends both directions
    ),
    False,
)
STREAMS = {"tcp", "tcps", "unix"}

WIRES = ["memory", "ws", "ws compressed", "wss", "ws+unix", "wss+unix", "tcp", "tcps", "unix", "http", "grpc"]

MakeWires = Callable[..., Wires]


@pytest.fixture(params=WIRES)
def make_wires(request: pytest.FixtureRequest) -> MakeWires:
    """Makes one of the built-in transports; its sides wait `close_within_s` for a goodbye."""

    def make(*, close_within_s: float = 1.0) -> Wires:
        if request.param == "memory":
            network = MemoryNetwork(close_within_s=close_within_s)
            return Wires(network, network, "memory://contract")
        options: dict[str, Any] = {"close_within_s": close_within_s}
        if request.param == "grpc":
            address = "grpc://127.0.0.1:0/kit.Kit/Talk"
            return Wires(GrpcListener(), GrpcTransport(**options), address, options=options, **GRPC)
        if request.param == "http":
            return Wires(
                HttpStreamListener(), HttpStream(says="POST", **options), "http://127.0.0.1:0", options=options, **HTTP
            )
        if request.param in STREAMS:
            return _streams(request, options)
        if request.param == "wss":
            transport = WebSocketTransport(tls=request.getfixturevalue("client_tls"), **options)
            options["tls"] = request.getfixturevalue("server_tls")
            return Wires(WebSocketListener(), transport, "wss://127.0.0.1:0", options=options, has_finish=False)
        if request.param.endswith("+unix"):
            return _websockets_over_unix(request, options)
        transport = WebSocketTransport(compression=request.param == "ws compressed", **options)
        return Wires(WebSocketListener(), transport, "ws://127.0.0.1:0", options=options, has_finish=False)

    return make


def _websockets_over_unix(request: pytest.FixtureRequest, options: dict[str, Any]) -> Wires:
    address = f"{request.param}://{request.getfixturevalue('tmp_path') / 's'}"
    if request.param == "ws+unix":
        return Wires(WebSocketListener(), WebSocketTransport(**options), address, options=options, has_finish=False)
    transport = WebSocketTransport(tls=request.getfixturevalue("client_tls"), **options)
    options["tls"] = request.getfixturevalue("server_tls")
    return Wires(WebSocketListener(), transport, address, options=options, has_finish=False)


def _streams(request: pytest.FixtureRequest, options: dict[str, Any]) -> Wires:
    lacks = ("has_frames", "has_text", "has_codes", "has_paths", "has_headers", "has_refusals", "has_subprotocols")
    knows = dict.fromkeys(lacks, False)
    if request.param == "unix":
        path = request.getfixturevalue("tmp_path") / "s"
        transport = UnixTransport(**options)
        return Wires(UnixListener(), transport, f"unix://{path}", options=options, has_resets=False, **knows)
    if request.param == "tcp":
        return Wires(TcpListener(), TcpTransport(**options), "tcp://127.0.0.1:0", options=options, **knows)
    transport = TcpTransport(tls=request.getfixturevalue("client_tls"), **options)
    options["tls"] = request.getfixturevalue("server_tls")
    knows |= {"has_half_close": False, "has_finish": False}
    return Wires(TcpListener(), transport, "tcps://127.0.0.1:0", options=options, **knows)


@pytest.mark.parametrize("check", [check for check in CHECKS if "listener" in check.needs], ids=name_of)
def test_contract(make_wires: MakeWires, check: Check, run: Callable[[Any], None]) -> None:
    # Where no goodbye comes, the whole of the time for it passes; elsewhere a busy machine may need a second.
    wires = make_wires(close_within_s=0.1) if check.__name__.endswith("never_read") else make_wires()
    if flags := check.missing(wires):
        pytest.skip(f"this wire lacks {' and '.join(flags)}")
    run(check(wires))


@pytest.mark.parametrize("check", [check for check in CHECKS if "listener" not in check.needs], ids=name_of)
def test_a_child_process_keeps_the_contract(check: Check, run: Callable[[Any], None]) -> None:
    lacks = dict.fromkeys(("has_frames", "has_text", "has_codes"), False)
    run(check(Wires(None, StdioTransport(), peer="stdio:cat", nowhere="stdio:no-such-program-here", **lacks)))


class Spoilt:
    """A receiver between the wire and the real one, which breaks one promise."""

    def __init__(self, receiver: Receiver, flaw: str) -> None:
        self.receiver = receiver
        self.flaw = flaw
        self.held: list[Data] = []

    def on_opened(self, connection: Connection) -> None:
        if self.flaw == "data before opened":
            self.receiver.on_data("too early")
        self.receiver.on_opened(connection)

    def on_data(self, data: Data) -> None:
        if self.flaw == "no text":
            data = data if isinstance(data, bytes) else data.encode()
        if self.flaw == "pairs swapped":
            self.held.append(data)
            if len(self.held) == 2:
                second, first = self.held
                self.held = []
                self.receiver.on_data(first)
                self.receiver.on_data(second)
            return
        if self.flaw == "large data lost" and len(data) > 100_000:
            return
        self.receiver.on_data(data)

    def on_ended(self, ending: Ending) -> None:
        if self.flaw == "reason lost":
            ending = Ending(code=ending.code, by=ending.by, is_clean=ending.is_clean)
        if self.flaw == "always clean":
            ending = Ending(code=ending.code, reason=ending.reason, by=ending.by, is_clean=True)
        self.receiver.on_ended(ending)
        if self.flaw == "data after the end":
            self.receiver.on_data("too late")
        if self.flaw == "ended twice":
            self.receiver.on_ended(ending)


class SpoiltConnection:
    """A client's connection that breaks one promise."""

    subprotocol = ""

    def __init__(self, connection: Connection, flaw: str) -> None:
        self.connection = connection
        self.flaw = flaw
        self.send, self.abort, self.resume = connection.send, connection.abort, connection.resume

    @property
    def unsent_bytes(self) -> int:
        return 0 if self.flaw == "unsent bytes are not told" else self.connection.unsent_bytes

    async def drained(self) -> None:
        if self.flaw != "drained returns at once":
            await self.connection.drained()

    def pause(self) -> None:
        if self.flaw != "pause does nothing":
            self.connection.pause()

    def close(self, code: int | None = None, reason: str = "") -> None:
        if self.flaw == "a close throws away what is unsent" and self.unsent_bytes:
            self.connection.abort()
        else:
            self.connection.close(code, reason)


class Wrapping:
    """A receiver between the wire and the real one, which gets a `SpoiltConnection`."""

    def __init__(self, receiver: Receiver, flaw: str) -> None:
        self.flaw = flaw
        self.receiver = receiver
        self.on_data = receiver.on_data

    def on_opened(self, connection: Connection) -> None:
        self.connection = SpoiltConnection(connection, self.flaw)
        self.receiver.on_opened(self.connection)

    def on_ended(self, ending: Ending) -> None:
        if self.flaw == "what is thrown away is not counted":
            ending = Ending(code=ending.code, by=ending.by)
        self.receiver.on_ended(ending)


FLAWS_OF_CONNECTIONS = {
    "unsent bytes are not told": BY_NAME["check_paused_server"],
    "drained returns at once": BY_NAME["check_paused_server"],
    "pause does nothing": BY_NAME["check_paused_client"],
    "a close throws away what is unsent": BY_NAME["check_close_behind_unsent_data"],
    "what is thrown away is not counted": BY_NAME["check_close_that_is_never_read"],
}


class SpoiltNetwork(MemoryNetwork):
    """A memory network whose clients hear it through a `Spoilt` receiver."""

    def __init__(self, flaw: str) -> None:
        super().__init__()
        self.flaw = flaw

    async def listen(self, address: str, accept: Accept, **options: Any) -> Any:
        if self.flaw == "path lost":
            return await super().listen(address, lambda opening: accept(Opening(headers=opening.headers)), **options)
        return await super().listen(address, accept, **options)

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> Any:
        if self.flaw in FLAWS_OF_CONNECTIONS:
            wrapping = Wrapping(receiver, self.flaw)
            await super().connect(address, opening, wrapping)
            return wrapping.connection
        connecting = super().connect(address, opening, Spoilt(receiver, self.flaw))
        if self.flaw == "cancelling leaves it open":
            return await asyncio.shield(asyncio.ensure_future(connecting))
        return await connecting


@pytest.mark.parametrize(
    ("flaw", "found_by"),
    [
        ("pairs swapped", BY_NAME["check_order"]),
        ("no text", BY_NAME["check_text_and_binary"]),
        ("data before opened", BY_NAME["check_data_with_the_opening"]),
        ("large data lost", BY_NAME["check_large_data"]),
        ("reason lost", BY_NAME["check_closed_by_server"]),
        ("always clean", BY_NAME["check_aborted_by_server"]),
        ("data after the end", BY_NAME["check_nothing_after_the_end"]),
        ("ended twice", BY_NAME["check_closed_by_client"]),
        ("path lost", BY_NAME["check_path"]),
        ("cancelling leaves it open", BY_NAME["check_cancelled_connect"]),
        *FLAWS_OF_CONNECTIONS.items(),
    ],
)
def test_a_broken_transport_is_found_out(flaw: str, found_by: Check) -> None:
    network = SpoiltNetwork(flaw)
    with pytest.raises(AssertionError, match=r"contract|not within"):
        asyncio.run(found_by(Wires(network, network, "memory://contract", within_s=0.3)))


def test_what_a_wire_lacks_is_said() -> None:
    network = MemoryNetwork()
    wires = Wires(network, network, "memory://contract", has_text=False, has_resets=False)
    assert BY_NAME["check_text_and_binary"].missing(wires) == ("has_text",)
    assert BY_NAME["check_aborted_by_server"].missing(wires) == ("has_resets",)
    assert BY_NAME["check_order"].missing(wires) == ()
    assert BY_NAME["check_echo"].missing(wires) == ("peer",)
    assert BY_NAME["check_order"].missing(Wires(None, network)) == ("listener",)


def test_a_failure_names_the_side() -> None:
    network = SpoiltNetwork("always clean")
    with pytest.raises(AssertionError, match="an abort is no clean end for the client: Ending"):
        asyncio.run(BY_NAME["check_aborted_by_server"](Wires(network, network, "memory://contract", within_s=0.3)))
