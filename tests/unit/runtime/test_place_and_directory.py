"""A place is told relative to the working directory, and its line of source is found from another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.conversation.source_code import line_at
from antiphon.runtime.call_site import place


def test_a_line_is_found_after_the_process_has_gone_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for directory in (here, there):
        directory.mkdir()
    (here / "gone_elsewhere.py").write_text("first = 1\n")
    monkeypatch.chdir(here)
    told = place(str(here / "gone_elsewhere.py"), 1)
    assert told == "gone_elsewhere.py:1"
    monkeypatch.chdir(there)
    assert line_at(told) == "first = 1"


def test_no_line_is_told_where_it_may_be_that_of_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "of_both.py").write_text(f"name = {name!r}\n")
        monkeypatch.chdir(directory)
        told = place(str(directory / "of_both.py"), 1)
        assert told == "of_both.py:1"
    assert line_at(told) == ""
