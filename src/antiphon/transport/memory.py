"""A network inside one event loop: connections without sockets, which behave as WebSocket connections do."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from urllib.parse import urlsplit

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.headers import combine
from antiphon.conversation.message import Data
from antiphon.errors import ConnectFailed, TransportError, UpgradeRefused
from antiphon.transport.closing_time import ClosingTime, overdue
from antiphon.transport.http1_head import phrase
from antiphon.transport.interface import Accept, Opening, Peer, Receiver, RejectConnection, tell_finished
from antiphon.transport.receiver_failure import report_failure
from antiphon.transport.websocket.rfc6455 import ABNORMAL, GOING_AWAY, INTERNAL_ERROR, NORMAL, check_close

__all__ = ["MemoryConnection", "MemoryListening", "MemoryNetwork"]


class MemoryNetwork:
    """A network of one's own: both the transport and the listener of `memory://NAME/path` addresses.

    Everything on it must live in one event loop. What is said in one turn of the loop arrives in the next, in order;
    several sends arrive in one callback, as frames of one read do. Nothing is copied, nothing is limited; what a paused
    side has not heard is unsent on the other. `close_within_s` is how long it may stay so after a goodbye. Who comes is
    `memory:1`, `memory:2` and so on to a server.
    """

    def __init__(self, *, close_within_s: float = 1.0) -> None:
        self._close_within_s = close_within_s
        self._listening: dict[str, MemoryListening] = {}
        self._number = count(1).__next__

    async def listen(self, address: str, accept: Accept, *, subprotocols: Sequence[str] = ()) -> MemoryListening:
        """Listen at `memory://NAME`, for any path. Raises TransportError for a name that is taken, or none."""
        name, _ = _split(address)
        if name in self._listening:
            raise TransportError(f"somebody listens at memory://{name} already", place=address)
        listening = MemoryListening(self._listening, name, address, accept, tuple(subprotocols), self._close_within_s)
        self._listening[name] = listening
        return listening

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> MemoryConnection:
        """Connect to whoever listens under the address's name.

        Raises ConnectFailed if nobody does, UpgradeRefused if the listener refuses.
        """
        name, path = _split(address)
        listening = self._listening.get(name)
        if listening is None:
            known = ", ".join(f"memory://{other}" for other in self._listening) or "nobody listens on this network"
            raise ConnectFailed(f"no server is listening on memory://{name}", place=address, hint=f"there is: {known}")
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[MemoryConnection] = loop.create_future()
        request = Opening(
            headers=combine(opening.headers.items()),
            subprotocols=tuple(opening.subprotocols),
            path=path,
            within_s=opening.within_s,
            peer=Peer(f"memory:{self._number()}"),
        )
        # As with sockets, both sides are called back from the loop and not from within somebody's task.
        loop.call_soon(listening.admit, address, request, receiver, opened)
        try:
            return await opened
        except asyncio.CancelledError:
            if opened.done() and not opened.cancelled() and opened.exception() is None:
                opened.result().abort()
            raise


class MemoryListening:
    """A listening name."""

    def __init__(
        self,
        names: dict[str, MemoryListening],
        name: str,
        address: str,
        accept: Accept,
        subprotocols: tuple[str, ...],
        close_within_s: float,
    ) -> None:
        self.address = address
        self._names = names
        self._name = name
        self._accept = accept
        self._subprotocols = subprotocols
        self._close_within_s = close_within_s
        self._open: set[MemoryConnection] = set()
        self._emptied: asyncio.Future[None] | None = None

    async def close(self) -> None:
        """Give up the name, and end every connection with code 1001."""
        if self._names.get(self._name) is self:
            del self._names[self._name]
        for connection in tuple(self._open):
            connection.close(GOING_AWAY, "the server is closing")
        if self._open:
            if self._emptied is None:
                self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._emptied)

    def admit(
        self, address: str, request: Opening, receiver: Receiver, opened: asyncio.Future[MemoryConnection]
    ) -> None:
        """Open both ends of a connection, or refuse it; `opened` hears of it."""
        if opened.cancelled():
            return
        if self._names.get(self._name) is not self:
            opened.set_exception(ConnectFailed(f"memory://{self._name} has just stopped listening", place=address))
            return
        try:
            open_acceptor = self._accept(request)
        except RejectConnection as refused:
            opened.set_exception(_refusal(address, refused))
            return
        except Exception as error:
            text = "the accept function of a memory listener failed"
            opened.get_loop().call_exception_handler({"message": text, "exception": error})
            opened.set_exception(_refusal(address, RejectConnection(500)))
            return
        subprotocol = next((name for name in request.subprotocols if name in self._subprotocols), "")
        loop, within_s = opened.get_loop(), self._close_within_s
        server = MemoryConnection(loop, open_acceptor, subprotocol, within_s, self._forget)
        client = MemoryConnection(loop, receiver, subprotocol, within_s, None)
        self._open.add(server)
        server.meet(client)
        client.meet(server)
        server.begin()
        client.begin()
        if not opened.cancelled():
            opened.set_result(client)
        else:  # an on_opened cancelled whoever was connecting
            client.abort()

    def _forget(self, connection: MemoryConnection) -> None:
        self._open.discard(connection)
        if not self._open and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)


class _Goodbye:
    """An end that travels behind the data: a close (also as the answer to one), or with no code the wire's break.

    `is_half` is that of one direction, whose sender still hears.
    """

    __slots__ = ("code", "is_half", "reason")

    def __init__(self, code: int | None = None, reason: str = "", *, is_half: bool = False) -> None:
        self.code = code
        self.reason = reason
        self.is_half = is_half


class MemoryConnection:
    """One end of a connection."""

    __slots__ = (
        "_can_send",
        "_close_within_s",
        "_emptied",
        "_forget",
        "_goodbye",
        "_has_finished",
        "_has_peer_finished",
        "_inbox",
        "_inbox_bytes",
        "_is_due",
        "_is_ended",
        "_is_hearing",
        "_is_paused",
        "_loop",
        "_overdue",
        "_peer",
        "_receiver",
        "subprotocol",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        receiver: Receiver,
        subprotocol: str,
        close_within_s: float,
        forget: Callable[[MemoryConnection], None] | None,
    ) -> None:
        self.subprotocol = subprotocol
        self._close_within_s = close_within_s
        self._loop = loop
        self._receiver = receiver
        self._forget = forget
        self._peer: MemoryConnection | None = None
        self._inbox: deque[Data | _Goodbye] = deque()
        self._inbox_bytes = 0
        self._is_due = False
        self._can_send = True
        self._has_finished = False
        self._has_peer_finished = False
        self._is_hearing = True
        self._is_paused = False
        self._is_ended = False
        self._goodbye: Ending | None = None
        self._overdue: ClosingTime[int] | None = None
        self._emptied: asyncio.Future[None] | None = None

    def send(self, data: Data) -> None:
        """Hand over `data`; the peer receives it in a later turn of the loop."""
        if self._can_send and not self._has_finished:
            self._post_to_peer(data)

    def finish(self) -> None:
        """Say no more, behind what was sent, and hear on; the other end closes with code 1000 unless it stays."""
        if self._has_peer_finished:
            self.close()
        elif self._can_send and not self._has_finished:
            self._has_finished = True
            self._post_to_peer(_Goodbye(NORMAL, is_half=True))

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Say goodbye, behind what was sent. Raises ValueError as a WebSocket would."""
        code = NORMAL if code is None else code
        check_close(code, reason)
        if self._can_send:
            self._close(Ending(code=code, reason=reason, by="us"))

    def abort(self) -> None:
        """Cut the wire: what has not been delivered to this end is lost, the peer hears of code 1006."""
        if self._is_ended:
            return
        self._can_send = False
        self._goodbye = self._goodbye or Ending(code=ABNORMAL, by="us")
        self._break()

    @property
    def unsent_bytes(self) -> int:
        """What the other end has not heard; a character of text counts as a byte."""
        return self._peer._inbox_bytes if self._peer is not None else 0

    async def drained(self) -> None:
        """Return when the other end has heard everything, or the connection has ended."""
        if not self.unsent_bytes:
            return
        if self._emptied is None:
            self._emptied = self._loop.create_future()
        await asyncio.shield(self._emptied)

    def pause(self) -> None:
        """Hear nothing until `resume`."""
        self._is_paused = self._is_hearing and not self._is_ended and self._can_send

    def resume(self) -> None:
        """Hear again what is said."""
        if self._is_paused:
            self._is_paused = False
            self._attend()

    def meet(self, peer: MemoryConnection) -> None:
        """Lay the wire to the other end."""
        self._peer = peer

    def begin(self) -> None:
        """Tell the receiver that the connection is open."""
        try:
            self._receiver.on_opened(self)
        except Exception as error:
            self._give_up("on_opened", error)

    def _post_to_peer(self, item: Data | _Goodbye) -> None:
        if self._peer is not None:
            self._peer._post(item)

    def _post(self, item: Data | _Goodbye) -> None:
        if self._is_ended:
            return
        self._inbox.append(item)
        if not isinstance(item, _Goodbye):
            self._inbox_bytes += len(item)
        self._attend()

    def _attend(self) -> None:
        if self._inbox and not self._is_due and not self._is_paused:
            self._is_due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._is_due = False
        for _ in range(len(self._inbox)):
            if not self._inbox or self._is_paused:  # a receiver aborted, or paused
                return
            item = self._inbox.popleft()
            if isinstance(item, _Goodbye):
                self._hear_goodbye(item)
                self._attend()  # behind the end of one direction the goodbye may lie already
                return
            self._inbox_bytes -= len(item)
            if not self._inbox_bytes and self._peer is not None:
                self._peer._tell_emptied()
            if self._is_hearing:
                try:
                    self._receiver.on_data(item)
                except Exception as error:
                    self._give_up("on_data", error)

    def _hear_goodbye(self, goodbye: _Goodbye) -> None:
        if goodbye.is_half and self._stays():
            return
        ours = self._goodbye
        if goodbye.code is None:
            self._end(ours or Ending(code=ABNORMAL, by="wire"))
        elif ours is None:
            self._post_to_peer(goodbye)
            self._end(Ending(code=goodbye.code, reason=goodbye.reason, by="peer", is_clean=True))
        else:
            self._end(msgspec.structs.replace(ours, is_clean=True))

    def _stays(self) -> bool:
        """Tell the receiver that the peer says no more; whether that is not the end."""
        if self._goodbye is not None or self._has_finished or not self._is_hearing:
            return False
        self._has_peer_finished = True  # before it is told: whoever hears of it may close
        try:
            return tell_finished(self._receiver) or self._goodbye is not None
        except Exception as error:
            self._give_up("on_finished", error)
            return True

    def _close(self, ending: Ending) -> None:
        self.resume()
        self._can_send = False
        self._goodbye = ending
        self._post_to_peer(_Goodbye(ending.code, ending.reason))
        self._overdue = ClosingTime(self._loop, self._close_within_s, lambda: self.unsent_bytes, self._end_overdue)

    def _end_overdue(self) -> None:
        self._goodbye = overdue(self._goodbye, self.unsent_bytes, self._close_within_s)
        if self._peer is not None:
            self._peer._empty()
        self._break()

    def _break(self) -> None:
        """The wire breaks: this end hears nothing more, the other what is on its way."""
        self._is_paused = False
        self._empty()
        self._post(_Goodbye())
        self._post_to_peer(_Goodbye())

    def _empty(self) -> None:
        self._inbox.clear()
        self._inbox_bytes = 0

    def _tell_emptied(self) -> None:
        emptied, self._emptied = self._emptied, None
        if emptied is not None and not emptied.done():
            emptied.set_result(None)

    def _give_up(self, where: str, error: Exception) -> None:
        text = report_failure(self._loop, error, where)
        self._is_hearing = False
        if self._can_send:
            self._close(Ending(code=INTERNAL_ERROR, by="us", detail=text))

    def _end(self, ending: Ending) -> None:
        self._can_send = False
        self._is_ended = True
        self._empty()
        if self._overdue is not None:
            self._overdue.cancel()
        self._peer = None
        self._tell_emptied()
        if self._forget is not None:
            self._forget(self)
        try:
            self._receiver.on_ended(ending)
        except Exception as error:
            report_failure(self._loop, error, "on_ended")


def _split(address: str) -> tuple[str, str]:
    """Name and path (with query) of an address."""
    parts = urlsplit(address)
    if parts.scheme != "memory" or not parts.netloc:
        hint = "write memory://NAME or memory://NAME/path"
        raise ConnectFailed(f"{address!r} is no memory address", place=address, hint=hint)
    path = parts.path or "/"
    return parts.netloc, f"{path}?{parts.query}" if parts.query else path


def _refusal(address: str, refused: RejectConnection) -> UpgradeRefused:
    return UpgradeRefused(
        f"the connection was refused: {refused.status} {phrase(refused.status)}".rstrip(),
        status=refused.status,
        headers=combine(refused.headers.items()),
        body=refused.body.encode(),
        place=address,
    )
