"""Busy event loops: nobody is blamed for what our own loop was too busy to read, and nobody waits at the door."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from antiphon.errors import TransportError
from antiphon.testing.transports import Hearing
from antiphon.transport import acceptor as open_acceptor
from antiphon.transport.http_client import HttpClient
from antiphon.transport.interface import Connection, Opening, Receiver
from antiphon.transport.timeouts import BusyTolerantTimer
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.rfc6455 import accept_value
from antiphon.transport.websocket.server import WebSocketListener

PATIENCE_S = 10.0
WITHIN_S = 0.05


@contextmanager
def in_a_thread(serve: Callable[[socket.socket], Any]) -> Iterator[int]:
    """A server for one connection, on a thread of its own, for which no event loop has to run; its port."""
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
            yield listening.getsockname()[1]
        finally:
            thread.join(PATIENCE_S)
    assert failures == []


def head_of(connection: socket.socket) -> bytes:
    """A request's head, after which nothing comes. Not octet by octet: a thread is let in for each by a loop that is
    busy, and meanwhile the client's limit runs."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(4096)
    return head


def upgrade(connection: socket.socket) -> bytes:
    """The answer to an upgrade that is read from the connection."""
    (key,) = [line[19:] for line in head_of(connection).split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: ")]
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_value(key.decode()).encode() + b"\r\n\r\n"
    )


class BlockedLoop:
    """A server that answers while the client's loop is blocked, until long after the client's limit."""

    def __init__(self, answer: Callable[[socket.socket], bytes]) -> None:
        self._answer = answer
        self._is_asked = threading.Event()
        self._is_blocked = threading.Event()
        self._is_answered = threading.Event()

    def serve(self, connection: socket.socket) -> None:
        answer = self._answer(connection)
        self._is_asked.set()
        assert self._is_blocked.wait(PATIENCE_S)
        connection.sendall(answer)
        self._is_answered.set()
        connection.recv(1000)

    def block(self) -> None:
        """Block the loop once the request is there; and until then in each turn, of which a limit has a fixed number.

        By the clock the limit could pass on a busy machine before the server's thread has had a turn.
        """
        if not self._is_asked.wait(WITHIN_S):
            asyncio.get_running_loop().call_soon(self.block)
            return
        self._is_blocked.set()
        assert self._is_answered.wait(PATIENCE_S)
        time.sleep(2 * WITHIN_S)  # to block is what this is about


def test_an_answer_over_http_that_came_while_the_loop_was_blocked(run: Any) -> None:
    def answer(connection: socket.socket) -> bytes:
        head_of(connection)
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    blocked = BlockedLoop(answer)

    async def scene(port: int) -> int:
        client = HttpClient()
        asyncio.get_running_loop().call_soon(blocked.block)
        try:
            return (await client.request("GET", f"http://127.0.0.1:{port}", headers={}, within_s=WITHIN_S)).status
        finally:
            await client.close()

    with in_a_thread(blocked.serve) as port:
        assert run(scene(port)) == 204


def test_an_upgrade_that_came_while_the_loop_was_blocked(run: Any) -> None:
    blocked = BlockedLoop(upgrade)
    hearing = Hearing()

    async def scene(port: int) -> None:
        asyncio.get_running_loop().call_soon(blocked.block)
        connection = await WebSocketTransport().connect(f"ws://127.0.0.1:{port}", Opening(within_s=WITHIN_S), hearing)
        connection.abort()
        await hearing.ended()

    with in_a_thread(blocked.serve) as port:
        run(scene(port))


def test_a_limit_is_counted_in_ticks_and_the_sockets_are_read_before_it_ends() -> None:
    class Loop:
        """Keeps what it shall call; there is no time in it, as a blocked loop's time does not count."""

        def __init__(self) -> None:
            self.next: list[tuple[float, Callable[[], None]]] = []

        def call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
            self.next.append((delay_s, callback))

        def call_soon(self, callback: Callable[[], None]) -> None:
            self.next.append((0.0, callback))

    loop, ended = Loop(), []
    BusyTolerantTimer(loop, 16.0, lambda: ended.append(True))  # type: ignore[arg-type]
    delays = []
    while loop.next:
        assert ended == []
        delay_s, callback = loop.next.pop()
        delays.append(delay_s)
        callback()

    assert ended == [True]
    assert sum(delays) == 16.0
    assert max(delays) <= 1.0
    assert delays[-2:] == [0.0, 0.0]


def test_all_who_wait_are_let_in_together(run: Any) -> None:
    """However long a turn of the loop takes, it does not let in but one."""
    newcomers = 40
    turns: list[int] = []
    turn = 0
    all_in = asyncio.Event()

    def count() -> None:
        nonlocal turn
        turn += 1
        asyncio.get_running_loop().call_soon(count)

    def accept(_opening: Opening) -> Receiver:
        turns.append(turn)
        if len(turns) == newcomers:
            all_in.set()
        return Hearing()

    async def scene() -> None:
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", accept)
        port = int(listening.address.rpartition(":")[2])
        request = (
            b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(newcomers)]
        for each in sockets:
            each.sendall(request)
        count()
        await all_in.wait()
        for each in sockets:
            each.close()
        await listening.close()

    run(scene())
    assert max(turns) - min(turns) <= 3


