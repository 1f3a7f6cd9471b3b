"""How a run ended, in the words of its journal: also of one that was killed, and has no end.

Of a run that a test made the test has the last word: a failure that it expects is none, and a run that passed is not
green in a test that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from antiphon.conversation.wording import visible
from antiphon.journal import Failed, RunEnded, RunStarted, RunVerdict, SoftCheckFailed, TestEnded, TestOutcome
from antiphon.report.cut_off import CutOff

__all__ = ["CUT_OFF", "UNFINISHED", "Verdict", "Word"]

Word = RunVerdict | Literal["unfinished", "skipped"]

UNFINISHED: Final = "unfinished"
"""The word for a run whose journal has no end: it was killed, or is still under way."""

CUT_OFF = "the run was cut off: its journal has no end"
"""What is told of a run that was killed."""


_OF_TEST: Final[dict[TestOutcome, Word]] = {
    "passed": "passed",
    "xpassed": "passed",
    "xfailed": "skipped",
    "skipped": "skipped",
    "rerun": "skipped",
    "failed": "failed",
    "error": "error",
}
"""The word for a run whose test ended so."""


class Verdict:
    """What the entries given to it tell of a run's beginning and end.

    `own` is what the run itself says: "passed", "failed", "error" or "interrupted", or "unfinished" for a journal
    without an end. `test` is how the test ended that made the run, None if none did or it is not known. `kind` is the
    class of the run's error, "" for none. `ended_ns` is when its last entry was.
    """

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.own: Word = UNFINISHED
        self.test: TestEnded | None = None
        self.kind = ""
        self.ended_ns = 0
        self._failure = ""
        self._soft: list[str] = []
        self._cut_off: CutOff | None = CutOff()

    def __call__(self, entry: Any) -> None:
        self.ended_ns = max(self.ended_ns, entry.at_ns)
        if self._cut_off is not None:
            self._cut_off(entry)
        match entry:
            case RunStarted():
                self.started = entry
            case Failed():
                self.kind, self._failure = entry.error, entry.text
            case SoftCheckFailed():
                self._soft.append(entry.text)
            case RunEnded():
                self.own = entry.verdict
                self._failure = entry.error or self._failure
                self._cut_off = None
            case TestEnded():
                self.test = entry

    def watch(self, entries: Iterable[Any]) -> Iterator[Any]:
        """The entries, seen as they are taken."""
        for entry in entries:
            self(entry)
            yield entry

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return self.started.scenario if self.started is not None else "unknown"

    @property
    def call(self) -> str:
        """The scenario with its parameters, as it could be written: `outgoing(telephone='busy')`."""
        parameters = self.started.parameters if self.started is not None else {}
        return f"{self.scenario}({', '.join(f'{name}={value!r}' for name, value in parameters.items())})"

    @property
    def word(self) -> Word:
        """The verdict for a report: the test's, or the run's own where no test has ended.

        "skipped" is a run whose failure counts for nothing, and neither does its success. Where a run did not pass,
        and its test did not either, the run's own word says more exactly why.
        """
        if self.test is None:
            return self.own
        word = _OF_TEST[self.test.outcome]
        return self.own if word in ("failed", "error") and self.own != "passed" else word

    @property
    def outcome(self) -> str:
        """The verdict in its author's own word: the test's outcome, as "xfailed", or the run's `own`."""
        return self.own if self.test is None else self.test.outcome

    @property
    def told(self) -> str:
        """The verdict for people: the outcome, and where the run itself says something else, that too."""
        return self.outcome if self.outcome == self.own else f"{self.outcome} (the run itself: {self.own})"

    @property
    def has_passed(self) -> bool:
        return self.word == "passed"

    @property
    def is_red(self) -> bool:
        """True if somebody is to look at it."""
        return self.word not in ("passed", "skipped")

    @property
    def headline(self) -> str:
        """The first line of `text`."""
        return self.text.partition("\n")[0]

    @property
    def text(self) -> str:
        """What a red run failed with; the first line says it in short. Nothing in it can move a cursor or turn text."""
        if not self.is_red:
            return ""
        if self.own == "passed" and self.test is not None:
            where = " in its setup or teardown" if self.test.outcome == "error" else ""
            return f"the run passed, and its test failed{where}: {visible(self.test.test)}"
        return self.happened

    @property
    def happened(self) -> str:
        """What the run itself failed with, also if its test expected it; "" for one that passed."""
        if self.own == "passed":
            return ""
        told = [self._failure or (self.own if self.own != UNFINISHED else "")]
        if self.own == UNFINISHED:
            told.append(CUT_OFF)
            if self._cut_off is not None and not self._failure:
                told += [f"  {line}" for line in self._cut_off.lines()]
            told += [f"soft check: {text}" for text in self._soft]
        return "\n".join(visible(line) for text in told for line in text.splitlines())

    @property
    def expected(self) -> str:
        """What the run failed with and its test did not fail with: a line that says so, then `happened`; else ""."""
        if self.is_red or self.test is None or not self.happened:
            return ""
        return f"the run itself: {self.own}; its test {_EXPECTED[self.test.outcome]}\n{self.happened}"


_EXPECTED: Final[dict[TestOutcome, str]] = {
    "passed": "expected that, and passed",
    "xpassed": "passed, although it was marked to fail",
    "xfailed": "is marked to fail (xfailed)",
    "skipped": "was skipped",
    "rerun": "was run again",
}
"""Why a failure leaves nothing red."""
