"""The reports of a load by their names: where they go, who may read them, what is wrong is told."""

from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from load_records import LoadBook, write_record

from antiphon.errors import RecordingError, ScenarioError
from antiphon.report.load.reports import REPORTS, STANDARD_REPORTS, LoadReports, make_load_reports


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return LoadBook(seconds=10).write(tmp_path / "runs" / "7")


def test_every_report_in_the_loads_own_directory(recorded: Path) -> None:
    paths = make_load_reports(recorded, REPORTS)
    assert [path.name for path in paths] == [
        *("load.html", "summary.json", "seconds.csv", "junit.xml", "summary.md", "allure-results")
    ]
    assert all(path.parent == recorded for path in paths)
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert set(STANDARD_REPORTS) <= set(REPORTS)


def test_a_report_goes_where_it_is_told(recorded: Path, tmp_path: Path) -> None:
    specs = [f"junit={tmp_path}/shared/", f"json={tmp_path / 'all.json'}", f"allure={tmp_path / 'results'}"]
    junit, summary, results = make_load_reports(recorded, specs)
    assert junit == tmp_path / "shared" / "junit-7.xml"
    assert json.loads(summary.read_text())["schema"] == 1
    assert list(results.glob("*-result.json"))


def test_the_baseline_is_in_them(recorded: Path, tmp_path: Path) -> None:
    before = LoadBook(seconds=10, seed=3).write(tmp_path / "runs" / "6")
    (summary,) = make_load_reports(recorded, ["json"], baseline=before)
    assert json.loads(summary.read_text())["baseline"]["baseline"] == "6"
    assert any("beside the baseline 6" in text for line in LoadReports(recorded, before).lines() for text, _ in line)


def test_no_report_of_that_name_is_made_of_none(recorded: Path) -> None:
    with pytest.raises(ScenarioError, match="there is no report 'har' of a load"):
        make_load_reports(recorded, ["junit", "har"])
    assert not (recorded / "junit.xml").exists()


def test_what_cannot_be_written_is_told_with_its_place(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="the report 'csv' cannot be written: File exists"):
        make_load_reports(recorded, [f"csv={tmp_path}/file/x.csv"])
    with pytest.raises(RecordingError, match="takes the place of a file, and this is none"):
        make_load_reports(recorded, ["json=/dev/null"])


def test_a_damaged_record_has_all_its_reports(recorded: Path, tmp_path: Path) -> None:
    entries: list[Any] = LoadBook(seconds=10).entries()
    entries[4].series["outgoing/log_in"].blob = "nonsense"
    damaged = write_record(tmp_path / "damaged", entries)
    paths = make_load_reports(damaged, REPORTS)
    assert json.loads(paths[1].read_text())["verdict"] == "unfinished"
    last = paths[2].read_text().splitlines()[-1]
    assert last.startswith("2.000,3.000,")


def test_without_allures_package_the_others_are_made(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "antiphon.report.load.allure", raising=False)
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("allure_commons"):
            raise ModuleNotFoundError("No module named 'allure_commons'", name="allure_commons")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    make_load_reports(recorded, ["junit"])
    with pytest.raises(ScenarioError, match="the report 'allure' cannot be loaded") as raised:
        make_load_reports(recorded, ["allure"])
    assert "pip install 'antiphon[allure]'" in str(raised.value)
