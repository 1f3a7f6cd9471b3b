"""The other end: actors that answer, one for each connection that is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.actor.actor import Actor
from antiphon.actor.channel import Channel
from antiphon.actor.registered import registered
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.errors import ScenarioError
from antiphon.journal import Journal
from antiphon.runtime.runtime import Runtime
from antiphon.stand.stand import Stand
from antiphon.transport.interface import Connection, Listener, Listening, Opening, Receiver

__all__ = ["Server", "listen"]


class Server:
    """A listening server whose connections are actors.

    `address` is where it listens; `actors` are those connected now; `failures` is what their handlers failed with,
    and frames that nobody could read: a connection that fails is closed with 1011, and the others go on. `journal`
    keeps the latest entries.
    """

    def __init__(self, accept: Callable[[Opening], Actor], journal: Journal) -> None:
        self.actors: dict[Actor, None] = {}
        self.failures: list[BaseException] = []
        self.journal = journal
        self._accept = accept
        self._runtime = Runtime(journal, self.failures.append)
        self._listening: Listening | None = None

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def address(self) -> str:
        """Where clients reach it, with the real port."""
        assert self._listening is not None
        return self._listening.address

    async def start(self, address: str, listener: Listener, **options: Any) -> None:
        """Begin to listen."""
        self._listening = await listener.listen(address, self._receive, **options)

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        if self._listening is not None:
            await self._listening.close()
        await self._runtime.close()

    def _receive(self, opening: Opening) -> Receiver:
        actor = self._accept(opening)
        if not isinstance(actor, Actor):
            raise ScenarioError(f"accept returned {actor!r}, not an actor")
        return _Seat(self, actor, self._runtime, opening)


class _Seat:
    """One accepted connection and its actor."""

    def __init__(self, server: Server, actor: Actor, runtime: Runtime, opening: Opening) -> None:
        self._server = server
        self._actor = actor
        # A runtime of its own: what fails here ends this connection, and not the server's others.
        self._runtime = Runtime(runtime.journal, self._fail, runtime.clock)
        actor.attach(self._runtime, actor.name or type(actor).__name__.lower(), Stand())
        self._channel: Channel = actor.channel
        self._channel.mailbox.other = "the client"
        self._channel.meet("server", opening.path, opening.headers, opening.subprotocols)

    def on_opened(self, connection: Connection) -> None:
        self._server.actors[self._actor] = None
        self._channel.on_opened(connection)

    def on_data(self, data: Data) -> None:
        self._channel.on_data(data)

    def on_finished(self) -> bool:
        return self._channel.on_finished()

    def on_aside(self, name: str, said: str | Mapping[str, str]) -> None:
        self._channel.on_aside(name, said)

    def on_ended(self, ending: Ending) -> None:
        self._channel.on_ended(ending)
        self._server.actors.pop(self._actor, None)
        self._runtime.end()

    def _fail(self, error: BaseException) -> None:
        self._server.failures.append(error)
        try:
            self._channel.close(1011, "internal error")
        except Exception as further:  # whatever a foreign transport raises: without a goodbye it must end all the same
            self._server.failures.append(further)
            self._channel.abort()


async def listen(
    address: str,
    accept: Callable[[Opening], Actor],
    *,
    listener: Listener | None = None,
    keep: int = 1_000,
    **options: Any,
) -> Server:
    """Listen at `address`, "ws://127.0.0.1:0" for any free port; `accept(opening)` gives the actor for each connection.

    `accept` sees the path and headers of the opening and may raise `RejectConnection(status, body)`. The actor's first
    channel, an `Accepted`, is the connection. `listener` is the way to listen; None for the one that is registered for
    the address's scheme (entry points "antiphon.listeners"). `options` go to it. `keep` bounds the journal in memory.

    Raises ScenarioError if no listener is registered for the scheme, TransportError if nobody can listen there.
    """
    server = Server(accept, Journal(keep=keep))
    await server.start(address, listener or registered("listener", address), **options)
    return server
