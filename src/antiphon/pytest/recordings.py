"""The runs of one test: where each is recorded, and what a failed test shows of them.

Imported when a test asks for `play` or `perform`.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from antiphon.errors import RecordingError
from antiphon.journal import RunEnded, TestEnded, TestOutcome
from antiphon.journal.file import FILE_NAME, JournalWriter, read_journal
from antiphon.journal.masking import Masker
from antiphon.journal.recording import AS_IT_HAPPENS, STANDARD_REPORTS, load_reports, make_report, new_run_directory
from antiphon.pytest.tracebacks import Presenter
from antiphon.report.failure_text import has_transcript, show_command
from antiphon.report.text import last_lines
from antiphon.stand.stand import Stand, load_stand

if TYPE_CHECKING:  # most tests load nothing
    from antiphon.pytest.load_recordings import LoadRecording

__all__ = ["Recording", "Recordings", "find_stand"]

LAST_LINES: Final = 20
"""How many lines of a conversation a failed test shows."""

KEPT_ENTRIES: Final = 2_000
"""How much of a journal is kept in memory for that."""

LONGEST_LABEL_BYTES: Final = 120
"""How much of a test's name a directory's name has."""


class Recording:
    """One run of a test: its directory, and the first entry and the last ones of its journal, secrets masked.

    `test` is the test's name. `masker` knows the secrets that there are before the run begins, and then is the run's
    own. `reports` are those that are made when the test has ended. `is_ours` tells whether the directory was made for
    the test, which then may remove it.
    """

    def __init__(
        self,
        watch: Callable[[Any], object] | None,
        allure: Any,
        test: str,
        masker: Masker,
        reports: Sequence[str],
    ) -> None:
        self.directory: Path | None = None
        self.is_ours = False
        self.masker = masker
        self._test = masker.text(test)
        self._reports = reports
        self._settle_allure: Callable[[TestEnded | None, Path | None], None] | None = None
        self._watch = watch
        self._allure = allure
        self._first: Any = None
        self._last: deque[Any] = deque(maxlen=KEPT_ENTRIES)

    def __call__(self, entry: Any) -> None:
        # The first apart: it says what was run, and would fall out of the last 2,000.
        if self._first is None:
            self._first = entry
        else:
            self._last.append(entry)
        if self._watch is not None:
            self._watch(entry)

    def take_masker(self, masker: Masker) -> None:
        """The run begins, and this masker learns what is secret in it."""
        self.masker = masker

    @property
    def entries(self) -> list[Any]:
        """Those; none if the run did not begin."""
        return [self._first, *self._last] if self._first is not None else []

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to show."""
        return self._first is not None

    @property
    def has_transcript(self) -> bool:
        """Whether anything was said."""
        return has_transcript(self.entries)

    def lines(self) -> list[str]:
        """The end of the conversation."""
        return last_lines(self.entries, LAST_LINES)

    def close(self) -> None:
        """Whoever else watches may want to know that it is over."""
        close = getattr(self._watch, "close", None)
        if close is not None:
            close()

    def end(self) -> None:
        """The run is over; one that did not begin leaves no directory."""
        if self._first is not None:
            self._tell_allure()
        # The run was refused before it began; an empty directory would be the latest of all runs.
        elif self.directory is not None and self.is_ours:
            with contextlib.suppress(OSError):  # a report has written something
                self.directory.rmdir()
                self.directory = None

    def _tell_allure(self) -> None:
        """Where allure-pytest records the test, put the run's steps into its result."""
        if self._allure is None:
            return
        from antiphon.report.formats.allure import add_to_test

        entries = self.entries if self.directory is None else read_journal(self.directory / FILE_NAME)
        self._settle_allure = add_to_test(entries, self._allure.allure_logger)

    def finish(self, outcome: TestOutcome | None) -> list[RecordingError]:
        """The test has ended, None: it was interrupted. Write that, and make the reports; what could not be written."""
        test = None
        if outcome is not None and self._last and isinstance(self._last[-1], RunEnded):
            test = TestEnded(at_ns=self._last[-1].at_ns, test=self._test, outcome=outcome)
        trouble = list(self._write(test))
        if self._settle_allure is not None:
            try:
                self._settle_allure(test, self.directory)
            except OSError as error:
                told = f"the run's trace cannot be attached for allure: {error.strerror}"
                trouble.append(RecordingError(told, place=str(self.directory)))
        return trouble

    def _write(self, test: TestEnded | None) -> Iterator[RecordingError]:
        # The test may have removed the directory that it chose.
        if self._first is None or self.directory is None or not (self.directory / FILE_NAME).is_file():
            return
        if test is not None:
            try:
                writer = JournalWriter(self.directory / FILE_NAME, is_begun=True)
                try:
                    writer(test)
                finally:
                    writer.close()
            except RecordingError as error:
                yield error
        for spec in self._reports:
            try:
                make_report(self.directory, spec)
            except RecordingError as error:
                yield error


