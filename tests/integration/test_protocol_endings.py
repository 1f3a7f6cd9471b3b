"""How a protocol ends above the wire: two goodbyes, one that does not come, and a peer that has fallen silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from club import Club, Doorkeeper, become

from antiphon import (
    Accepted,
    Actor,
    ChannelClosed,
    Codec,
    ConnectFailed,
    Data,
    Ending,
    Link,
    Message,
    OpeningRefused,
    Run,
    ScenarioError,
    Stand,
    listen,
    perform,
    scenario,
)
from antiphon.journal import ChannelEnded, Note
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

Play = Callable[..., Run]


class Member(Actor):
    line = Link("{peer}", dialect=Club(name="a", password="b"), within_s=60, open_within_s=2)


@pytest.fixture
def heard(peer: Any) -> list[Data]:
    """What the peer hears; it lets everybody in."""
    heard: list[Data] = []

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Data) -> None:
        heard.append(data)
        if str(data).startswith("LOGIN"):
            peer.connection.send(peer.welcome)

    peer.welcome = "WELCOME t1"
    peer.on_opened, peer.on_data = on_opened, on_data
    return heard


@contextmanager
def in_virtual_time() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        yield runner


def performed(peer: Any, scene: Any, **options: Any) -> Run:
    """Performed in virtual time."""

    async def play_here() -> Run:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", peer.accept)
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        try:
            return await perform(scene, stand=stand, **{"runs": None, "linger_s": 0.0, **options})
        finally:
            await listening.close()

    with in_virtual_time() as runner:
        return runner.run(play_here())


def test_the_wire_is_closed_when_the_peer_has_said_its_goodbye(peer: Any, play_with: Play, heard: list[Data]) -> None:
    order: list[str] = []

    @scenario
    async def leave(guest: Member) -> Ending:
        goodbye = guest.close(4001, "enough")
        await become(lambda: "BYE" in heard)
        order.append("open" if not peer.endings else "closed")
        peer.connection.send("SAY last words")
        peer.connection.send("BYE")
        ending = await goodbye
        await guest.expect("last")
        return ending

    ending = play_with(leave).value
    assert order == ["open"]
    assert (ending.code, ending.reason, ending.by) == (4001, "enough", "us")
    assert peer.endings[0].code == 4001
    assert heard == ["LOGIN a b", "BYE"]


def test_a_goodbye_that_does_not_come_is_waited_for_for_a_while(peer: Any, heard: list[Data]) -> None:
    @scenario
    async def leave(guest: Member) -> Ending:
        guest.close()
        return await guest.close()  # once said is enough

    run = performed(peer, leave)
    (note,) = [entry for entry in run.journal if isinstance(entry, Note)]
    assert note.text == "guest.line: the other side did not say its protocol's goodbye within 5 s"
    assert 5e9 <= note.at_ns <= 11e9
    assert run.value.by == "us"
    assert heard == ["LOGIN a b", "BYE"]


def test_a_peer_that_ends_the_wire_instead_of_answering_is_not_waited_for(
    peer: Any, play_with: Play, heard: list[Data]
) -> None:
    @scenario
    async def leave(guest: Member) -> Ending:
        goodbye = guest.close()
        await become(lambda: "BYE" in heard)
        peer.connection.abort()
        return await goodbye

    run = play_with(leave)
    assert run.value.by == "wire"
    assert not [entry for entry in run.journal if isinstance(entry, Note)]


def test_the_protocols_goodbye_ends_the_connection_as_it_says(peer: Any, play_with: Play, heard: list[Data]) -> None:
    """The code is the protocol's; what is owed for the goodbye leaves before the wire is closed."""

    @scenario
    async def stay(guest: Member) -> Ending:
        peer.connection.send("SAY one\nBYE 139\nSAY two")
        ending = await guest.expect_close(139)
        await guest.expect("one")
        await guest.expect("two")
        return ending

    run = play_with(stay)
    assert run.value == Ending(code=139, reason="bye", by="peer", is_clean=True)
    assert heard == ["LOGIN a b", "BYE"]
    (ended,) = [entry for entry in run.journal if isinstance(entry, ChannelEnded)]
    assert (ended.code, ended.reason, ended.by) == (139, "bye", "peer")


