"""A load at a centre where twenty things go wrong on purpose: each is one kind of failure, counted as the centre does,
and any one of them fails again alone."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from antiphon.journal import RunEnded
from antiphon.journal.figures import ConversationKept, Second
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.load.wordings import without_ids
from antiphon.report.load.figures import LoadFigures, read_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

EXAMPLES = Path(__file__).parents[2] / "examples" / "contact_centre"

FAULTS = (
    "late:resultHangUp:{late_s}",
    "late:newWorkitemState:{late_s},where.state=wrapUp",
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
"""Each fails `calls.outgoing`; `late_s` is after a wait has ended, and soon enough to be told of."""

NAMED = {
    "late": "; it came too late, ",
    "missing": r"waited [\d.]+ s for ",
    "closed": "but the server closed with |but the connection was lost",
    "half": "; part of a message had come, ",
    "notjson": "not JSON: ",
    "wrongid": "; nearest: another workitemID, ",
    "wrongfield": "state='held'|status is 'refused', wanted 'connected'",
    "nofield": "has no field '",
}
"""What the words for a kind of failure say of its fault."""

LANES = len(FAULTS) + 5
"""Users are dealt to the faults in turn; those of the last lanes have none."""


class Crowd(NamedTuple):
    """How many are there, how many conversations they have, in what time they come, how long they talk and wait."""

    users: int
    conversations: int
    ramp_s: int
    talk_s: int
    within_s: float

    @property
    def live(self) -> int:
        """So many are on the telephone at once: all come while the first talk, but those that fail before."""
        return self.users * sum(_talks(lane) for lane in range(LANES)) // LANES if self.talk_s else 0


def _talks(lane: int) -> bool:
    """Whether users of that lane come as far as talking."""
    return lane >= len(FAULTS) or "HangUp" in FAULTS[lane] or "wrapUp" in FAULTS[lane]


CENTRE = """
import asyncio, json, sys
from collections import Counter
from antiphon_testbed import ContactCentre
from antiphon_testbed.faults.injector import FaultInjector

faults, users = json.loads(sys.argv[1]), int(sys.argv[2])
happened = Counter()
hits_of = FaultInjector.hits

def hits(self, user, item):
    found = hits_of(self, user, item)
    happened.update(fault.users[0] for fault in found)
    return found

FaultInjector.hits = hits

