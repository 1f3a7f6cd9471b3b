"""A load whose disk takes no more: what can be written is, whole, and how it went is told."""

from __future__ import annotations

import csv
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.report.load.figures import read_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

EXAMPLES = Path(__file__).parents[2] / "examples" / "contact_centre"


def load(place: Path, largest_bytes: int, *options: str) -> subprocess.CompletedProcess[str]:
    """Ten calls of the example's, where no file may be larger."""
    for name in ("calls.py", "desk.py", "antiphon.toml"):
        shutil.copy(EXAMPLES / name, place / name)
    command = ["antiphon", "load", "calls.py:outgoing", "--rate", "10/s", "--for", "1s", "--talk-s", "0"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_bytes, largest_bytes))

    return subprocess.run(
        [sys.executable, "-m", *command, *options],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=limit,
    )


def test_what_cannot_be_written_hides_nothing_that_can(tmp_path: Path) -> None:
    done = load(tmp_path, 16_000, "--keep", "sample:100%", "--report", "junit")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "10 passed" in done.stdout
    assert "a conversation could not be kept: the journal cannot be written: File too large" in done.stdout
    assert "the report 'html' cannot be written: File too large" in done.stderr
    (directory,) = (tmp_path / "runs").iterdir()
    figures = read_figures(directory)
    assert figures.total.passed == 10
    assert figures.kept == []
    # Nothing lies there that is not whole: the page and the conversations are too large.
    left = {path.name for path in directory.iterdir()} - {"summary.json"}
    assert left == {"conversations", "junit.xml", "load.jsonl", "seconds.csv"}
    assert list((directory / "conversations").iterdir()) == []


def test_a_table_that_is_full_has_whole_rows(tmp_path: Path) -> None:
    done = load(tmp_path, 15_000, "--keep", "none", "--table", "calls.csv:conversation,record,record.states,outcome")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "INTERRUPTED" in done.stdout
    assert "the table cannot be written: File too large" in done.stderr
    text = (tmp_path / "calls.csv").read_bytes().decode()
    rows = list(csv.reader(text.splitlines(keepends=True)))
    assert text.endswith("\r\n")
    assert {len(row) for row in rows} == {4}
    assert {row[3] for row in rows[1:]} == {"passed"}
