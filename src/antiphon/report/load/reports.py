"""The reports of a load by their names: `html`, `json`, `csv`, `junit`, `summary`, `allure`.

The record is read once for all of them. A load's reports are made when it is over, or at any later time, also of one
that was killed; each is made of the record and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from antiphon.errors import Line, RecordingError, ScenarioError
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.journal.private_files import reason, why_unwritable
from antiphon.report.formats.documents import place_of, replacing
from antiphon.report.load.compare import compare
from antiphon.report.load.figures import read_figures
from antiphon.report.load.html import PAGE_NAME, write_page
from antiphon.report.load.junit import JUNIT_NAME, write_junit
from antiphon.report.load.markdown import MARKDOWN_NAME, write_markdown
from antiphon.report.load.seconds_csv import SECONDS_NAME, write_seconds
from antiphon.report.load.summary import SUMMARY_NAME, summarised, summary_json
from antiphon.report.load.text import text_lines

__all__ = ["REPORTS", "STANDARD_REPORTS", "LoadReports", "check_names", "make_load_reports", "require_place"]

STANDARD_REPORTS: Final = ("html", "json", "csv")
"""What is made of every load."""


class LoadReports:
    """Makes the reports of the load in `directory`, beside the earlier one in `baseline` if there is one.

    Raises RecordingError if one of the records cannot be read.
    """

    def __init__(self, directory: Path, baseline: Path | None = None) -> None:
        self.directory = directory
        self.figures = read_figures(directory)
        compared = compare(self.figures, read_figures(baseline)) if baseline is not None else None
        self.summary = summarised(self.figures, compared)

    def lines(self) -> list[Line]:
        """The end of the load, as a terminal shows it."""
        return text_lines(self.summary)

    def make(self, spec: str) -> Path:
        """Make a report, `NAME` or `NAME=PATH`, and give its path; PATH is as for the reports of runs.

        Raises ScenarioError if there is no such report, RecordingError if it cannot be written.
        """
        name, _, target = spec.partition("=")
        check_names([name])
        try:
            if name == "allure":
                return self._make_allure(target)
            file_name, write = _DOCUMENTS[name]
            path = place_of(file_name, self.directory, target)
            with replacing(path, self.directory) as file:
                write(self, file, path)
        except OSError as error:
            hint = "--to FILE says where else" if name == "html" else _ELSEWHERE
            raise RecordingError(
                f"the report {name!r} cannot be written: {reason(error)}",
                place=target or str(self.directory),
                hint=hint,
            ) from error
        return path

    def _make_allure(self, target: str) -> Path:
        try:
            # It has what only the extra `allure` installs.
            from antiphon.report.load.allure import RESULTS_NAME, write_results
        except ImportError as error:
            raise ScenarioError(
                f"the report 'allure' cannot be loaded: {error}",
                hint="install what it needs: pip install 'antiphon[allure]'",
            ) from error
        results = Path(target) if target else self.directory / RESULTS_NAME
        write_results(self.summary, self.directory, results)
        return results


def make_load_reports(directory: Path, names: Iterable[str], *, baseline: Path | None = None) -> list[Path]:
    """Make reports, each `NAME` or `NAME=PATH`, of the load that was recorded there; their paths.

    Raises ScenarioError if there is no such report, RecordingError if a record cannot be read or a report cannot be
    written.
    """
    specs = list(names)
    check_names(spec.partition("=")[0] for spec in specs)
    reports = LoadReports(directory, baseline)
    return [reports.make(spec) for spec in specs]


def check_names(names: Iterable[str]) -> None:
    """Raise ScenarioError for a name that no report of a load has."""
    for name in names:
        if name not in REPORTS:
            raise ScenarioError(f"there is no report {name!r} of a load", hint=f"there is {', '.join(REPORTS)}")


def require_place(spec: str) -> None:
    """Raise RecordingError if the report `NAME=PATH` cannot be written there, as far as one can tell before."""
    name, _, target = spec.partition("=")
    if not target or name not in _DOCUMENTS:
        return
    if told := why_unwritable(place_of(_DOCUMENTS[name][0], Path(), target)):
        raise RecordingError(f"the report {name!r} cannot be written: {told}", place=target, hint=_ELSEWHERE)


def _write_html(reports: LoadReports, file: TextIO, path: Path) -> None:
    write_page(reports.figures, reports.summary, file, path.parent)


def _write_json(reports: LoadReports, file: TextIO, _path: Path) -> None:
    file.write(summary_json(reports.summary).decode())


def _write_csv(reports: LoadReports, file: TextIO, _path: Path) -> None:
    entries = read_load(reports.directory / LOAD_FILE_NAME)
    # As far as it could be read: what is damaged behind that is told by the other reports.
    write_seconds(islice(entries, reports.figures.entries), file)


def _write_junit(reports: LoadReports, file: TextIO, _path: Path) -> None:
    write_junit(reports.summary, file, reports.directory)


def _write_markdown(reports: LoadReports, file: TextIO, _path: Path) -> None:
    write_markdown(reports.summary, file, reports.directory)


_DOCUMENTS: Final[dict[str, tuple[str, Callable[[LoadReports, TextIO, Path], None]]]] = {
    "html": (PAGE_NAME, _write_html),
    "json": (SUMMARY_NAME, _write_json),
    "csv": (SECONDS_NAME, _write_csv),
    "junit": (JUNIT_NAME, _write_junit),
    "summary": (MARKDOWN_NAME, _write_markdown),
}

_ELSEWHERE: Final = "say another place for it: NAME=PATH"

REPORTS: Final = (*_DOCUMENTS, "allure")
"""The names of all of them."""
