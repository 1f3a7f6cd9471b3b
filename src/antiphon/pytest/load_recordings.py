"""A load of a test: where it is recorded, and what a failed test shows of it.

Imported when a test asks for `play_load`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from antiphon.errors import RecordingError, plain_text
from antiphon.journal import TestOutcome
from antiphon.journal.load_file import is_load
from antiphon.journal.masking import Masker
from antiphon.load.loads import Load
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.reports import REPORTS
from antiphon.report.load.summary import summarised
from antiphon.report.load.text import text_lines

__all__ = ["LoadRecording", "reports_of_loads"]


class LoadRecording:
    """One load of a test; see `antiphon.pytest.recordings.Recording`, beside which it stands.

    `load` is what came of it, once that is known.
    """

    def __init__(self, masker: Masker) -> None:
        self.directory: Path | None = None
        self.is_ours = False
        self.masker = masker
        self.load: Load | None = None

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to show."""
        return self.load is not None or self._is_written

    has_transcript = True
    """A load has its page, whatever was said."""

    def lines(self) -> list[str]:
        """How it ended, as a terminal shows it."""
        return plain_text(text_lines(summarised(self._figures()))).splitlines()

    def end(self) -> None:
        """The load is over; one that did not begin leaves no directory."""
        if self.directory is not None and self.is_ours and not self._is_written:
            with contextlib.suppress(OSError):
                self.directory.rmdir()
                self.directory = None

    def finish(self, _outcome: TestOutcome | None) -> list[RecordingError]:
        """The test has ended, which is no part of what a load's reports tell: they are there already."""
        return []

    @property
    def _is_written(self) -> bool:
        return self.directory is not None and is_load(self.directory)

    def _figures(self) -> LoadFigures:
        if self.load is not None:
            return self.load.figures
        assert self.directory is not None
        return read_figures(self.directory)


def reports_of_loads(reports: Sequence[str]) -> list[str]:
    """Of the reports that all runs of a test session have, those that there are of loads."""
    return [spec for spec in reports if spec.partition("=")[0] in REPORTS]
