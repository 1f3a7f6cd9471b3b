"""What all reports have in common: where they go, that they are whole, that nothing secret is in them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TextIO

import pytest

from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal.recording import load_reports, make_report
from antiphon.report.formats.documents import Document

Record = Callable[..., Path]

FILES = {"junit": "junit.xml", "summary": "summary.md", "mermaid": "conversation.mmd", "har": "run.har"}
MADE = [*FILES, "allure"]


@pytest.fixture(autouse=True)
def outside_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def written(directory: Path) -> dict[str, bytes]:
    """What reports have made there."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "journal.jsonl"
    }


def test_the_reports_that_come_with_antiphon_can_be_found() -> None:
    assert {entry.name for entry in entry_points(group="antiphon.reports")} >= {*MADE, "files"}
    assert list(load_reports(MADE)) == MADE


@pytest.mark.parametrize("name", FILES)
def test_a_report_lies_in_the_runs_directory(record: Record, call: list[Any], name: str) -> None:
    directory = record(call)
    make_report(directory, name)
    assert list(written(directory)) == [FILES[name]]


def test_a_report_goes_where_it_is_told(record: Record, call: list[Any], tmp_path: Path) -> None:
    directory = record(call, "2026-run")
    make_report(directory, f"junit={tmp_path / 'new' / 'out.xml'}")
    make_report(directory, f"junit={tmp_path / 'all'}/")
    make_report(directory, f"junit={tmp_path / 'all'}")
    assert (tmp_path / "new" / "out.xml").is_file()
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["junit-2026-run.xml"], "each run has its own there"
    assert written(directory) == {}


@pytest.mark.parametrize("is_foreseen", [False, True])
def test_a_report_at_a_shared_place_is_written_through_nobodys_link(
    is_foreseen: bool, record: Record, call: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, shared, precious = record(call), tmp_path / "shared", tmp_path / "precious"
    shared.mkdir()
    precious.write_text("mine")
    names = [f".out.xml.{os.getpid()}", ".out.xml.foreseen", "out.xml"]
    for name in names:
        (shared / name).symlink_to(precious)
    if is_foreseen:
        tokens = iter(["foreseen", "not"])
        monkeypatch.setattr("antiphon.report.formats.documents.token_hex", lambda _size: next(tokens))

    make_report(directory, f"junit={shared / 'out.xml'}")

    assert precious.read_text() == "mine"
    assert not (shared / "out.xml").is_symlink()
    assert sorted(path.name for path in shared.iterdir()) == sorted(names)


def test_a_report_that_fails_leaves_the_one_that_was_there(record: Record, call: list[Any]) -> None:
    def fail(entries: Iterator[Any], file: TextIO, directory: Path) -> None:
        file.write("half")
        raise OSError(28, "No space left on device")

    directory = record(call)
    (directory / "x.txt").write_text("whole")
    sink: Any = Document("x.txt", fail)(directory)
    with pytest.raises(OSError, match="No space"):
        sink.close()
    assert written(directory) == {"x.txt": b"whole"}


def test_unknown_reports_and_paths_that_mean_nothing_are_told() -> None:
    with pytest.raises(ScenarioError, match=r"no report 'nope'[^$]*hint: there is allure, files, har"):
        load_reports(["nope=x"])
    with pytest.raises(ScenarioError, match="'files' takes no path"):
        load_reports(["files=x"])


def test_a_run_that_did_not_begin_has_no_report(record: Record) -> None:
    with pytest.raises(RecordingError, match="holds nothing"):
        make_report(record([]), "junit")


def test_a_place_that_cannot_be_written_is_told(record: Record, call: list[Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="the report 'junit' cannot be written: Not a directory"):
        make_report(record(call), f"junit={tmp_path}/file/x/out.xml")


@pytest.mark.parametrize("name", MADE)
def test_whatever_was_said_a_report_is_made(record: Record, hostile: list[Any], name: str) -> None:
    directory = record(hostile)
    make_report(directory, name)
    content = written(directory)
    assert content
    for path, data in content.items():
        text = data.decode()
        if not path.startswith("allure-results/") or path.endswith(("result.json", "container.json")):
            assert "\x00" not in text
            assert "\u202e" not in text or name == "har"  # that is data: it keeps what was said


@pytest.mark.parametrize("name", MADE)
def test_a_run_that_was_killed_at_any_moment_has_a_report(record: Record, call: list[Any], name: str) -> None:
    for length in range(1, len(call)):
        directory = record(call[:length], f"run{length}")
        with (directory / "journal.jsonl").open("a") as journal:
            journal.write('{"kind":"said","at_')
        make_report(directory, name)
        assert written(directory)


@pytest.mark.parametrize("name", MADE)
def test_secrets_are_in_no_report(record: Record, telling: Any, name: str) -> None:
    secret, url_secret = "hunter2-geheim", "url-passw0rd"
    told = telling(password=secret)
    told.exchange(request_body=f'{{"password":"{secret}"}}', url=f"http://me:{url_secret}@centre/login?token={secret}")
    told.open(headers={"Authorization": secret}, address=f"ws://me:{url_secret}@centre/desk")
    step = told.begin("log_in", password=secret)
    told.say("login", {"password": secret}, is_sent=True, step=step).say("echo", {"text": f"you said {secret}"})
    told.say("raw", raw=f"password is {secret}".encode())
    directory = record(told.end(step, "failed", f"Refused: {secret}").finish("failed", f"Refused: no {secret}"))
    make_report(directory, name)
    for data in written(directory).values():
        assert secret.encode() not in data
        assert url_secret.encode() not in data


@pytest.mark.parametrize("name", ["junit", "summary", "mermaid", "har"])
def test_a_report_takes_time_linear_in_the_journal(
    record: Record, long_run: Callable[[int], list[Any]], name: str
) -> None:
    """Counted in calls of functions, which a busy machine does not change."""
    costs = []
    for count in (300, 1_200):
        directory = record(long_run(count), f"run{count}")
        calls = 0

        def count_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal calls
            calls += 1

        before = sys.getprofile()
        sys.setprofile(count_call)
        try:
            make_report(directory, name)
        finally:
            sys.setprofile(before)
        costs.append(calls)
    assert costs[1] < 5 * costs[0]


def test_no_two_reports_have_a_name(record: Record) -> None:
    assert len(set(FILES.values())) == len(FILES)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in FILES.values())


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link_to_a_device(path: Path) -> None:
    path.symlink_to(os.devnull)


def _link_to_an_open_file(path: Path) -> None:
    path.symlink_to("/proc/self/exe")  # to a regular file, as /dev/stdout may be


@pytest.mark.parametrize("make", [_pipe, _link_to_a_device, _link_to_an_open_file])
@pytest.mark.parametrize("name", [*FILES, "trace"])
def test_a_report_takes_the_place_of_no_device_or_pipe(
    record: Record, call: list[Any], tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    directory = record(call)
    place = tmp_path / "there"
    make(place)
    before = place.lstat()
    with pytest.raises(RecordingError, match="takes the place of a file, and this is none") as refused:
        make_report(directory, f"{name}={place}")
    assert refused.value.place == str(place)
    assert os.path.samestat(place.lstat(), before)
    assert not list(tmp_path.glob(".there*"))