class Recordings:
    """The runs of one test."""

    def __init__(self, item: pytest.Item, home: Path, reports: Sequence[str]) -> None:
        self._test = item.nodeid
        self._label = _label(item)
        self._home = home
        self._test_directory = item.path.parent
        self._reports = reports
        self._allure = item.config.pluginmanager.get_plugin("allure_listener")
        self._recordings: list[Recording | LoadRecording] = []
        self._has_failed = False

    def begin(self, stand: Stand | str, options: dict[str, Any]) -> Recording:
        """A run is about to begin; `options` are completed for it."""
        chosen = options.get("stand")
        options["stand"] = found = self.find_stand(stand if chosen is None else chosen)
        reports = options.get("reports", (*STANDARD_REPORTS, *self._reports))
        load_reports(reports)  # whatever is wrong with one is said before the run begins
        options["reports"] = [spec for spec in reports if spec in AS_IT_HAPPENS]
        masker = Masker(found.secrets)
        masker.learn_from(found.environment)
        masker.learn_from(options)
        later = [spec for spec in reports if spec not in AS_IT_HAPPENS]
        recording = options["watch"] = Recording(options.get("watch"), self._allure, self._test, masker, later)
        self._recordings.append(recording)
        self._place(recording, options)
        return recording

    def begin_load(self, recording: LoadRecording, reports: Sequence[str], options: dict[str, Any]) -> None:
        """A load is about to begin; `options` are completed for it, with these reports if it has none of its own."""
        options.setdefault("reports", reports)
        self._recordings.append(recording)
        self._place(recording, options)

    def find_stand(self, stand: Stand | str | None) -> Stand:
        """The stand that the test names, or the one nearest to its file."""
        return find_stand(stand, self._test_directory)

    @property
    def reports(self) -> Sequence[str]:
        """What is made of every run beside the standard reports."""
        return self._reports

    def _place(self, recording: Recording | LoadRecording, options: dict[str, Any]) -> None:
        """Where it is recorded: in the directory that is asked for, or in a new one of the test's."""
        if options.get("directory") is not None:
            recording.directory = Path(options["directory"])
        elif options.get("runs", self._home) is not None:
            # Made here, so that it is known where the run is when it has failed.
            recording.is_ours = True
            home = Path(options.pop("runs", self._home))
            recording.directory = options["directory"] = new_run_directory(home, self._label)

    def presenter(self, *, has_colours: bool) -> Presenter | None:
        """What makes pytest's own account of the test fit to be shown; None if the test made no run."""
        maskers = [recording.masker for recording in self._recordings]
        return Presenter(maskers, has_colours=has_colours) if maskers else None

    def show(self, report: pytest.TestReport) -> None:
        """Show the end of the last run in the report."""
        self._has_failed = True
        begun = [recording for recording in self._recordings if recording.is_begun]
        # A test may fail twice, in its call and in its teardown; one conversation is enough.
        if not begun or any(title == "antiphon" for title, _ in report.sections):
            return
        lines = begun[-1].lines()
        places = [recording.directory for recording in begun if recording.directory is not None]
        if places:
            lines.append(f"recorded in {places[-1]}")
            if begun[-1].has_transcript:
                lines.append(f"transcript: {show_command(places[-1])}")
        lines += [f"and before in {place}" for place in places[:-1]]
        report.sections.append(("antiphon", "\n".join(lines)))

    def finish(self, outcome: TestOutcome | None, keep: str) -> list[RecordingError]:
        """The test, or this attempt of it, is over; what could not be written of its runs."""
        trouble = [error for recording in self._recordings for error in recording.finish(outcome)]
        self._present_to_allure()
        if keep == "failed" and not self._has_failed and not trouble:
            for recording in self._recordings:
                if recording.directory is not None and recording.is_ours:
                    shutil.rmtree(recording.directory, ignore_errors=True)
        return trouble

    def _present_to_allure(self) -> None:
        """The message in allure-pytest's result, which it has of the error itself and not of pytest's report."""
        result = self._allure and self._allure.allure_logger.get_test(None)
        presenter = self.presenter(has_colours=False)
        if presenter is not None and result and result.statusDetails and result.statusDetails.message:
            result.statusDetails.message = presenter.text(result.statusDetails.message)


def find_stand(stand: Stand | str | None, directory: Path) -> Stand:
    """The stand that a test names, or the one in the `antiphon.toml` nearest to its file."""
    return stand if isinstance(stand, Stand) else load_stand(stand, near=directory)


def _label(item: pytest.Item) -> str:
    """The test's name for a directory: `test_calls-test_outgoing-busy`."""
    file, _, test = item.nodeid.partition("::")
    label = re.sub(r"\W+", "-", f"{Path(file).stem}-{test}").strip("-")
    # Bytes, since a file system counts these; a character that is cut falls away.
    return label.encode()[:LONGEST_LABEL_BYTES].decode(errors="ignore")