def test_whoever_waits_is_told_the_protocols_ending(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def stay(guest: Member) -> None:
        peer.connection.send("BYE 139")
        await guest.expect("never")

    with pytest.raises(ChannelClosed, match="the server closed the connection with code 139 'bye'"):
        play_with(stay)


def test_a_code_that_cannot_be_sent_fails_the_run_when_it_is_sent_later(
    peer: Any, play_with: Play, heard: list[Data]
) -> None:
    @scenario
    async def leave(guest: Member) -> None:
        goodbye = guest.close(77)
        await become(lambda: "BYE" in heard)
        peer.connection.send("BYE")
        await goodbye
        await guest.until(lambda: False)

    with pytest.raises(ScenarioError, match=r"guest\.line cannot be closed like that: .*77"):
        play_with(leave)


def test_a_peer_that_is_silent_for_too_long_ends_the_connection(peer: Any, heard: list[Data]) -> None:
    peer.welcome = "WELCOME t1 20"

    @scenario
    async def wait(guest: Member) -> None:
        await asyncio.sleep(15)
        peer.connection.send("BEAT")
        await guest.expect("never")

    told = "we closed the connection: the other side said nothing for 20.000 s, and its protocol allows 20 s"
    with pytest.raises(ChannelClosed, match=told) as closed:
        performed(peer, wait)
    (ended,) = [entry for entry in closed.value.run.journal if isinstance(entry, ChannelEnded)]
    assert 35e9 <= ended.at_ns < 35.1e9


def test_silence_that_is_agreed_on_anew_counts_from_then(peer: Any, heard: list[Data]) -> None:
    peer.welcome = "WELCOME t1 20"

    @scenario
    async def wait(guest: Member) -> None:
        for _ in range(3):
            await asyncio.sleep(15)
            peer.connection.send("WELCOME t1 40")
        await asyncio.sleep(35)
        peer.connection.send("WELCOME t1")
        await asyncio.sleep(100)
        peer.connection.send("SAY here still")
        await guest.expect("here")
        guest.channel.abort()

    performed(peer, wait)


def test_a_silence_during_a_pause_of_ours_is_not_the_peers(peer: Any, heard: list[Data]) -> None:
    peer.welcome = "WELCOME t1 20"

    class Slow(Actor):
        line = Link(
            "{peer}",
            dialect=Club(name="a", password="b"),
            within_s=60,
            mailbox_limit=1,
            when_full="pause",
        )

    @scenario
    async def wait(guest: Slow) -> list[Any]:
        for word in ("one", "two", "three", "four"):
            peer.connection.send(f"SAY {word}")
        await asyncio.sleep(100)
        said = [(await guest.expect()).name for _ in range(4)]
        guest.channel.abort()
        return said

    assert performed(peer, wait).value == ["one", "two", "three", "four"]


# -- a server ---------------------------------------------------------------------------------------------------------


DOOR = Club()


class Door(Actor):
    line = Accepted(dialect=DOOR, within_s=5)


@pytest.mark.parametrize("password", ["sesame", "wrong"])
def test_a_server_has_the_other_side_of_a_dialect(run_loop: Any, password: str) -> None:
    class Knocker(Actor):
        line = Link("memory://door", dialect=Club(name="a", password=password), within_s=5)

    doors: list[Door] = []

    def accept(_opening: Any) -> Door:
        doors.append(Door())
        return doors[-1]

    @scenario
    async def enter(guest: Knocker) -> None:
        guest.send("hello")

    async def scene() -> Any:
        network = MemoryNetwork()
        async with await listen("memory://door", accept, listener=network) as server:
            try:
                await perform(enter, stand=Stand("test", transports={"memory": network}), runs=None)
            except OpeningRefused as refused:
                return refused.code
            finally:
                assert not server.failures
                codec = DOOR.made[-1]
                assert isinstance(codec, Doorkeeper)
                assert (codec.meeting.address, codec.meeting.headers["X-Token"]) == ("/?club", "")
            return (await doors[0].expect("hello")).name

    assert run_loop(scene()) == ("hello" if password == "sesame" else 5)


class Particular(Codec):
    """Ends the connection with a code of the wire's when it hears what it does not want; it opens by a word, too."""

    is_ready = False

    def decode(self, data: Data) -> list[Message]:
        if data == "welcome":
            self.is_ready = True
        else:
            self.ending = Ending(code=4400, reason="nonsense", by="us")
        return [Message("heard", data, data, is_protocol=True)]

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, str(body))


class Listening(Actor):
    line = Link("{peer}", dialect=Particular(), within_s=60, open_within_s=2)


def greeting(peer: Any, said: Data) -> None:
    def on_opened(connection: Any) -> None:
        peer.connection = connection
        connection.send(said)

    peer.on_opened = on_opened


def test_a_protocol_closes_the_wire_with_its_own_code(peer: Any, play_with: Play) -> None:
    greeting(peer, "welcome")

    @scenario
    async def hear(actor: Listening) -> Ending:
        peer.connection.send("what?")
        return await actor.expect_close(4400)

    assert play_with(hear).value == Ending(code=4400, reason="nonsense", by="us")
    assert [(ending.code, ending.reason) for ending in peer.endings] == [(4400, "nonsense")]


def test_a_code_before_the_protocol_is_open_is_a_refusal(peer: Any, play_with: Play) -> None:
    peer.on_opened = lambda connection: connection.close(4403, "Forbidden")

    @scenario
    async def enter(actor: Listening) -> None: ...

    with pytest.raises(OpeningRefused, match="the server closed the connection with code 4403 'Forbidden'") as refused:
        play_with(enter)
    assert refused.value.code == 4403


def test_a_wire_that_breaks_before_the_protocol_is_open_is_no_refusal(peer: Any, play_with: Play) -> None:
    peer.on_opened = lambda connection: connection.abort()

    @scenario
    async def enter(actor: Listening) -> None: ...

    with pytest.raises(ConnectFailed, match="the connection was lost") as failed:
        play_with(enter)
    assert not isinstance(failed.value, OpeningRefused)
