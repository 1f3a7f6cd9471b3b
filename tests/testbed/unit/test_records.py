"""Records in SQLite: they survive, they page, they are honest about what was lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from antiphon.errors import RecordingError
from antiphon_testbed.floor.interactions import Interaction, Party
from antiphon_testbed.records import Cursor, Records

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
    after: Cursor | None = None
    sizes = []
    while not sizes or after is not None:
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


def test_pages_leave_out_nothing_and_repeat_nothing_while_more_comes() -> None:
    records = Records(None, START_MS)
    for number in range(5):
        records.changed(interaction(number))
    first = records.page(limit=3)
    records.changed(interaction(5))
    records.changed(interaction(0, state="connected"))  # an old one changes: it stays in its place
    second = records.page(after=first.next, limit=3)
    assert [item["interactionID"] for item in first.items + second.items] == [f"id-{number}" for number in range(6)]
    assert second.next is None
    records.close()


def test_what_began_at_the_same_moment_keeps_its_order() -> None:
    records = Records(None, START_MS)
    for name in "cab":
        made = Interaction(name, user="alice", channel="voice", direction="out", destination="890000002")
        made.enter("created", START_MS, "alice")
        records.changed(made)
    page = records.page(limit=1)
    assert page.next == Cursor(START_MS, 1)
    assert [item["interactionID"] for item in records.page(after=page.next).items] == ["a", "b"]
    assert [item["interactionID"] for item in records.page(since_ms=START_MS).items] == ["c", "a", "b"]
    assert records.page(since_ms=START_MS + 1).items == []
    records.close()


def test_a_page_of_a_user_has_what_the_user_took_part_in() -> None:
    records = Records(None, START_MS)
    shared = interaction(1, user="alice", state="created")
    records.changed(shared)
    records.changed(interaction(2, user="carol"))
    records.flush()
    shared.parties.append(Party("agent", "bob", START_MS + 1500))
    shared.parties.append(Party("customer", "carol", START_MS + 1500))
    records.changed(shared)
    for user, found in {"alice": ["id-1"], "bob": ["id-1"], "carol": ["id-2"]}.items():
        assert [item["interactionID"] for item in records.page(user=user).items] == found
    records.close()


@pytest.mark.parametrize("user", [None, "alice"])
def test_a_page_is_found_by_an_index_and_reads_nothing_else(user: str | None) -> None:
    """Neither a table is scanned nor anything sorted, however many records there are."""
    records = Records(None, START_MS)
    seen: list[str] = []
    records._database.set_trace_callback(seen.append)
    records.page(user=user, since_ms=START_MS, after=Cursor(START_MS + 5, 3), limit=10)
    records._database.set_trace_callback(None)
    (query,) = seen
    plan = " ".join(row[3] for row in records._database.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
    assert "SEARCH" in plan
    records.close()


@pytest.mark.parametrize("text", ["", "5", "-", "5-", "-5", "1-2-3", "1--2", "a-b", "١-١", "1" * 16 + "-1", " 1-1"])
def test_what_is_no_cursor(text: str) -> None:
    assert Cursor.read(text) is None
    assert Cursor.read(str(Cursor(START_MS, 12))) == Cursor(START_MS, 12)


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
