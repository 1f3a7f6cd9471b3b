"""`antiphon merge`: what it says of the whole, what it makes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from load_records import LoadBook
from load_shards import entries_of, write_shard

from antiphon.cli import main


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
