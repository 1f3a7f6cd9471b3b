"""A sink in a thread of its own: everything, in order, and no failure lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from antiphon.conversation.message import Message
from antiphon.journal import Note
from antiphon.report.formats import background
from antiphon.report.formats.background import LARGE_BYTES, Background


def note(text: str) -> Note:
    return Note(at_ns=0, text=text)


def give(sink: Background, *entries: Any) -> None:
    for entry in entries:
        sink(entry)


def test_all_entries_come_in_order_and_are_there_when_it_is_closed() -> None:
    told: list[str] = []
    sink = Background(lambda entry: told.append(entry.text))
    for number in range(5000):
        sink(note(str(number)))
    sink.close()
    assert told == [str(number) for number in range(5000)]


def test_whoever_records_does_not_do_the_work_but_for_the_first_entry() -> None:
    threads: list[threading.Thread] = []
    sink = Background(lambda _: threads.append(threading.current_thread()))
    for text in "abc":
        sink(note(text))
    sink.close()
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [True, False, False]
    assert not threads[-1].is_alive()


def test_the_first_entry_that_cannot_be_written_is_told_at_once() -> None:
    def full(_: Any) -> None:
        raise OSError("no room")

    sink = Background(full)
    with pytest.raises(OSError, match="no room"):
        sink(note("a"))
    sink.close()


def test_a_failure_is_told_once_and_what_follows_is_given_all_the_same() -> None:
    told: list[str] = []

    def write(entry: Any) -> None:
        text = getattr(entry, "text", "large")
        told.append(text)
        if text in "bc":
            raise OSError(f"no room for {text}")

    sink = Background(write)
    sink(note("a"))
    with pytest.raises(OSError, match="no room for b"):
        give(sink, note("b"), Message("large", None, "x" * (LARGE_BYTES + 1)))
    sink(note("e"))
    sink(note("c"))
    with pytest.raises(OSError, match="no room for c"):
        sink.close()
    sink.close()
    assert told == ["a", "b", "large", "e", "c"]


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_failure_is_told_in_the_loop_while_nothing_is_recorded(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    where: list[threading.Thread] = []

    def write(entry: Any) -> None:
        if entry.text == "b":
            raise OSError("no room")

    async def be_told() -> str:
        heard = asyncio.get_running_loop().create_future()

        def hear(error: Exception) -> None:
            where.append(threading.current_thread())
            heard.set_result(str(error))

        sink = Background(write)
        sink.tell_failures(hear)
        give(sink, note("a"), note("b"))
        told: str = await heard
        sink.close()  # it has been told
        return told

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(be_told()) == "no room"
    assert where == [threading.current_thread()]


def test_it_is_so_far_behind_and_no_farther(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "GATHER_S", 3600)  # for ever, where nothing is urgent
    monkeypatch.setattr(background, "MOST", 3)
    told: list[str] = []
    sink = Background(lambda entry: told.append(entry.text))
    after: list[int] = []
    for text in "abcdefg":
        sink(note(text))
        after.append(len(told))
    assert after == [1, 1, 1, 4, 4, 4, 7]
    sink(note("h"))
    sink.close()
    assert "".join(told) == "abcdefgh"


def test_a_large_message_is_waited_for() -> None:
    got: list[str] = []
    sink = Background(lambda entry: got.append(entry.name))
    sink(Message("first", None, "{}"))
    sink(Message("small", None, "{}"))
    sink(Message("large", None, "x" * (LARGE_BYTES + 1)))
    assert got == ["first", "small", "large"]
    sink.close()


def test_what_becomes_of_a_message_later_is_not_written() -> None:
    may_write = threading.Event()
    written: list[Any] = []

    def write(message: Any) -> None:
        if message.name != "first":
            may_write.wait()
        written.append(message.raw)

    sink = Background(write)
    sink(Message("first", None, "1"))
    message = Message("second", None, "2")
    sink(message)
    message.raw = "another"
    may_write.set()
    sink.close()
    assert written == ["1", "2"]


def test_without_an_entry_there_is_nothing_to_close() -> None:
    before = threading.active_count()
    Background(lambda _: None).close()
    assert threading.active_count() == before
