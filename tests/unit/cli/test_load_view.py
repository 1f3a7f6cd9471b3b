"""The view of a load: lines where there is no terminal, frames and keys where there is one, and its end."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from load_records import LoadBook
from load_watching import FakeDirector

from antiphon.cli.load_view import LoadView
from antiphon.cli.screen import Screen
from antiphon.journal.figures import LoadStarted


class Terminal:
    """A terminal of 24 lines that our input and output are; what is written to it is read at once, into `written`."""

    def __init__(self) -> None:
        self.written = ""
        self.output: Any = None
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.master)
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a character may come in two chunks
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def wait_for(self, *texts: str) -> None:
        """Wait until these were written, one behind the other."""
        pattern = re.compile(".*".join(map(re.escape, texts)), re.DOTALL)
        with self._news:
            assert self._news.wait_for(lambda: pattern.search(self.written), 20), self.written

    def close(self) -> None:
        os.close(self.slave)
        self._thread.join()
        os.close(self.master)

    def _read(self) -> None:
        try:
            while chunk := os.read(self.master, 65536):
                with self._news:
                    self.written += self._decoder.decode(chunk)
                    self._news.notify_all()
        except OSError:  # nobody has the other side any more
            return


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    made = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    with os.fdopen(os.dup(made.slave), "r") as input_, os.fdopen(os.dup(made.slave), "w") as output:
        monkeypatch.setattr(sys, "stdin", input_)
        made.output = output
        yield made
    made.close()


def viewed(entries: list[Any], **options: Any) -> LoadView:
    """A view that has seen these entries, and is closed."""

    async def show() -> LoadView:
        view, director = LoadView(Screen(), **options), FakeDirector()
        first, *rest = entries
        director.play(view, [first])
        view.begin(director)  # type: ignore[arg-type]
        director.play(view, rest)
        view.close()
        return view

    return asyncio.run(show())


@pytest.fixture(scope="module")
def book() -> LoadBook:
    return LoadBook(seconds=60, loses_process=True)


def test_there_is_a_line_every_five_seconds_and_one_for_what_happens(
    book: LoadBook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert viewed(book.entries()).error is None
    told = capsys.readouterr()
    assert told.err == ""
    assert "\x1b" not in told.out
    lines = told.out.splitlines()
    every = [line for line in lines if " rate " in line]
    assert [line[:5] for line in every] == [f"{s // 60:02}:{s % 60:02}" for s in range(5, 71, 5)]
    others = [line for line in lines if " rate " not in line]
    assert others == [
        "00:31  outgoing raised to 20/s",
        "00:46  process 1 of the generator was lost: it was killed by SIGKILL",
    ]


def test_the_end_is_told_in_full(book: LoadBook, capsys: pytest.CaptureFixture[str]) -> None:
    view = viewed(book.entries(), is_quiet=True)
    assert capsys.readouterr() == ("", "")
    view.tell_end()
    told = capsys.readouterr().out
    assert told.splitlines()[0].startswith("INCONCLUSIVE")
    assert "why conversations failed" in told
    assert "outbound_call" in told


def test_the_end_is_compared_with_the_baseline(
    book: LoadBook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("antiphon.report.load.bootstrap.DRAWS", 100)
    slower, before = LoadBook(seconds=60, slower=3.0), FakeDirector()
    before.play(type("", (), {"see": lambda self, entry: None})(), book.entries())
    view = viewed(slower.entries(), is_quiet=True, baseline=before.figures)
    view.tell_end()
    assert "beside the baseline" in capsys.readouterr().out


def test_of_a_load_that_never_began_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    view = LoadView(Screen())
    view.close()
    view.tell_end()
    assert capsys.readouterr() == ("", "")


def test_what_the_view_raises_does_not_reach_the_load(
    book: LoadBook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: Any) -> str:
        raise ValueError("a mistake of the view")

    monkeypatch.setattr("antiphon.cli.load_view.plain_line", fail)
    view = viewed(book.entries())
    assert str(view.error) == "a mistake of the view"
    assert isinstance(book.entries()[0], LoadStarted)
    capsys.readouterr()


def test_a_terminal_gets_frames_and_gives_keys(
    book: LoadBook, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal.output)  # here: pytest has its own between a fixture and its test

    async def show() -> tuple[LoadView, FakeDirector]:
        view, director = LoadView(Screen()), FakeDirector()
        first, *rest = book.entries()
        director.play(view, [first])
        view.begin(director)  # type: ignore[arg-type]
        assert termios.tcgetattr(terminal.master) != terminal.before
        director.play(view, rest[:30])
        await asyncio.to_thread(terminal.wait_for, "00:30 of 02:00")
        os.write(terminal.master, b"p")
        await asyncio.to_thread(terminal.wait_for, "paused")
        os.write(terminal.master, b"s")
        await asyncio.to_thread(terminal.wait_for, "ending")
        view.close()
        view.close()
        return view, director

    view, director = asyncio.run(show())
    assert view.error is None
    assert director.said == ["pause", "end 30"]
    assert termios.tcgetattr(terminal.master) == terminal.before
    view.tell_end()
    terminal.wait_for("\x1b[?1049l", "UNFINISHED", "outbound_call")
    frames, _, _ = terminal.written.partition("\x1b[?1049l")
    assert frames.startswith("\x1b[?1049h")
    assert frames.endswith("\x1b[?25h")


def test_a_terminal_that_is_gone_holds_nothing_up(
    book: LoadBook, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal.output)

    async def show() -> LoadView:
        view, director = LoadView(Screen()), FakeDirector()
        director.play(view, book.entries()[:1])
        view.begin(director)  # type: ignore[arg-type]
        nothing = os.open(os.devnull, os.O_RDONLY)  # what cannot be written to, as a terminal that has hung up
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
        director.play(view, book.entries()[1:10])
        view.close()
        return view

    assert asyncio.run(show()).error is None


def test_a_terminal_that_stands_still_does_not_hold_up_the_load(
    book: LoadBook, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal.output)

    async def show() -> LoadView:
        view, director = LoadView(Screen()), FakeDirector()
        director.play(view, book.entries()[:1])
        view.begin(director)  # type: ignore[arg-type]
        await asyncio.to_thread(terminal.wait_for, "running")
        termios.tcflow(terminal.slave, termios.TCOOFF)  # what Ctrl-S does
        director.play(view, book.entries()[1:])
        termios.tcflow(terminal.slave, termios.TCOON)
        view.close()
        return view

    assert asyncio.run(show()).error is None
    terminal.wait_for("\x1b[?1049l")
    assert termios.tcgetattr(terminal.master) == terminal.before
