"""Servers that speak unlike ours, each a script: what it says to what it hears, and when.

They write their bytes by hand, as other people's servers do, and share no dialect with the actors who talk to them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

from antiphon import Opening, Scenario, Stand, perform
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.journal import RunEnded
from antiphon.journal.file import read_journal
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.interface import Connection, Receiver
from antiphon.transport.memory import MemoryNetwork

__all__ = ["Foreign", "Guest", "Heard", "Serve", "failure_at", "failure_of", "told"]

Heard = Callable[["Guest", Any], None]
"""What a server does with what it hears from a guest: text or bytes."""

Serve = Callable[[], AbstractAsyncContextManager[str]]
"""Begins to serve on a real socket, and gives the address."""


class Foreign:
    """A server in memory: `greet` is called when a guest is there, `hear` with what one of the `guests` says."""

    def __init__(self, hear: Heard | None = None, greet: Callable[[Guest], None] | None = None) -> None:
        self.hear = hear
        self.greet = greet
        self.guests: list[Guest] = []

    def accept(self, _opening: Opening) -> Receiver:
        guest = Guest(self)
        self.guests.append(guest)
        return guest


class Guest:
    """One connection of such a server."""

    def __init__(self, server: Foreign) -> None:
        self._server = server
        self._connection: Connection | None = None
        self.number = len(server.guests) + 1
        self.heard: list[Data] = []

    def on_opened(self, connection: Connection) -> None:
        self._connection = connection
        if self._server.greet is not None:
            self._server.greet(self)

    def on_data(self, data: Data) -> None:
        self.heard.append(data)
        if self._server.hear is not None:
            self._server.hear(self, data)

    def on_ended(self, _ending: Ending) -> None:
        self._connection = None

    def say(self, *data: Data | dict[str, Any] | list[Any], after_s: float = 0.0) -> None:
        """Say it, an object or array as JSON; nothing is said on a connection that is gone."""
        if after_s:
            asyncio.get_running_loop().call_later(after_s, self.say, *data)
            return
        for each in data:
            if self._connection is not None:
                self._connection.send(each if isinstance(each, (str, bytes)) else json.dumps(each))

    def leave(self, code: int | None = None, reason: str = "", *, after_s: float = 0.0) -> None:
        """Close the connection; without a code it is broken off."""
        if after_s:
            asyncio.get_running_loop().call_later(after_s, self.leave, code, reason)
        elif self._connection is not None:
            if code is None:
                self._connection.abort()
            else:
                self._connection.close(code, reason)


def told(directory: Path) -> str:
    """The failure as the record of a run has it, and with that every face."""
    (ended,) = (entry for entry in read_journal(directory / "journal.jsonl") if isinstance(entry, RunEnded))
    return ended.error


def failure_at(
    scenario: Scenario[Any, Any],
    directory: Path,
    address: str,
    serve: Serve | None = None,
    users: Sequence[Mapping[str, Any]] = (),
    **parameters: Any,
) -> str:
    """The text of the failure of the scenario, performed over real sockets with what `serve` begins: its address."""

    async def perform_here() -> None:
        async with serve() if serve is not None else nullcontext(address) as there:
            stand = Stand("foreign", {"server": there}, users=users)
            await perform(scenario, stand=stand, directory=directory, reports=(), linger_s=0, **parameters)

    try:
        asyncio.run(perform_here())
    except Exception:
        return told(directory)
    raise AssertionError("it passed")


def failure_of(scenario: Scenario[Any, Any], directory: Path, linger_s: float = 1.0, **servers: Foreign) -> str:
    """The text of the failure of the scenario, performed in virtual time with these servers: the stand's names."""

    async def perform_here() -> None:
        network = MemoryNetwork()
        listening = [await network.listen(f"memory://{name}", server.accept) for name, server in servers.items()]
        addresses = {name: f"memory://{name}" for name in servers}
        stand = Stand("foreign", addresses, transports={"memory": network})
        try:
            await perform(scenario, stand=stand, directory=directory, reports=(), linger_s=linger_s)
        finally:
            for each in listening:
                await each.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        try:
            runner.run(perform_here())
        except Exception:
            return told(directory)
    raise AssertionError("it passed")
