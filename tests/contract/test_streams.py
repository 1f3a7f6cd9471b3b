"""Streams of bytes: what the contract of all transports does not ask of TCP, TLS and Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.conversation.ending import Ending
from antiphon.errors import ConnectFailed, TransportError
from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening, RejectConnection
from antiphon.transport.stream.tcp import TcpListener, TcpTransport
from antiphon.transport.stream.unix import UnixListener, UnixTransport

PATIENCE_S = 10.0


@contextlib.contextmanager
def peer(serve: Callable[[socket.socket], Any]) -> Iterator[str]:
    """A server of our own making for one connection, on a thread; its address."""
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_S)

        def work() -> None:
            try:
                connection, _ = listening.accept()
                connection.settimeout(PATIENCE_S)
                with connection:
                    serve(connection)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            thread.join(PATIENCE_S)
    assert failures == []


def meet(run: Any, serve: Callable[[socket.socket], Any], *hello: bytes) -> Hearing:
    """Connect to such a server, say hello, and hear all that it says until the end."""

    async def hear(address: str) -> Hearing:
        hearing = Hearing(*hello)
        await TcpTransport().connect(address, Opening(), hearing)
        await hearing.ended()
        return hearing

    with peer(serve) as address:
        hearing: Hearing = run(hear(address))
    assert hearing.faults == []
    return hearing


def test_what_a_peer_says_and_leaves_at_once_is_heard(run: Any) -> None:
    hearing = meet(run, lambda connection: connection.sendall(b"220 ready\r\n"))
    assert hearing.joined() == b"220 ready\r\n"
    assert hearing.ending == Ending(by="peer", is_clean=True)


def test_a_reset_is_told_from_a_goodbye(run: Any) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(5)  # a reset that came sooner could be a connect that failed
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    hearing = meet(run, reset, b"hello")
    assert hearing.ending is not None
    assert (hearing.ending.by, hearing.ending.is_clean) == ("wire", False)
    assert "reset" in hearing.ending.detail.lower()


def test_a_peer_that_hears_our_goodbye_may_have_its_say(run: Any) -> None:
    def serve(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass
        connection.sendall(b"bye")

    async def part(address: str) -> Hearing:
        hearing = Hearing()
        connection = await TcpTransport().connect(address, Opening(), hearing)
        connection.send("g\u00fc\u00dfe")
        connection.close(4000, "no wire of ours has codes")
        await hearing.ended()
        return hearing

    with peer(serve) as address:
        hearing = run(part(address))
    assert hearing.joined() == b"bye"
    assert hearing.ending == Ending(by="us", is_clean=True)


def test_a_peer_that_never_says_goodbye_is_given_up(run: Any) -> None:
    over = threading.Event()

    async def part(address: str) -> Hearing:
        hearing = Hearing()
        connection = await TcpTransport(close_within_s=0.05).connect(address, Opening(), hearing)
        connection.close()
        await hearing.ended()
        over.set()
        return hearing

    with peer(lambda connection: over.wait(PATIENCE_S)) as address:
        hearing = run(part(address))
    assert hearing.ending == Ending(by="us", detail="the other side did not close within 0.05 s")


def test_text_that_no_wire_can_carry_is_an_error(run: Any) -> None:
    async def say(address: str) -> None:
        hearing = Hearing()
        connection = await TcpTransport().connect(address, Opening(), hearing)
        with pytest.raises(TransportError, match="surrogate at index 2"):
            connection.send("ab\ud800")
        connection.close()
        await hearing.ended()

    with peer(lambda connection: connection.recv(1)) as address:
        run(say(address))


def test_a_receiver_that_raises_ends_its_connection(run: Any) -> None:
    class Faulty(Hearing):
        def on_data(self, data: Any) -> None:
            raise RuntimeError("a bug")

    async def talk() -> tuple[Ending, Ending]:
        faulty, client = Faulty(), Hearing("hello")
        listening = await TcpListener().listen("tcp://127.0.0.1:0", lambda opening: faulty)
        await TcpTransport().connect(listening.address, Opening(), client)
        ends = await faulty.ended(), await client.ended()
        await listening.close()
        return ends

    ours, theirs = run(talk(), expected="the receiver raised RuntimeError in on_data")
    assert (ours.by, ours.detail) == ("us", "the receiver raised RuntimeError in on_data")
    assert theirs.by == "peer"


@pytest.mark.parametrize("error", [RejectConnection(403), RuntimeError("a bug")])
def test_who_is_not_let_in_hears_the_wire_break(error: Exception, run: Any) -> None:
    def accept(opening: Opening) -> Hearing:
        raise error

    async def knock() -> Ending:
        client = Hearing()
        listening = await TcpListener().listen("tcp://127.0.0.1:0", accept)
        await TcpTransport().connect(listening.address, Opening(), client)
        ending = await client.ended()
        await listening.close()
        return ending

    wrong = None if isinstance(error, RejectConnection) else "the accept function of a stream listener failed"
    assert run(knock(), expected=wrong).by == "wire"


def failed(transport: Any, address: str, opening: Opening | None = None) -> ConnectFailed:
    """How connecting there fails."""
    with pytest.raises(ConnectFailed) as failure:
        asyncio.run(transport.connect(address, opening or Opening(), Hearing()))
    assert failure.value.place == address
    assert failure.value.hint
    return failure.value


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("tcp://127.0.0.1", "the port is missing"),
        ("tcp://:7", "the host is missing"),
        ("tcp://127.0.0.1:seven", "the port is none"),
        ("tcp://127.0.0.1:65536", "the port is none"),
        ("tcp://127.0.0.1:0", "port 0 is for listening"),
        ("tcp://127.0.0.1:7/path", "a host and a port, and nothing else"),
        ("ws://127.0.0.1:7", "ws is no scheme of TCP"),
        ("tcp://no-such-host.invalid:7", "the name no-such-host.invalid does not resolve"),
    ],
)
def test_an_address_that_leads_nowhere(address: str, text: str) -> None:
    assert text in failed(TcpTransport(), address).text


def test_headers_have_no_place_in_a_stream() -> None:
    assert "no headers" in failed(TcpTransport(), "tcp://127.0.0.1:7", Opening(headers={"X-Who": "me"})).text


def test_a_certificate_that_does_not_fit(server_tls: ssl.SSLContext, run: Any) -> None:
    async def connect() -> None:
        listening = await TcpListener().listen("tcps://127.0.0.1:0", lambda opening: Hearing(), tls=server_tls)
        try:
            await TcpTransport().connect(listening.address, Opening(), Hearing())
        finally:
            await listening.close()

    with pytest.raises(ConnectFailed, match=r"the certificate of 127\.0\.0\.1 is not accepted") as failure:
        run(connect())
    assert "Link(…, tls=…)" in (failure.value.hint or "")


def test_a_server_that_speaks_no_tls() -> None:
    with peer(lambda connection: connection.sendall(b"220 ready\r\n")) as address:
        failure = failed(TcpTransport(), address.replace("tcp:", "tcps:"))
    assert "does not speak TLS" in failure.text
    assert failure.hint == "say tcp:// instead of tcps://"


@pytest.mark.parametrize(
    ("address", "options", "text"),
    [
        ("tcp://127.0.0.1", {}, "the port is missing"),
        ("tcps://127.0.0.1:0", {}, "a tcps:// address needs tls="),
        ("tcp://no-such-host.invalid:0", {}, "does not resolve"),
    ],
)
def test_an_address_that_cannot_be_listened_at(address: str, options: Any, text: str) -> None:
    with pytest.raises(TransportError, match=text):
        asyncio.run(TcpListener().listen(address, lambda opening: Hearing(), **options))


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(TransportError, match="is taken"):
            asyncio.run(TcpListener().listen(address, lambda opening: Hearing()))


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    transport, file, left = UnixTransport(), tmp_path / "file", tmp_path / "left"
    file.touch()
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    assert "there is no" in failed(transport, f"unix://{tmp_path}/none").text
    assert "is no socket" in failed(transport, f"unix://{file}").text
    assert "no server is listening on" in failed(transport, f"unix://{left}").text
    assert "no address of a Unix socket" in failed(transport, "unix://relative/path").text


def test_a_path_that_is_taken_and_one_that_is_given_back(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/s"

    async def listen_twice() -> None:
        listening = await UnixListener().listen(address, lambda opening: Hearing())
        with pytest.raises(TransportError, match="there is a file already"):
            await UnixListener().listen(address, lambda opening: Hearing())
        await listening.close()

    asyncio.run(listen_twice())
    assert not (tmp_path / "s").exists()
