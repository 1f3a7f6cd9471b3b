"""What checks of a transport play in: a listener or a peer, clients that connect to it, receivers that remember."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.transport.interface import Connection, Listener, Listening, Opening, Receiver, Transport

__all__ = ["TURNS", "Hearing", "Scene", "Wires", "play_echo", "play_scene", "require", "require_clean"]

TURNS: Final = 10
"""How many turns of the loop something gets to happen that must not."""


class Wires(msgspec.Struct, eq=False):
    """A transport, and what it connects to: a listener, or for a client without one a peer that echoes.

    `address` is where to listen, with port 0 where there are ports; `options` go to `listen`. `peer` is an address at
    which somebody says back all that is said to it, and leaves when we do; or an async context manager that makes it
    so, and gives the address. `nowhere` is an address where nobody is; with a listener it is found.

    The flags say what the wire knows: `has_frames` each send arrives as one piece of data; `has_text` text stays text;
    `has_codes` close codes and reasons travel; `has_paths`, `has_headers` and `has_refusals` (with status, headers and
    body) what an opening may say and hear; `has_subprotocols` `listen` takes `subprotocols`;
    `has_back_pressure` what a paused side does not read stays unsent on the other, but for some MiB; `has_resets` an
    abort is told from a goodbye; `has_half_close` a side that has said goodbye still hears what is said to it.
    `has_finish` a side can end its sending alone (`finish`). `within_s` bounds each check.
    """

    listener: Listener | None
    transport: Transport
    address: str = ""
    peer: str | Callable[[], AbstractAsyncContextManager[str]] | None = None
    nowhere: str = ""
    options: Mapping[str, Any] = {}
    has_frames: bool = True
    has_text: bool = True
    has_codes: bool = True
    has_paths: bool = True
    has_headers: bool = True
    has_refusals: bool = True
    has_subprotocols: bool = True
    has_back_pressure: bool = True
    has_resets: bool = True
    has_half_close: bool = True
    has_finish: bool = True
    within_s: float = 20.0


class Hearing:
    """A receiver that remembers what it was told. `at_opening` is sent as soon as the connection is there.

    With `stays` it keeps the connection when the peer has finished; with `leaves` it says goodbye at its opening.
    """

    def __init__(self, *at_opening: Data, stays: bool = False, leaves: bool = False) -> None:
        self.side = "client"
        self.leaves = leaves
        self.stays = stays
        self.has_peer_finished = False
        self.connection: Connection | None = None
        self.data: list[Data] = []
        self.ending: Ending | None = None
        self.faults: list[str] = []
        self._at_opening = at_opening
        self._changed = asyncio.Event()
        self.news = asyncio.Event()
        """Set by each data that comes, for whoever listens to many."""

    def on_opened(self, connection: Connection) -> None:
        if self.connection is not None:
            self.faults.append("on_opened was called twice")
        self.connection = connection
        for data in self._at_opening:
            connection.send(data)
        if self.leaves:
            connection.close()
        self._changed.set()

    def on_data(self, data: Data) -> None:
        if self.connection is None:
            self.faults.append("on_data was called before on_opened")
        if self.ending is not None:
            self.faults.append("on_data was called after on_ended")
        self.data.append(data)
        self._changed.set()
        self.news.set()

    def on_finished(self) -> bool:
        if self.connection is None:
            self.faults.append("on_finished was called before on_opened")
        if self.has_peer_finished or self.ending is not None:
            self.faults.append("on_finished was called twice, or after on_ended")
        self.has_peer_finished = True
        self._changed.set()
        return self.stays

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

    def joined(self) -> bytes:
        """What was heard, as one piece."""
        return b"".join(data if isinstance(data, bytes) else data.encode() for data in self.data)

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


class Scene:
    """One listening server and whoever connected, for the length of a check."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires
        self.openings: list[Opening] = []
        self.servers: list[Hearing] = []
        self.clients: list[Hearing] = []
        self.accepts: Callable[[], Receiver] = Hearing
        self.listening: Listening | None = None
        self.echo = ""
        self.faults: list[str] = []
        self._pairs = 0
        self._news = asyncio.Event()

    def accept(self, opening: Opening) -> Receiver:
        self.openings.append(opening)
        receiver = self.accepts()
        if isinstance(receiver, Hearing):
            receiver.side = "server"
            self.servers.append(receiver)
            receiver.news = self._news
            self._news.set()
        return receiver

    @property
    def address(self) -> str:
        require(self.listening is not None or bool(self.echo), "the server listens")
        return self.listening.address if self.listening is not None else self.echo

    async def connect(self, *at_opening: Data, opening: Opening | None = None) -> Hearing:
        client = Hearing(*at_opening)
        self.clients.append(client)
        connection = await self.wires.transport.connect(self.address, opening or Opening(), client)
        require(client.connection is not None, "on_opened was called before connect returned")
        require(client.connection is connection, "on_opened was given the connection that connect returned")
        return client

    async def cancel_connects(self) -> None:
        """Cancel connects at once, after one turn of the loop, two and so on: each is cancelled, or open and closed."""
        for turns in range(30):
            client = Hearing()
            connecting = asyncio.ensure_future(self.wires.transport.connect(self.address, Opening(), client))
            for _ in range(turns):
                await asyncio.sleep(0)
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
            if isinstance(outcome, BaseException):
                require(isinstance(outcome, asyncio.CancelledError), f"a cancelled connect raised {outcome!r}")
            else:
                outcome.close()
            self.clients.append(client)

    async def pair(self) -> tuple[Hearing, Hearing]:
        """A client and its server, both open."""
        # By what the client says, not by who came when: without a handshake, `connect` may return before the server has
        # accepted, and one whose connect was cancelled may come in between.
        self._pairs += 1
        token = self.data(f"<pair {self._pairs}>")
        said = token if isinstance(token, bytes) else token.encode()
        client = await self.connect(token)
        server = await self._heard_by_server(said)
        server.data.clear()
        return client, server

    async def _heard_by_server(self, said: bytes) -> Hearing:
        def hearing() -> list[Hearing]:
            return [server for server in self.servers if server.joined() == said]

        await self.until(lambda: bool(hearing()), f"a server that hears {said!r}, which a client has said")
        return hearing()[0]

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so of the servers; raises AssertionError if it never is."""
        try:
            while not is_so():
                self._news.clear()
                await self._news.wait()
        except asyncio.CancelledError:
            self.faults.append(f"waited for {what}")
            raise

    def data(self, text: str) -> Data:
        """Text, or its bytes where the wire knows only those."""
        return text if self.wires.has_text else text.encode()

    async def expect_data(self, hearing: Hearing, expected: list[Data], what: str) -> None:
        """Wait until as much was heard as is expected, and compare."""
        size = sum(map(len, expected))
        if self.wires.has_frames:
            await hearing.until(lambda: len(hearing.data) >= len(expected), what)
            require(hearing.data == expected, f"{what} arrives as it was sent, in order")
        else:
            await hearing.until(lambda: hearing.size >= size, what)
            heard = hearing.joined()
            sent = b"".join(data if isinstance(data, bytes) else data.encode() for data in expected)
            require(heard == sent, f"{what} arrives as it was sent, in order")


@asynccontextmanager
async def play_scene(wires: Wires, **options: Any) -> AsyncIterator[Scene]:
    """A scene with the listener."""
    async with _scene(wires) as scene:
        assert wires.listener is not None
        scene.listening = await wires.listener.listen(wires.address, scene.accept, **{**wires.options, **options})
        try:
            yield scene
        finally:
            await scene.listening.close()


@asynccontextmanager
async def play_echo(wires: Wires) -> AsyncIterator[Scene]:
    """A scene with the peer that echoes."""
    async with _scene(wires) as scene:
        assert wires.peer is not None
        if isinstance(wires.peer, str):
            scene.echo = wires.peer
            yield scene
        else:
            async with wires.peer() as scene.echo:
                yield scene


@asynccontextmanager
async def _scene(wires: Wires) -> AsyncIterator[Scene]:
    scene = Scene(wires)
    try:
        async with asyncio.timeout(wires.within_s):
            yield scene
            for hearing in (*scene.clients, *scene.servers):
                if hearing.connection is not None:
                    await hearing.ended()
    except TimeoutError as error:
        faults = "; ".join(_faults(scene)) or "no end of it"
        raise AssertionError(f"not within {wires.within_s:g} s: {faults}") from error
    require(not _faults(scene), "; ".join(_faults(scene)))


def _faults(scene: Scene) -> list[str]:
    hearings = (*scene.clients, *scene.servers)
    return [*scene.faults, *(f"{hearing.side}: {fault}" for hearing in hearings for fault in hearing.faults)]


def require(is_so: bool, what: str) -> None:
    """Raise AssertionError unless it is so."""
    if not is_so:
        raise AssertionError(f"the transport does not keep the contract: {what}")


def require_clean(*hearings: Hearing) -> None:
    """Raise AssertionError unless all of them have heard of a clean end."""
    for hearing in hearings:
        ending = hearing.ending
        is_clean = ending is not None and ending.is_clean
        require(is_clean, f"both said goodbye: the {hearing.side}'s ending is clean: {ending!r}")
