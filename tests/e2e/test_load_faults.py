"""A load at a centre where twenty things go wrong on purpose: each is one kind of failure, counted as the centre does,
and any one of them fails again alone."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.cli import main
from antiphon.journal import RunEnded
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.load.wordings import without_ids
from antiphon.report.load.figures import LoadFigures, read_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

EXAMPLES = Path(__file__).parents[2] / "examples" / "contact_centre"

FAULTS = (
    "late:resultHangUp:1.4",
    "late:newWorkitemState:1.4,where.state=wrapUp",
    "missing:resultHangUp",
    "missing:newWorkitemState,where.state=wrapUp",
    "missing:newRtc",
    "missing:resultGetAgentData",
    "missing:newAgentState,where.state=ready",
    "closed:resultHangUp:4000 maintenance",
    "closed:resultChangeAgentState:1011",
    "closed:newRtc:1006",
    "half:resultHangUp",
    "half:resultGetDictionaryData",
    "notjson:resultHangUp",
    "notjson:resultGetAgentData",
    "wrongid:newWorkitemState:workitemID,where.state=wrapUp",
    "wrongid:newRtc:workitemID",
    "wrongfield:connectionStatus:status=refused",
    "wrongfield:newWorkitemState:state=held,where.state=wrapUp",
    "nofield:resultNewOutInteraction:workitemID",
    "nofield:resultGetDictionaryData:items",
)
"""Each for the operator with its number; each of them fails `calls.outgoing`."""

HEALTHY = 4
TIMES = 4
USERS = len(FAULTS) + HEALTHY

CENTRE = """
import asyncio, json, sys
from antiphon_testbed import ContactCentre

faults, users = json.loads(sys.argv[1]), int(sys.argv[2])

async def main():
    named = [{"name": f"operator-{number}", "password": "sesame-open"} for number in range(users)]
    options = {"answer_after_s": 0.0, "release_s": 0.0, "seed": 7}
    async with ContactCentre(users=named, faults=faults, **options) as centre:
        print(json.dumps([centre.address, centre.users]), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps([centre.faults_happened, list(map(repr, centre.failures))]), flush=True)

asyncio.run(main())
"""


class Centre:
    """The centre, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self._told = process.stdout
        self.address, self.users = json.loads(self._told.readline())

    def happened(self) -> dict[str, int]:
        """How many of its faults have happened, by kind."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        happened, failures = json.loads(self._told.readline())
        assert failures == []
        counts: dict[str, int] = happened
        return counts


@pytest.fixture
def centre() -> Iterator[Centre]:
    faults = [f"{fault},user=operator-{number}" for number, fault in enumerate(FAULTS)]
    command = [sys.executable, "-c", CENTRE, json.dumps(faults), str(USERS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Centre(process)
        process.kill()


def in_place(place: Path, centre: Centre) -> None:
    """The example, and a stand that leads to the centre."""
    for name in ("calls.py", "desk.py"):
        shutil.copy(EXAMPLES / name, place / name)
    users = ", ".join(f'{{ name = "{user["name"]}", password = "{user["password"]}" }}' for user in centre.users)
    (place / "antiphon.toml").write_text(
        f'default = "faulty"\n\n[stands.faulty]\ncentre = "{centre.address}"\nwithin_s = 1.0\nusers = [{users}]\n'
    )


def first_line(directory: Path) -> str:
    """What a run failed with, without what is its own."""
    (ended,) = (each for each in read_journal(directory / FILE_NAME) if isinstance(each, RunEnded))
    return without_ids(ended.error.splitlines()[0])


def load(place: Path) -> tuple[LoadFigures, list[dict[str, str]]]:
    """Its figures, and a row for each conversation."""
    table = "conversations.csv:conversation,user,outcome,cause"
    options = ["--users", str(USERS), "--count", str(USERS * TIMES), "--talk-s", "0", "--table", table]
    keep = ["--keep", "failed:1-per-cause", "--threshold", "errors < 100%"]
    command = [sys.executable, "-m", "antiphon", "load", "calls.py:outgoing", *options, *keep]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 5), done.stdout + done.stderr
    (record,) = place.glob("runs/*/load.jsonl")
    with (place / "conversations.csv").open(encoding="utf-8", newline="") as file:
        return read_figures(record.parent), list(csv.DictReader(file))


def test_each_fault_is_one_kind_and_as_many_as_happened(
    tmp_path: Path, centre: Centre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_place(tmp_path, centre)
    figures, rows = load(tmp_path)
    by_user: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_user[row["user"]].append(row)
    happened = centre.happened()

    failed: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for number, fault in enumerate(FAULTS):
        mine = by_user[f"operator-{number}"]
        assert {row["outcome"] for row in mine} == {"failed"}, (fault, mine)
        causes = {row["cause"] for row in mine}
        assert len(causes) == 1, (fault, causes)
        kinds[fault] = causes.pop()
        failed[fault.partition(":")[0]] += len(mine)
    assert dict(failed) == happened
    assert len(set(kinds.values())) == len(FAULTS), Counter(kinds.values()).most_common(3)
    told = {cause.text: cause.count for cause in figures.causes}
    assert told == Counter(row["cause"] for row in rows if row["outcome"] == "failed")
    for number in range(len(FAULTS), USERS):
        assert {row["outcome"] for row in by_user[f"operator-{number}"]} == {"passed"}

    monkeypatch.chdir(tmp_path)
    assert len(figures.kept) == len(FAULTS)
    for number, kept in enumerate(figures.kept):
        place = f"again-{number}"
        code = main(["run", "--again", f"{figures.directory}/{kept.conversation}", "--runs", place])
        (again,) = (tmp_path / place).iterdir()
        assert code != 0, (kept.cause, capsys.readouterr().out)
        assert first_line(again) == first_line(figures.directory / kept.directory), kept.cause
