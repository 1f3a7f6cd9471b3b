"""The record of a conversation under load: kept as far as there is room, and written afterwards."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load.conftest import Load, SlowPeer
from tests.integration.recorded.conversations import DEEDS, Talker, as_a_list, everything

from antiphon import Actor, AntiphonError, Json, Link, Message, Run, Scenario, Stand, action, perform, scenario
from antiphon.journal import Note, RunEnded, RunStarted, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.file import FILE_NAME, WrittenMessage, read_journal
from antiphon.journal.recording import load_reports, make_report
from antiphon.load.meter import Meter
from antiphon.load.metered_journal import MeteredJournal
from antiphon.scenarios.runner import performed
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork


class Operator(Actor):
    desk = Link("{peer}", dialect=Json(name="action", body="data", reply="result{Name}"), within_s=5)

    @action
    async def log_in(self, password: str) -> None:
        await self.ask("logIn", password=password)

    @action
    async def work(self, calls: int) -> None:
        """Long enough for its beginning to fall out."""
        for number in range(calls):
            await self.call(number)

    @action
    async def call(self, number: int) -> None:
        await self.ask("call", number=number)

    @action
    async def hear(self) -> None:
        await self.expect("never")


@scenario
async def working(operator: Operator, calls: int) -> None:
    await operator.log_in("hunter2-of-the-talk")
    await operator.work(calls)


@pytest.fixture
def answering(slow_peer: SlowPeer) -> SlowPeer:
    slow_peer.answers("logIn", 5, "resultLogIn", token="s3cr3t-of-this-session")
    slow_peer.answers("call", 10, "resultCall", link="/calls?of=s3cr3t-of-this-session")
    return slow_peer


# -- what is kept -----------------------------------------------------------------------------------------------------


def journal_of(keep: int, **options: Any) -> MeteredJournal:
    return MeteredJournal(Meter().measuring("calls"), keep, **options)


def notes_of(journal: MeteredJournal, count: int) -> list[Note]:
    notes = [Note(at_ns=number, text=str(number)) for number in range(count)]
    for note in notes:
        journal.record(note)
    return notes


def test_of_what_is_too_long_to_be_kept_whole_the_last_is_kept() -> None:
    journal = journal_of(3, whole=5)
    notes = notes_of(journal, 5)
    assert journal.entries == notes
    journal.record(Note(at_ns=6, text="one more"))
    assert [note.text for note in journal.entries] == ["3", "4", "one more"]
    assert notes_of(journal, 9)[-3:] == journal.entries


def test_room_is_made_when_there_is_time_and_asked_for_once() -> None:
    asked: list[Callable[[], None]] = []
    journal = journal_of(3, whole=5, soon=asked.append)
    notes = notes_of(journal, 9)
    assert len(journal.entries) >= 5
    (make_room,) = asked
    make_room()
    assert journal.entries == notes[-3:]
    journal.forget()
    make_room()
    assert journal.entries == []


def test_one_that_keeps_nothing_measures_all_the_same() -> None:
    meter = Meter()
    journal = MeteredJournal(meter.measuring("calls"), 0)
    journal.record(Message("m", {}, "text", is_sent=True))
    assert journal.entries == []
    assert meter.take(1).traffic.sent == 1


def test_large_messages_make_room_at_once() -> None:
    journal = journal_of(100, keep_bytes=2_500)
    messages = [Message("m", {}, "x" * 1_000, at_ns=number) for number in range(1, 6)]
    for message in messages:
        journal.record(message)
        journal.weigh(message, 1_000)
    assert journal.entries == messages[-2:]


@pytest.mark.parametrize("keep", [1, 100])
def test_a_watch_gets_what_was_before_and_what_is_new_as_it_happens(keep: int) -> None:
    journal, seen = journal_of(keep), []
    journal.masker.learn("hunter2-of-the-talk")
    journal.record(Note(at_ns=1, text="it is hunter2-of-the-talk"))
    journal.attach(lambda entry: seen.append(entry.text))
    assert seen == ["it is ***"]
    assert not journal.has_sinks
    journal.record(Note(at_ns=2, text="2"))
    journal.record(Note(at_ns=3, text="3"))
    assert seen == ["it is ***", "2", "3"]
    journal.detach()
    journal.record(Note(at_ns=4, text="4"))
    assert seen == ["it is ***", "2", "3"]
    assert journal.entries[-1].text == "4"


def test_nothing_is_put_into_words_while_the_run_goes_on(load: Load, answering: SlowPeer) -> None:
    run = load.perform(working, calls=20)
    assert run.error is None
    (journal,) = load.journals
    assert not any(isinstance(each, (StepStarted, StepEnded, WaitStarted, WaitEnded)) for each in journal._ring)


# -- what is written --------------------------------------------------------------------------------------------------


def conversed(conversation: Scenario[Any, Any], seed: int, is_load: bool, directory: Path) -> None:
    """Perform what records entries of nearly every kind, as it is recorded or as under load."""

    async def here() -> None:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", Talker(seed).accept)
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        order = list(range(len(DEEDS)))
        if is_load:
            journal = journal_of(10_000)
            assert (await performed(conversation, {"order": order}, stand, journal, linger_s=0)).verdict
            journal.write_to(directory)
        else:
            with suppress(AntiphonError):
                await perform(
                    conversation, stand=stand, runs=None, directory=directory, reports=(), linger_s=0.0, order=order
                )
        await listening.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(here())


@pytest.mark.parametrize("conversation", [everything, as_a_list])
def test_what_is_written_afterwards_is_what_a_recorded_run_writes(
    conversation: Scenario[Any, Any], tmp_path: Path
) -> None:
    for name in ("recorded", "load"):
        (tmp_path / name).mkdir()
        conversed(conversation, 1, name == "load", tmp_path / name)
    recorded, load = ((tmp_path / name / FILE_NAME).read_text().splitlines() for name in ("recorded", "load"))
    assert len(recorded) > 50
    assert load[1:] == recorded[1:]
    assert type(next(read_journal(tmp_path / "load" / FILE_NAME))) is RunStarted


def test_of_a_long_conversation_the_end_is_written_as_a_record_of_its_own(
    load: Load, answering: SlowPeer, tmp_path: Path
) -> None:
    load.perform(working, keep=40, calls=100)
    load.journals[0].write_to(tmp_path)
    entries = list(read_journal(tmp_path / FILE_NAME))

    (note,) = (entry for entry in entries if isinstance(entry, Note))
    before = entries[: entries.index(note)]
    assert isinstance(before[0], RunStarted)
    assert {type(entry) for entry in before[1:]} <= {StepStarted, WaitStarted}
    assert before[1].action == "work"
    assert note.text == "earlier entries are not kept: of a conversation with more than 40 the last 40 are"
    assert isinstance(entries[-1], RunEnded)
    begun = {entry.number for entry in entries if isinstance(entry, StepStarted)}
    assert begun == {entry.number for entry in entries if isinstance(entry, StepEnded)}
    waits = {entry.number for entry in entries if isinstance(entry, WaitStarted)}
    assert waits == {entry.number for entry in entries if isinstance(entry, WaitEnded)}
    assert {entry.step for entry in entries if isinstance(entry, WrittenMessage)} <= begun | {0}
    assert [entry.at_ns for entry in entries] == sorted(entry.at_ns for entry in entries)


@pytest.mark.parametrize("keep", [40, 10_000])
def test_no_secret_is_written_also_if_what_taught_it_fell_out(
    load: Load, answering: SlowPeer, tmp_path: Path, keep: int
) -> None:
    load.perform(working, keep=keep, calls=100)
    load.journals[0].write_to(tmp_path)
    written = (tmp_path / FILE_NAME).read_text()
    assert "/calls?of=***" in written
    assert "s3cr3t" not in written
    assert "hunter2" not in written


def test_every_report_is_made_of_it(load: Load, answering: SlowPeer, tmp_path: Path) -> None:
    load.perform(working, keep=40, calls=100)
    load.journals[0].write_to(tmp_path)
    for report in ("files", "trace", "junit", "summary", "mermaid", "har", "allure"):
        assert load_reports([report])
        make_report(tmp_path, report)
    assert "call" in (tmp_path / "trace.html").read_text()


def test_a_failed_wait_is_written_as_it_was(load: Load, tmp_path: Path) -> None:
    @scenario
    async def failing(operator: Operator) -> None:
        await asyncio.sleep(1)  # its beginning has been taken when it fails
        await operator.hear()

    load.perform(failing)
    load.journals[0].write_to(tmp_path)
    entries = list(read_journal(tmp_path / FILE_NAME))
    (begun,) = (entry for entry in entries if isinstance(entry, WaitStarted) and entry.awaits == "message")
    (ended,) = (entry for entry in entries if isinstance(entry, WaitEnded) and entry.number == begun.number)
    assert (ended.outcome, ended.error, ended.at_ns - begun.at_ns) == ("failed", "DeadlinePassed", 5_000_000_000)


def test_what_cannot_be_written_is_told(load: Load, answering: SlowPeer, tmp_path: Path) -> None:
    load.perform(working, calls=1)
    with pytest.raises(AntiphonError, match="the journal cannot be made"):
        load.journals[0].write_to(tmp_path / "nowhere")


# -- what it takes ----------------------------------------------------------------------------------------------------


def test_it_keeps_no_more_than_it_is_told_to(load: Load, answering: SlowPeer) -> None:
    sizes = []
    for calls in (100, 400):
        load.perform(working, keep=64, calls=calls)
        journal = load.journals[-1]
        sizes.append((len(journal._ring), len(journal.entries)))
    assert sizes == [(64, 64)] * 2


@pytest.mark.usefixtures("collects_quickly")
def test_a_conversation_that_was_forgotten_is_gone() -> None:
    def answered(peer: SlowPeer) -> SlowPeer:
        peer.answers("logIn", 5, "resultLogIn")
        peer.answers("call", 5, "resultCall")
        return peer

    load = Load(answered(SlowPeer()))
    gc.collect()
    gc.disable()
    try:
        run: Run = load.perform(working, calls=20)
        operator = weakref.ref(run.operator)
        journal = load.journals[0]
        del run
        load.runs.clear()
        load.journals.clear()
        assert operator() is not None  # the record leads to it
        journal.forget()
        assert operator() is None
    finally:
        gc.enable()
