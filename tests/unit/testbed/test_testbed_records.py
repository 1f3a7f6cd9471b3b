"""Records in SQLite: they survive, they page, they are honest about what was lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from antiphon.errors import RecordingError
from antiphon.testbed.interactions import Interaction, Party
from antiphon.testbed.records import Records

START_MS = 1_790_000_000_000


def interaction(number: int, *, user: str = "alice", state: str = "finished") -> Interaction:
    made = Interaction(f"id-{number}", user=user, channel="voice", direction="out", destination="890000002")
    made.parties.append(Party("agent", user, START_MS))
    made.enter("created", START_MS + number * 1000, user)
    if state != "created":
        made.enter(state, START_MS + number * 1000 + 500, user)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.sqlite"


def test_a_record_can_be_read_before_it_is_written_and_after() -> None:
    records = Records(None, START_MS)
    made = interaction(1, state="created")
    records.changed(made)
    assert records.is_behind
    assert records.get("id-1") == made.record()
    records.flush()
    assert not records.is_behind
    assert records.get("id-1") == made.record()
    made.enter("finished", START_MS + 3000, "alice")
    records.changed(made)
    assert records.page().items == [made.record()]
    assert records.get("nobody's") is None
    records.close()


def test_records_survive_in_a_file(path: Path) -> None:
    first = Records(path, START_MS)
    made = [interaction(number) for number in range(3)]
    for each in made:
        first.changed(each)
    first.close()
    second = Records(path, START_MS)
    assert second.page().items == [each.record() for each in made]
    second.close()


def test_what_a_killed_centre_left_unfinished_is_finished_and_says_so(path: Path) -> None:
    first = Records(path, START_MS)
    first.changed(interaction(1, state="connected"))
    first.changed(interaction(2))
    first.close()
    second = Records(path, START_MS + 60_000)
    lost, finished = second.page().items
    second.close()
    assert (lost["state"], lost["ended_by"], lost["talk_s"]) == ("finished", "centreRestarted", 0.0)
    assert lost["finished_at"] == lost["states"][-1]["at"] == "2026-09-21T14:14:20.000Z"
    assert lost["states"][-1]["reason"] == "centreRestarted"
    assert finished == interaction(2).record()


def test_pages() -> None:
    records = Records(None, START_MS)
    for number in range(25):
        records.changed(interaction(number, user="alice" if number % 2 else "bob"))
    seen: list[str] = []
    after: int | None = 0
    sizes = []
    while after is not None:
        page = records.page(after=after, limit=10)
        sizes.append(len(page.items))
        seen += [item["interactionID"] for item in page.items]
        after = page.next
    assert sizes == [10, 10, 5]
    assert seen == [f"id-{number}" for number in range(25)]
    assert [item["interactionID"] for item in records.page(since_ms=START_MS + 23_000).items] == ["id-23", "id-24"]
    assert [item["user"] for item in records.page(user="bob").items] == ["bob"] * 13
    assert records.page(user="nobody").items == []
    assert records.page(limit=25).next is None
    records.close()


def test_a_file_that_is_something_else(path: Path) -> None:
    path.write_text("dear diary, " * 100)
    with pytest.raises(RecordingError, match="not a database"):
        Records(path, START_MS)
    assert path.read_text().startswith("dear diary")


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="does the directory exist"):
        Records(tmp_path / "nowhere" / "records.sqlite", START_MS)


def test_records_of_another_version(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(RecordingError, match="version 99"):
        Records(path, START_MS)


def test_a_file_belongs_to_one_centre_at_a_time(path: Path) -> None:
    first = Records(path, START_MS)
    with pytest.raises(RecordingError, match="another centre"):
        Records(path, START_MS)
    first.close()
    Records(path, START_MS).close()


def test_a_disk_that_fails_forgets_nothing(path: Path) -> None:
    records = Records(path, START_MS)
    records._database.execute("PRAGMA max_page_count = 1")
    many = [interaction(number) for number in range(400)]
    for each in many:
        records.changed(each)
    records.flush()
    assert records.trouble is not None
    assert "full" in records.trouble
    assert records.get("id-7") == many[7].record()
    records._database.execute("PRAGMA max_page_count = 100000")
    records.flush()
    assert records.trouble is None
    assert len(records.page(limit=1000).items) == 400
    records.close()


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="may we write there"):
        Records(tmp_path, START_MS)
