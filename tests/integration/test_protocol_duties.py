"""What a protocol owes by itself: its opening, its heartbeat, its goodbye."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from antiphon import Actor, Codec, ConnectFailed, Data, Link, Message, Run, scenario

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