async def main():
    named = [{"name": f"operator-{number}", "password": "sesame-open"} for number in range(users)]
    options = {"answer_after_s": 0.0, "release_s": 0.0, "seed": 7}
    async with ContactCentre(users=named, faults=faults, **options) as centre:
        print(json.dumps([centre.address, centre.users]), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps([happened, list(map(repr, centre.failures))]), flush=True)

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
        """How often each of its faults has happened, by the first user that it is for."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        happened, failures = json.loads(self._told.readline())
        assert failures == []
        counts: dict[str, int] = happened
        return counts


SMALL = Crowd(users=LANES, conversations=4 * LANES, ramp_s=0, talk_s=0, within_s=1.0)
# The centre drops who has not answered its pings for 10 s: none of them comes through behind half a message.
THOUSAND = Crowd(users=1_800, conversations=1_800, ramp_s=60, talk_s=65, within_s=7.0)


@contextmanager
def faulty_centre(crowd: Crowd) -> Iterator[Centre]:
    faults = []
    for lane, fault in enumerate(FAULTS):
        users = "+".join(f"operator-{number}" for number in range(lane, crowd.users, LANES))
        kind, *where = fault.format(late_s=crowd.within_s + 0.4).split(",")
        faults.append(",".join([kind, f"user={users}", *where]))
    command = [sys.executable, "-c", CENTRE, json.dumps(faults), str(crowd.users)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Centre(process)
        finally:
            process.kill()


def in_place(place: Path, centre: Centre, crowd: Crowd) -> None:
    """The example, and a stand that leads to the centre."""
    for name in ("calls.py", "desk.py"):
        shutil.copy(EXAMPLES / name, place / name)
    users = ", ".join(f'{{ name = "{user["name"]}", password = "{user["password"]}" }}' for user in centre.users)
    (place / "antiphon.toml").write_text(
        f'default = "faulty"\n\n[stands.faulty]\ncentre = "{centre.address}"\n'
        f"within_s = {crowd.within_s}\nusers = [{users}]\n"
    )


def failure_again(place: Path, figures: LoadFigures, kept: ConversationKept) -> str:
    """What a conversation of the load fails with when it is performed alone."""
    runs = place / f"again-{kept.conversation}"
    command = ["run", "--again", f"{figures.directory}/{kept.conversation}", "--runs", str(runs), "--talk-s", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "antiphon", *command],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0, (kept.cause, done.stdout)
    (again,) = runs.iterdir()
    return first_line(again)


def first_line(directory: Path) -> str:
    """What a run failed with, without what is its own."""
    (ended,) = (each for each in read_journal(directory / FILE_NAME) if isinstance(each, RunEnded))
    return without_ids(ended.error.splitlines()[0])


def load(place: Path, crowd: Crowd) -> tuple[LoadFigures, list[dict[str, str]]]:
    """Its figures, and a row for each conversation."""
    table = "conversations.csv:conversation,user,outcome,cause"
    options = ["--users", str(crowd.users), "--count", str(crowd.conversations), "--table", table]
    options += [
        "--talk-s",
        str(crowd.talk_s),
        "--ramp",
        f"{crowd.ramp_s}s",
        "--keep",
        "failed:1-per-cause",
        "--threshold",
        "errors < 100%",
    ]
    command = [sys.executable, "-m", "antiphon", "load", "calls.py:outgoing", *options]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode in (0, 5), done.stdout + done.stderr
    (record,) = place.glob("runs/*/load.jsonl")
    with (place / "conversations.csv").open(encoding="utf-8", newline="") as file:
        return read_figures(record.parent), list(csv.DictReader(file))


@pytest.mark.parametrize(
    "crowd", [SMALL, pytest.param(THOUSAND, marks=pytest.mark.deep)], ids=["some", "a thousand at once"]
)
def test_each_fault_is_one_kind_and_as_many_as_happened(tmp_path: Path, crowd: Crowd) -> None:
    with faulty_centre(crowd) as centre:
        in_place(tmp_path, centre, crowd)
        figures, rows = load(tmp_path, crowd)
        happened = centre.happened()
        seconds = [each for each in read_load(figures.directory / LOAD_FILE_NAME) if isinstance(each, Second)]

        by_lane: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            by_lane[int(row["user"].partition("-")[2]) % LANES].append(row)
        assert len(rows) == crowd.conversations
        kinds: dict[str, str] = {}
        for lane, fault in enumerate(FAULTS):
            mine = by_lane[lane]
            assert happened[f"operator-{lane}"] == len(mine), fault
            if fault.startswith("late:") and figures.doubts:
                # A loop that stood still as the deadline passed reads what has come by then, before it says so; what is
                # later still, from a server that had no time, nobody waits for.
                mine = [row for row in mine if NAMED["late"] in row["cause"]]
            assert {row["outcome"] for row in mine} == {"failed"}, (fault, mine)
            causes = Counter(row["cause"] for row in mine)
            assert len(causes) == 1, (fault, causes)
            kinds[fault] = next(iter(causes))
            assert re.search(NAMED[fault.partition(":")[0]], kinds[fault]), (fault, kinds[fault])
        assert len(set(kinds.values())) == len(FAULTS), Counter(kinds.values()).most_common(3)
        told = {cause.text: cause.count for cause in figures.causes}
        assert told == Counter(row["cause"] for row in rows if row["outcome"] == "failed")
        for lane in range(len(FAULTS), LANES):
            assert {row["outcome"] for row in by_lane[lane]} == {"passed"}

        assert max(part.live for second in seconds for part in second.parts.values()) >= crowd.live

        assert len(figures.kept) == len(FAULTS)
        with ThreadPoolExecutor(max_workers=5) as pool:
            failures = list(pool.map(lambda kept: failure_again(tmp_path, figures, kept), figures.kept))
        for kept, failed_again in zip(figures.kept, failures, strict=True):
            assert failed_again == first_line(figures.directory / kept.directory), kept.cause
