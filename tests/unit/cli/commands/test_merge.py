"""`antiphon merge`: what it says of the whole, what it makes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from load_records import LoadBook
from load_shards import entries_of, write_shard

from antiphon.cli import main
from antiphon.report.load.figures import read_figures


@pytest.fixture
def shards(tmp_path: Path) -> list[str]:
    """The directories of two shards."""
    books = [LoadBook(seconds=5, per_s=4, seed=seed) for seed in (1, 2)]
    return [str(write_shard(tmp_path / f"m{k}", entries_of(book, k, 2))) for k, book in enumerate(books, 1)]


@pytest.mark.parametrize(
    ("threshold", "code", "word"), [("errors < 50%", 0, "PASSED, VALID"), ("errors == 0", 4, "FAILED, VALID")]
)
def test_it_ends_as_a_load(
    tmp_path: Path, shards: list[str], capsys: pytest.CaptureFixture[str], threshold: str, code: int, word: str
) -> None:
    whole = tmp_path / "whole"

    assert main(["merge", *shards, "--into", str(whole), "--threshold", threshold, "--report", "junit"]) == code

    first, *_, last = capsys.readouterr().out.rstrip().splitlines()
    assert first.startswith(f"{word}: ")
    assert last == f"recorded in {whole}"
    made = {path.name for path in whole.iterdir()}
    assert made == {"conversations", "junit.xml", "load.html", "load.jsonl", "seconds.csv", "summary.json"}
    assert json.loads((whole / "summary.json").read_bytes())["conversations"]["started"] > 40


def test_a_missing_shard_is_no_success(tmp_path: Path, shards: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", shards[1], "--into", str(tmp_path / "whole"), "--threshold", "errors < 50%"]) == 5

    out = capsys.readouterr().out
    assert out.startswith("INCONCLUSIVE: ")
    assert "shard 1 of 2 is missing" in out


def test_it_is_recorded_beside_the_other_runs(
    tmp_path: Path, shards: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "runs"
    home.mkdir()
    for place, shard in enumerate(shards):
        Path(shard).rename(home / f"shard{place}")

    names = ["shard0", "shard1"]
    assert main(["merge", *names, "--runs", str(home), "--threshold", "errors < 50%", "--baseline", "shard0"]) == 0

    (whole,) = [path for path in home.iterdir() if path.name not in names]
    assert whole.name.endswith("-outgoing+long_case-merged")
    assert "baseline" in json.loads((whole / "summary.json").read_bytes())
    assert str(whole) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "which shards are meant?"),
        (["m1", "m1"], "shard 1/2 is there twice"),
        (["m1", "nowhere"], "there is no run 'nowhere'"),
        (["m1", "m2", "--report", "har"], "there is no report 'har' of a load"),
        (["m1", "m2", "--threshold", "errors are few"], "--threshold"),
    ],
)
def test_what_cannot_be_merged_is_told_and_leaves_nothing(
    tmp_path: Path, shards: list[str], capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    before = sorted(tmp_path.iterdir())

    assert main(["merge", *options, "--runs", str(tmp_path)]) == 2

    assert told in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


COLUMNS = ["conversation", "note"]


def with_table(home: Path, k: int, rows: bytes | None, columns: list[str] = COLUMNS, *, header: str = "") -> str:
    """A shard that had a table, with these rows of it."""
    book = LoadBook(seconds=3, per_s=4, seed=k)
    plan = {**book.entries()[0].plan, "table": columns}
    directory = write_shard(home / f"m{k}", entries_of(book, k, 2, plan=plan))
    if rows is not None:
        (directory / "table.csv").write_bytes((header or ",".join(columns)).encode() + b"\r\n" + rows)
    return str(directory)


def merged(tmp_path: Path, shards: list[str]) -> tuple[bytes, str]:
    """The whole's table, and what is told of the load."""
    main(["merge", *shards, "--into", str(tmp_path / "whole"), "--threshold", "errors < 50%"])
    figures = read_figures(tmp_path / "whole")
    assert figures.ended is not None
    return (tmp_path / "whole" / "table.csv").read_bytes(), figures.ended.error


def test_the_tables_of_shards_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = b'calls-1,"two\r\nlines, and ""quotes"""\r\n'
    shards = [with_table(tmp_path, 1, b"calls-0,\xd1\x8f\r\n"), with_table(tmp_path, 2, odd + b"calls-3,\r\n")]

    table, told = merged(tmp_path, shards)

    assert table == b"conversation,note\r\ncalls-0,\xd1\x8f\r\n" + odd + b"calls-3,\r\n"
    assert told == ""
    assert (tmp_path / "whole" / "table.csv").stat().st_mode & 0o777 == 0o600
    assert f"the rows of all shards are in {tmp_path / 'whole' / 'table.csv'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "header", "left", "told"),
    [
        (b"calls-1,a\r\ncalls-3,b", "", b"calls-1,a\r\n", "ends in the middle of a row"),
        (b'calls-1,a\r\ncalls-3,"b\r\nc', "", b"calls-1,a\r\n", "ends in the middle of a row"),
        (None, "", b"", "cannot be read, or was not copied with it"),
        (b"calls-1,a\r\n", "conversation,other", b"", "has other columns"),
    ],
    ids=["cut off", "cut off in quotes", "not there", "another"],
)
def test_of_a_table_that_is_not_whole_what_there_is_is_taken(
    tmp_path: Path, rows: bytes | None, header: str, left: bytes, told: str
) -> None:
    shards = [with_table(tmp_path, 1, b"calls-0,first\r\n"), with_table(tmp_path, 2, rows, header=header)]

    table, noted = merged(tmp_path, shards)

    assert table == b"conversation,note\r\ncalls-0,first\r\n" + left
    assert noted.startswith("the table of shard 2/2 ")
    assert told in noted


def test_shards_with_other_tables_are_no_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shards = [with_table(tmp_path, 1, b""), with_table(tmp_path, 2, b"", ["conversation"])]

    assert main(["merge", *shards, "--into", str(tmp_path / "whole")]) == 2

    assert "its table is ['conversation'], not ['conversation', 'note']" in capsys.readouterr().err
    assert not (tmp_path / "whole").exists()
