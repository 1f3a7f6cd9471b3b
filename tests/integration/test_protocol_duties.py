"""What a protocol owes by itself: its opening, its heartbeat, its goodbye."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from antiphon import Actor, Codec, ConnectFailed, Data, Link, Message, Run, Stand, Text, WebSocket, perform, scenario
from antiphon.journal.file import FILE_NAME, WrittenMessage, read_journal
from antiphon.report.text import last_lines

Play = Callable[..., Run]


class Greeted(Codec):
    """Open once the server has said hello, as SMTP or IMAP; it overrides no duty."""

    is_ready = False

    def decode(self, data: Data) -> Sequence[Message]:
        if data == "hello":
            self.is_ready = True
        return (Message(str(data), None, data),)

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, name)


class Beating(Greeted):
    """The heartbeat is agreed on after the connection is there, as in STOMP: `beat N` in hundredths of a second."""

    is_ready = True

    def decode(self, data: Data) -> Sequence[Message]:
        word, _, number = str(data).partition(" ")
        if word == "beat":
            self.heartbeat_s = int(number) / 100 or None
        return super().decode(data)

    def heartbeat(self) -> Sequence[Data]:
        return ("beat",)


class Guest(Actor):
    line = Link("{peer}", dialect=Greeted(), within_s=5, open_within_s=0.5)


class Beater(Actor):
    line = Link("{peer}", dialect=Beating(), within_s=5)


@pytest.fixture
def said(peer: Any) -> list[Data]:
    """What the peer heard; it says what the tests tell it to."""
    heard: list[Data] = []
    peer.on_data = heard.append
    return heard


def greet_with(peer: Any, *words: str) -> None:
    def on_opened(connection: Any) -> None:
        peer.connection = connection
        for word in words:  # not with the handshake: whoever opens waits by then
            asyncio.get_running_loop().call_later(0.001, connection.send, word)

    peer.on_opened = on_opened


def test_a_codec_that_waits_for_a_greeting_opens(peer: Any, play_with: Play, said: list[Data]) -> None:
    greet_with(peer, "hello")

    @scenario
    async def greeted(guest: Guest) -> str:
        return (await guest.expect("hello")).name

    assert play_with(greeted).value == "hello"


def test_a_greeting_that_does_not_come_is_told(peer: Any, play_with: Play, said: list[Data]) -> None:
    greet_with(peer, "go away")

    @scenario
    async def greeted(guest: Guest) -> None: ...

    with pytest.raises(ConnectFailed, match="its protocol did not open within"):
        play_with(greeted)


def test_a_heartbeat_that_is_agreed_on_later_beats(peer: Any, play_with: Play, said: list[Data]) -> None:
    @scenario
    async def beaten(beater: Beater) -> None:
        peer.connection.send("beat 1")
        peer.on_data = lambda data: (said.append(data), peer.connection.send("felt"))
        await beater.expect("felt")
        await beater.expect("felt")
        peer.connection.send("beat 0")
        await beater.expect("beat 0")

    play_with(beaten)
    assert set(said) == {"beat"}
    assert len(said) >= 2


def test_a_heartbeat_that_is_agreed_on_anew_beats_in_one_rhythm(peer: Any, play_with: Play, said: list[Data]) -> None:
    """Each new interval replaces the old one, which would not have beaten in time."""

    @scenario
    async def beaten(beater: Beater) -> None:
        for interval in (1000, 2000, 1000, 10):
            peer.connection.send(f"beat {interval}")
            await beater.expect(f"beat {interval}")
        peer.on_data = lambda data: (said.append(data), peer.connection.send("felt"))
        await beater.expect("felt")

    play_with(beaten)
    assert said == ["beat"]


class Shaken(Greeted):
    """Says hello, acknowledges what it hears, beats, and says goodbye; that it is acknowledged is its own affair."""

    heartbeat_s = 0.01

    def decode(self, data: Data) -> Sequence[Message]:
        if data == "ack":
            return (Message("ack", None, data, is_protocol=True),)
        self.debts = [*getattr(self, "debts", []), Message("ack", None, "ack")]
        return super().decode(data)

    def opening(self) -> Sequence[Data]:
        return ("hi",)

    def owed(self) -> Sequence[Message]:
        debts, self.debts = getattr(self, "debts", []), []
        return debts

    def heartbeat(self) -> Sequence[Data]:
        return ("beat",)

    def closing(self) -> Sequence[Data]:
        return ("bye",)


class Shaker(Actor):
    line = Link("{peer}", dialect=Shaken(), within_s=5)


def test_what_a_protocol_says_is_in_the_journal_and_nowhere_else(
    peer: Any, play_with: Play, said: list[Data], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    greet_with(peer, "hello")

    @scenario(strict=True)
    async def shaken(shaker: Shaker) -> list[str]:
        peer.on_data = lambda data: (said.append(data), data == "beat" and peer.connection.send("felt"))
        with shaker.channel.batch():
            await shaker.expect("hello")
            await shaker.expect("felt")
            shaker.channel.ignore("felt")
        mark = shaker.mark()
        peer.connection.send("ack")
        peer.connection.send("last")
        await shaker.expect("last", since=mark)
        return [message.name for message in shaker.channel.mailbox.history if message.name != "felt"]

    caplog.set_level(logging.DEBUG, logger="antiphon.message")
    watched: list[Any] = []
    run = play_with(shaken, runs=tmp_path, watch=watched.append)
    assert run.value == ["hello", "last"]
    protocol = [entry for entry in run.journal if isinstance(entry, Message) and entry.is_protocol]
    assert {(entry.name, entry.is_sent) for entry in protocol} == {
        ("opening", True),
        ("heartbeat", True),
        ("closing", True),
        ("ack", True),
        ("ack", False),
    }
    assert [entry.raw for entry in protocol if entry.is_sent] == said
    numbers = [entry.number for entry in run.journal if isinstance(entry, Message) and not entry.is_sent]
    assert numbers == list(range(1, len(numbers) + 1))

    journal = run.directory / FILE_NAME
    shown = [entry for entry in read_journal(journal) if isinstance(entry, WrittenMessage)]
    written = [entry for entry in read_journal(journal, with_protocol=True) if isinstance(entry, WrittenMessage)]
    assert [entry.raw for entry in written if entry.is_protocol] == [entry.raw for entry in protocol]
    assert [entry.raw for entry in shown] == [entry.raw for entry in written if not entry.is_protocol]
    assert [entry.raw for entry in watched if isinstance(entry, Message)] == [entry.raw for entry in shown]
    assert "beat" not in "\n".join(last_lines(read_journal(journal), 1000, width=200))
    assert not [path for path in run.directory.rglob("*") if path.is_file() and "heartbeat" in path.name]
    logged = [(record.getMessage(), record.antiphon["is_protocol"]) for record in caplog.records]  # type: ignore[attr-defined]
    assert len(logged) == len(written)
    assert sum(", protocol): " in text for text, _ in logged) == sum(marked for _, marked in logged) == len(protocol)


class Pinged(Actor):
    line = WebSocket("{server}", dialect=Text(), within_s=5, shows_pings=True)


class Quiet(Actor):
    line = WebSocket("{server}", dialect=Text(), within_s=5)


@pytest.mark.parametrize("kind", [Pinged, Quiet])
def test_pings_and_pongs_are_in_the_journal_when_asked_for(kind: type[Actor]) -> None:
    async def ping(websocket: ServerConnection) -> None:
        await (await websocket.ping(b"there?"))
        await websocket.send("done")
        await websocket.wait_closed()

    @scenario(strict=True)
    async def pinged(actor: kind) -> None:  # type: ignore[valid-type]
        await actor.expect()  # type: ignore[attr-defined]

    async def scene() -> Run:
        async with serve(ping, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            return await perform(pinged, stand=Stand("t", {"server": f"ws://127.0.0.1:{port}"}), runs=None)

    shown = [entry for entry in asyncio.run(scene()).journal if isinstance(entry, Message) and entry.is_protocol]
    told = [(entry.name, entry.is_sent, entry.number, entry.raw) for entry in shown]
    assert told == ([("ping", False, 1, b"there?"), ("pong", True, 1, b"there?")] if kind is Pinged else [])