def test_a_machine_without_room_for_another_connection_has_room_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_acceptor, "AGAIN_AFTER_S", 0.0)
    told: list[Any] = []

    class NoRoomYet(asyncio.SelectorEventLoop):
        async def sock_accept(self, sock: socket.socket) -> Any:
            if not told:
                raise OSError(errno.EMFILE, "Too many open files")
            return await super().sock_accept(sock)

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: Hearing())
        hearing = Hearing()
        connection = await WebSocketTransport().connect(listening.address, Opening(within_s=PATIENCE_S), hearing)
        connection.close()
        await hearing.ended()
        await listening.close()

    with asyncio.Runner(loop_factory=NoRoomYet) as runner:
        runner.run(scene())
    assert [error.errno for error in told] == [errno.EMFILE]


def test_a_name_may_have_addresses_that_this_machine_lacks() -> None:
    class Naming(asyncio.SelectorEventLoop):
        async def getaddrinfo(self, host: Any, port: Any, **_options: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in host.split("+")]

    async def listen(host: str) -> None:
        listening = await open_acceptor.open_acceptor(host, 0, asyncio.Protocol, None)
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
            writer.close()
        finally:
            await listening.close()

    with asyncio.Runner(loop_factory=Naming) as runner:
        runner.run(listen("127.0.0.1"))
        runner.run(listen("198.51.100.7+127.0.0.1"))
        with pytest.raises(OSError) as failure:
            runner.run(listen("198.51.100.7"))
    assert failure.value.errno == errno.EADDRNOTAVAIL


def test_whoever_is_still_in_the_tls_handshake_is_hung_up_on(run: Any, server_tls: ssl.SSLContext) -> None:
    async def scene() -> bytes:
        listening = await WebSocketListener().listen("wss://127.0.0.1:0", lambda _opening: Hearing(), tls=server_tls)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(listening.address.rpartition(":")[2]))
        writer.write(b"\x16\x03\x01")  # the beginning of a client's hello
        await writer.drain()
        for _ in range(5):
            await asyncio.sleep(0)
        await listening.close()
        heard = await reader.read()
        writer.close()
        await writer.wait_closed()
        return heard

    run(scene())


def test_the_end_over_tls_does_not_wait_for_the_peers_goodbye(
    run: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """Whoever is told of the end may close the event loop; nothing may be open in it by then."""
    rest: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with server_tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=True) as secure:
            secure.sendall(upgrade(secure) + b"\x88\x02\x03\xe8")
            plain = socket.socket(fileno=os.dup(secure.fileno()))  # from now on it does not understand TLS
            plain.settimeout(PATIENCE_S)
            with plain:
                while data := plain.recv(1000):
                    rest.append(data)

    async def scene(port: int) -> None:
        hearing = Hearing()
        transport = WebSocketTransport(tls=client_tls, close_within_s=3600)
        await transport.connect(f"wss://127.0.0.1:{port}", Opening(), hearing)
        ending = await hearing.ended()
        assert (ending.code, ending.is_clean) == (1000, True)

    with in_a_thread(serve) as port:
        run(scene(port))
    assert rest  # our close, and TLS's own


def test_an_address_that_nobody_has_cannot_be_listened_at(run: Any) -> None:
    with pytest.raises(TransportError, match="cannot listen"):
        run(WebSocketListener().listen("ws://198.51.100.7:0", lambda _opening: Hearing()))


def test_a_connect_that_is_cancelled_by_whoever_hears_that_it_is_open_leaves_nothing_open(run: Any) -> None:
    class Cancelling(Hearing):
        def on_opened(self, connection: Connection) -> None:
            super().on_opened(connection)
            connecting.cancel()

    def serve(connection: socket.socket) -> None:
        connection.sendall(upgrade(connection))
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1000) == b""

    async def scene(port: int) -> None:
        nonlocal connecting
        client = Cancelling()
        opening = WebSocketTransport().connect(f"ws://127.0.0.1:{port}", Opening(), client)
        connecting = asyncio.get_running_loop().create_task(opening)
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert (await client.ended()).by == "us"

    connecting: asyncio.Task[Any]
    with in_a_thread(serve) as port:
        run(scene(port))


def test_nothing_is_asked_before_the_loop_has_given_the_stream_away() -> None:
    """uvloop closes a stream whose `create_connection` is cancelled late, and nobody hears of that: it may not be open
    by then."""
    was_silent: list[bool] = []

    class Holding(asyncio.SelectorEventLoop):
        """Gives a stream away when the server says so."""

        async def create_connection(self, *args: Any, **options: Any) -> Any:
            made = await super().create_connection(*args, **options)
            await self.run_in_executor(None, is_heard.wait, PATIENCE_S)
            return made

    def serve(connection: socket.socket) -> None:
        connection.settimeout(WITHIN_S)
        with contextlib.suppress(TimeoutError):
            was_silent.append(connection.recv(1000) == b"")
        was_silent.append(True)
        is_heard.set()
        connection.settimeout(PATIENCE_S)
        connection.sendall(upgrade(connection))
        connection.recv(1000)

    async def scene(port: int) -> None:
        client = Hearing()
        connection = await WebSocketTransport().connect(f"ws://127.0.0.1:{port}", Opening(), client)
        connection.abort()
        await client.ended()

    is_heard = threading.Event()
    with in_a_thread(serve) as port, asyncio.Runner(loop_factory=Holding) as runner:
        runner.run(scene(port))
    assert was_silent == [True]
