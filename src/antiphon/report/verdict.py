"""How a run ended, in the words of its journal: also of one that was killed, and has no end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from antiphon.conversation.wording import visible
from antiphon.journal import Failed, RunEnded, RunStarted, RunVerdict, SoftCheckFailed

__all__ = ["CUT_OFF", "UNFINISHED", "Verdict", "Word"]

Word = RunVerdict | Literal["unfinished"]

UNFINISHED: Final = "unfinished"
"""The word for a run whose journal has no end: it was killed, or is still under way."""

CUT_OFF = "the run was cut off: its journal has no end"
"""What is told of a run that was killed."""


class Verdict:
    """What the entries given to it tell of a run's beginning and end.

    `word` is "passed", "failed", "error" or "interrupted", or "unfinished" for a journal without an end. `kind` is the
    class of the error, `text` what it says; both are "" for a run that passed. `ended_ns` is when its last entry was.
    """

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.word: Word = UNFINISHED
        self.kind = ""
        self.ended_ns = 0
        self._failure = ""
        self._soft: list[str] = []

    def __call__(self, entry: Any) -> None:
        self.ended_ns = max(self.ended_ns, entry.at_ns)
        match entry:
            case RunStarted():
                self.started = entry
            case Failed():
                self.kind, self._failure = entry.error, entry.text
            case SoftCheckFailed():
                self._soft.append(entry.text)
            case RunEnded():
                self.word = entry.verdict
                self._failure = entry.error or self._failure

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
    def has_passed(self) -> bool:
        return self.word == "passed"

    @property
    def headline(self) -> str:
        """The first line of `text`."""
        return self.text.partition("\n")[0]

    @property
    def text(self) -> str:
        """What the run failed with; the first line says it in short. Nothing in it can move a cursor or turn text."""
        if self.has_passed:
            return ""
        told = [self._failure or (self.word if self.word != UNFINISHED else "")]
        if self.word == UNFINISHED:
            told.append(CUT_OFF)
            told += [f"soft check: {text}" for text in self._soft]
        return "\n".join(visible(line) for text in told for line in text.splitlines())
