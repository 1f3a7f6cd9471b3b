"""Peers that do not read, and mailboxes that nobody empties: bounded in bytes, and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from club import become

from antiphon import (
    Actor,
    ChannelClosed,
    DeadlinePassed,
    Ending,
    Link,
    Message,
    Run,
    ScenarioError,
    SendBufferFull,
    Text,
    TransportError,
    scenario,
)
from antiphon.journal import ChannelEnded, Note
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]
MIB = 1 << 20


class Teller(Actor):
    line = Link("{peer}", dialect=Text(), within_s=5, max_unsent_bytes=3 * MIB)


@pytest.fixture
def deaf(peer: Any) -> list[Any]:
    """The peer does not read; what it hears once it does."""
    heard: list[Any] = []

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        connection.pause()

    peer.on_opened, peer.on_data = on_opened, heard.append
    return heard


def test_what_was_said_before_a_close_and_lost_fails_the_run(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    @scenario
    async def lost(teller: Teller) -> None:
        teller.send("text", "x" * MIB)

    with pytest.raises(TransportError) as failed:
        play_with(lost)
    assert "1,048,576 bytes" in str(failed.value)
    assert "does not read" not in failed.value.text
    assert failed.value.run.verdict == "failed"
    (ended,) = [entry for entry in failed.value.run.journal if isinstance(entry, ChannelEnded)]
    assert ended.unsent_bytes == MIB
    assert deaf == []


def test_what_was_said_before_a_close_is_waited_for(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    """For longer than any deadline, as long as the peer reads: a piece each half second."""

    class Hurried(Actor):
        line = Link("{peer}", dialect=Text(), within_s=0.01)

    def on_data(data: Any) -> None:
        deaf.append(data)
        connection = peer.connection
        if connection is not None:
            connection.pause()
            hurried[0].runtime.loop.call_later(0.02, connection.resume)

    hurried: list[Any] = []
    peer.on_data = on_data

    @scenario
    async def heard(actor: Hurried) -> Ending:
        hurried.append(actor)
        for _ in range(10):
            actor.send("text", "x" * MIB)
        peer.connection.resume()
        return await actor.close()

    ending = play_with(heard).value
    assert ending.is_clean
    assert len(deaf) == 10


def test_more_than_may_be_unsent_is_an_error_with_figures(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    @scenario
    async def flooding(teller: Teller) -> None:
        for _ in range(4):
            teller.send("text", "x" * MIB)
        with pytest.raises(SendBufferFull) as full:
            teller.send("text", "x" * MIB)
        assert "4,194,304 bytes have not left, and none has for" in str(full.value)
        assert "flushed()" in str(full.value)
        assert "test_back_pressure.py" in str(full.value.place)
        with pytest.raises(SendBufferFull):
            teller.send("text", "x")
        assert teller.line.unsent_bytes == 4 * MIB
        peer.connection.resume()
        await teller.line.flushed()
        assert teller.line.unsent_bytes == 0
        teller.send("text", "x")
        await teller.line.flushed()

    run = play_with(flooding)
    assert [len(data) for data in deaf] == [MIB] * 4 + [1]
    sent = [entry for entry in run.journal if isinstance(entry, Message)]
    assert len(sent) == 5, "what was not sent is not in the journal"
    notes = [entry.text for entry in run.journal if isinstance(entry, Note) and "behind" in entry.text]
    assert [note.split()[5] for note in notes] == ["1,048,576", "2,097,152", "4,194,304"]


def test_a_small_bound_is_kept_by_small_messages(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    class Narrow(Actor):
        line = Link("{peer}", dialect=Text(), within_s=5, max_unsent_bytes=1000)

    @scenario
    async def flooding(narrow: Narrow) -> int:
        for _ in range(100):
            try:
                narrow.send("text", "x" * 100)
            except SendBufferFull:
                break
        unsent_bytes = narrow.line.unsent_bytes
        peer.connection.resume()
        return unsent_bytes

    assert 1000 < play_with(flooding).value <= 2100


def test_retrying_what_cannot_be_sent_forgets_nothing(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    """What was refused was not recorded, and does not count as if it were."""

    @scenario
    async def stubborn(teller: Teller) -> None:
        for _ in range(4):
            teller.send("text", "x" * MIB)
        for _ in range(50):
            with pytest.raises(SendBufferFull):
                teller.send("text", "x" * 2 * MIB)
        peer.connection.resume()
        await teller.line.flushed()

    sent = [entry for entry in play_with(stubborn).journal if isinstance(entry, Message)]
    assert len(sent) == 4


def test_flushing_has_a_deadline(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    @scenario
    async def flushing(teller: Teller) -> None:
        teller.send("text", "x" * MIB)
        with pytest.raises(DeadlinePassed, match=r"1,048,576 bytes had not left after 0\.01 s"):
            await teller.line.flushed(within_s=0.01)
        peer.connection.resume()
        await teller.line.flushed()

    play_with(flushing)
    assert len(deaf) == 1


@pytest.mark.parametrize("run_loop", [VirtualTimeLoop], ids=["virtual"], indirect=True)
def test_what_left_while_our_loop_stood_still_was_not_late(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    @scenario
    async def flushing(teller: Teller) -> None:
        teller.send("text", "x" * MIB)
        flushed = asyncio.ensure_future(teller.line.flushed(within_s=1))
        await asyncio.sleep(0)
        asyncio.get_running_loop()._virtual_ns += 2_000_000_000  # type: ignore[attr-defined]
        asyncio.get_running_loop().call_soon(peer.connection.resume)
        await flushed

    play_with(flushing)
    assert len(deaf) == 1


def test_flushing_ends_with_the_connection(peer: Any, play_with: Play, deaf: list[Any]) -> None:
    @scenario
    async def flushing(teller: Teller) -> None:
        teller.send("text", "x" * MIB)
        teller.runtime.loop.call_soon(peer.connection.abort)
        with pytest.raises(ChannelClosed, match="before all that was said had left"):
            await teller.line.flushed()
        with pytest.raises(ChannelClosed, match="was lost"):
            await teller.line.flushed()

    play_with(flushing)


class Patient(Actor):
    line = Link("{peer}", dialect=Text(), within_s=5, mailbox_bytes=100, when_full="pause")


def test_reading_pauses_while_the_mailbox_is_full_and_nobody_waits(peer: Any, play_with: Play) -> None:
    @scenario
    async def patience(patient: Patient) -> list[str]:
        connection, waited = peer.connection, []
        for number in range(20):
            connection.send(f"{number:02} " + "x" * 47)
            if number < 3:
                await connection.drained()
        kept = len(patient.line.mailbox)
        assert kept == 3
        assert connection.unsent_bytes == 17 * 50
        waited.append((await patient.expect(where=lambda text: text.startswith("19"))).body[:2])
        assert connection.unsent_bytes == 0
        assert patient.line.mailbox.dropped == 0
        waited += [message.body[:2] for message in patient.drain()]
        return waited

    assert play_with(patience).value == ["19", *(f"{number:02}" for number in range(19))]


def test_reading_pauses_on_the_next_connection_too(peer: Any, play_with: Play) -> None:
    @scenario
    async def patience(patient: Patient) -> int:
        for _ in range(2):
            for _ in range(20):
                peer.connection.send("x" * 50)
                await asyncio.sleep(0)
            assert peer.connection.unsent_bytes
            kept = len(patient.line.mailbox)
            patient.line.abort()
            await become(lambda: not patient.line.is_open)  # a wait would let the reading go on
            await patient.line.open()
        return kept

    assert play_with(patience).value <= 6


def test_taking_what_is_there_lets_the_reading_go_on(peer: Any, play_with: Play) -> None:
    @scenario
    async def patience(patient: Patient) -> tuple[int, int]:
        connection = peer.connection
        for _ in range(3):
            connection.send("x" * 50)
        await connection.drained()
        for _ in range(2):
            connection.send("x" * 50)
        taken = len(patient.drain())
        await connection.drained()
        return taken, len(patient.line.mailbox)

    assert play_with(patience).value == (3, 2)


def test_what_a_full_mailbox_does_is_checked() -> None:
    with pytest.raises(ScenarioError, match="when_full"):
        Link("{peer}", dialect=Text(), when_full="burst")  # type: ignore[arg-type]


def test_the_journal_in_memory_is_bounded_in_bytes(peer: Any, play_with: Play) -> None:
    @scenario
    async def large(teller: Teller) -> None:
        for _ in range(100):
            peer.connection.send("x" * MIB)
            await teller.expect()

    kept = sum(len(entry.raw) for entry in play_with(large).journal if isinstance(entry, Message))
    assert 60 * MIB <= kept <= 66 * MIB
