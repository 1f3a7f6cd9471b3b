"""The view of a load where there is no terminal: a line every five seconds, what happens to it, and its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from load_records import LoadBook
from load_watching import FakeDirector

from antiphon.cli.load_view import LoadView
from antiphon.cli.screen import Screen
from antiphon.journal.figures import LoadStarted


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


def test_the_end_is_compared_with_the_baseline(book: LoadBook, capsys: pytest.CaptureFixture[str]) -> None:
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
