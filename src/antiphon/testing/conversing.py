"""A conversation in a dialect over a real channel: what two codecs back to back do not show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from antiphon.actor.actor import Actor
from antiphon.actor.declarations import Accepted, Link
from antiphon.actor.handlers import on
from antiphon.actor.server import listen
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.meeting import Meeting
from antiphon.errors import AntiphonError, ErrorReply, RequestRefused
from antiphon.journal import Journal
from antiphon.runtime.runtime import Runtime
from antiphon.stand.stand import Stand
from antiphon.stand.users import User
from antiphon.testing.speech import Script, Speech, require
from antiphon.testing.virtual_time import run_virtual
from antiphon.testing.wires import Wires
from antiphon.transport.interface import Connection, Opening, Transport
from antiphon.transport.memory import MemoryNetwork

__all__ = ["converse", "converse_over"]

_BEATS: Final = 3
_NEARLY: Final = 0.9


def converse(speech: Speech) -> None:
    """Hold it, in virtual time; raises AssertionError where it does not go as it must."""
    network = MemoryNetwork()
    run_virtual(_judged(speech, Wires(network, network, "memory://peer"), is_virtual=True))


async def converse_over(speech: Speech, wires: Wires) -> None:
    """Hold it over that wire, whose listener is needed, on the loop that runs; but wait for no heartbeats.

    A wire without frames is for a dialect that is a stream. Raises AssertionError where it does not go as it must.
    """
    async with asyncio.timeout(wires.within_s):
        await _judged(speech, wires, is_virtual=False)


async def _judged(speech: Speech, wires: Wires, *, is_virtual: bool) -> None:
    failures: list[BaseException] = []
    try:
        await _scene(speech, wires, failures, is_virtual=is_virtual)
    except AntiphonError as error:
        # What nobody awaited is mostly why what somebody awaited did not come.
        raise AssertionError(f"on a channel: {failures[0] if failures else error}") from error
    require(not failures, f"on a channel: {failures[0] if failures else ''}")


class _Watching:
    """The dialect of our side, whose codec is looked at."""

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.made: Codec | None = None

    def codec(self, meeting: Meeting, /) -> Codec:
        self.made = self.speech.dialect.codec(meeting)
        return self.made


class _Player:
    """A peer that plays its script."""

    def __init__(self, script: Script) -> None:
        self._codec = Speech(dialect=None, samples=(), peer=script).theirs()  # type: ignore[arg-type]
        self.connection: Connection | None = None

    def on_opened(self, connection: Connection) -> None:
        self.connection = connection
        self._say(self._codec.opening())

    def on_data(self, data: Data) -> None:
        self._codec.decode(data)
        self._say(self._codec.owed())

    def on_ended(self, _ending: Ending) -> None:
        self.connection = None

    def _say(self, owed: Any) -> None:
        for data in owed:
            if self.connection is not None:
                self.connection.send(data)


async def _scene(speech: Speech, wires: Wires, failures: list[BaseException], *, is_virtual: bool) -> None:
    dialect = _Watching(speech)
    async with _peers(speech, wires, failures) as (address, peers, came):
        journal = Journal()
        runtime = Runtime(journal, failures.append)
        speaker = _speaker(speech, dialect, address, wires.transport)
        user = User(**speech.user) if speech.user is not None else None
        speaker.attach(runtime, "ours", Stand("kit"), user)
        try:
            await speaker.connect()
            require(dialect.made is not None and dialect.made.is_ready, "the channel is open, and its codec not ready")
            await came.wait()  # a wire without a handshake is open before it is accepted
            await _speak(speech, speaker, peers)
            if is_virtual:
                await _be_silent(speaker, dialect, journal, has_peer=bool(peers))
            ending = await speaker.close()
            require(ending.by == "us", f"we closed the channel, and it ended otherwise: {ending}")
        finally:
            await speaker.disconnect()
            await runtime.close()


@asynccontextmanager
async def _peers(
    speech: Speech, wires: Wires, failures: list[BaseException]
) -> AsyncIterator[tuple[str, list[Actor], asyncio.Event]]:
    """The other side, listening: where, its actors (none of them where it plays a script), and whether it was met."""
    peers: list[Actor] = []
    came = asyncio.Event()
    assert wires.listener is not None
    script = speech.peer
    if isinstance(script, Script):
        listening = await wires.listener.listen(wires.address, lambda _: _Player(script), **wires.options)
        came.set()  # nobody looks at it
        try:
            yield listening.address, peers, came
        finally:
            await listening.close()
        return
    kind = _peer(speech, script if script is not None else speech.dialect)

    def accept(_opening: Opening) -> Actor:
        peers.append(kind())
        came.set()
        return peers[-1]

    async with await listen(wires.address, accept, listener=wires.listener, **wires.options) as server:
        try:
            yield server.address, peers, came
        finally:
            failures += server.failures


def _speaker(speech: Speech, dialect: _Watching, address: str, transport: Transport) -> Actor:
    class Speaker(Actor):
        line = Link(address, transport=transport, dialect=dialect, within_s=_WITHIN_S, open_within_s=_WITHIN_S)

    speaker = Speaker()
    for name, value in speech.fields.items():
        setattr(speaker, name, value)
    return speaker


def _peer(speech: Speech, dialect: Dialect) -> type[Actor]:
    """Answers the first request with its answers, and refuses the second."""
    asked = speech.asks[0] if speech.asks is not None else None

    class Peer(Actor):
        line = Accepted(dialect=dialect, within_s=_WITHIN_S)
        is_asked = False

        if asked is not None:

            @on(asked)
            def answer_it(self, request: Message) -> Any:
                if self.is_asked:
                    raise ErrorReply(*speech.refusal)
                self.is_asked = True
                return self.all_answers(request) if speech.interim else speech.answer

        def all_answers(self, request: Message) -> Iterator[Any]:
            yield from speech.interim
            if speech.answer is not None:
                self.answer(request, speech.answer)

    return Peer


async def _speak(speech: Speech, speaker: Actor, peers: list[Actor]) -> None:
    for name, body in speech.samples:
        speaker.send(name, body)
        for peer in peers:
            _require_body(await peer.expect(name), body)
            if name != (speech.asks or ("",))[0]:
                peer.send(name, body)
                _require_body(await speaker.expect(name), body)
    if speech.asks is None:
        return
    _require_body(await speaker.ask(*speech.asks), speech.answer)
    if peers and speech.can_refuse:
        try:
            await speaker.ask(*speech.asks)
        except RequestRefused:
            return
        raise AssertionError(f"{speech.asks[0]} was refused, and its exchange did not fail")


async def _be_silent(speaker: Actor, dialect: _Watching, journal: Journal, *, has_peer: bool) -> None:
    """For as long as some heartbeats take: they beat, and neither side takes the other for dead.

    A script has no heart: it is left before it is taken for dead.
    """
    codec = dialect.made
    assert codec is not None
    if codec.heartbeat_s is None and codec.silence_s is None:
        return
    begun = len(journal.entries)
    silence_s = _BEATS * max(codec.heartbeat_s or 0, codec.silence_s or 0)
    await asyncio.sleep(silence_s if has_peer or codec.silence_s is None else codec.silence_s * _NEARLY)
    require(speaker.is_connected, f"after some silence the connection has ended: {speaker.channel.ending}")
    said = [entry for entry in journal.entries[begun:] if isinstance(entry, Message) and entry.is_sent]
    has_beaten = any(message.is_protocol for message in said)
    require(codec.heartbeat_s is None or has_beaten, "the codec wants a heartbeat, and nothing was said")


def _require_body(heard: Message, body: Any) -> None:
    if isinstance(body, dict) and isinstance(heard.body, dict):
        is_same = all(key in heard.body and heard.body[key] == value for key, value in body.items())
    else:
        is_same = heard.body == body
    require(is_same, f"on a channel {heard.name} was said with {body!r} and heard with {heard.body!r}")


_WITHIN_S: Final = 60.0
