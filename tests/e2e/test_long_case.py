"""The long case of the examples, from ready to wrapped up: a test under pytest, and fifty a second, by one file."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.report.load.figures import read_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

EXAMPLES = Path(__file__).parents[2] / "examples" / "contact_centre"
FILES = ("desk.py", "outside.py", "inbound.py", "test_inbound.py", "antiphon.toml")
RATE, CASES = 50, 200

PASSED, INCONCLUSIVE = 0, 5
"""On a machine that is busy with tests the times may not be trusted; that all pass is asserted for itself."""

CALLED = {"sign_in": 1, "dials": 1, "accept_interaction": 1, "mute": 2, "hold": 1, "resume": 1, "hang_up": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(EXAMPLES / name, tmp_path / name)
    return tmp_path


def run(folder: Path, *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_it_is_a_test_and_a_load_as_it_stands(folder: Path) -> None:
    code, told = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "test_inbound.py::test_long_case")
    assert code == 0, told

    options = ["--rate", f"{RATE}/s", "--count", str(CASES), "--rings-s", "0.1", "--runs", "loads", "--keep", "none"]
    table = ["--table", "cases.csv:outcome,interaction_id,customer.interaction_id,record.state,record.ended_by"]
    code, told = run(folder, "antiphon", "load", "inbound.py:long_case", *options, *table)
    assert code in (PASSED, INCONCLUSIVE), told

    (directory,) = (folder / "loads").iterdir()
    figures = read_figures(directory)
    assert figures.audit is not None
    assert figures.audit.problems == []
    assert figures.total.due == figures.total.started == figures.total.passed == figures.audit.passed == CASES
    measured = {name: series.histogram.count for name, series in figures.series.items()}
    assert {name: measured[f"long_case/{name}"] for name in CALLED} == {n: CASES * k for n, k in CALLED.items()}

    with (folder / "cases.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # Each took one call to its end, and each call that came in was somebody's.
    assert {(row["outcome"], row["record.state"], row["record.ended_by"]) for row in rows} == {
        ("passed", "finished", "agent")
    }
    taken, begun = ({row[name] for row in rows} for name in ("interaction_id", "customer.interaction_id"))
    assert taken == begun
    assert len(taken) == CASES

    for name in FILES:
        assert (folder / name).read_bytes() == (EXAMPLES / name).read_bytes()


@pytest.mark.parametrize("name", ["desk.py", "outside.py", "inbound.py"])
def test_no_actor_knows_of_a_load(name: str) -> None:
    assert not re.search(r"\bload", (EXAMPLES / name).read_text(encoding="utf-8"), re.IGNORECASE)
