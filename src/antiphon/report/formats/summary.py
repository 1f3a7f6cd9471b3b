"""The report "summary": a run in GitHub-flavoured Markdown, for the page of a workflow.

Where GITHUB_STEP_SUMMARY names a file, as in GitHub Actions, it is appended there as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final, TextIO

from antiphon.conversation.message import Message
from antiphon.conversation.wording import counted, seconds
from antiphon.journal import HttpExchange, StepEnded, StepStarted
from antiphon.journal.file import WrittenMessage
from antiphon.report.formats.documents import Document
from antiphon.report.formats.markdown import add_to_step_summary, code, escaped, write_code
from antiphon.report.text import ends
from antiphon.report.verdict import Verdict

__all__ = ["SUMMARY", "write_summary"]

MOST_STEPS: Final = 100
LAST_LINES: Final = 40
LINE_WIDTH: Final = 140
LONGEST_TEXT: Final = 20_000
"""GitHub takes a mebibyte for a step, and cuts what is longer."""

_SIGNS: Final = {"passed": "✅", "failed": "❌", "cancelled": "⚪", "skipped": "⚪"}


def write_summary(entries: Iterable[Any], file: TextIO, directory: Path) -> None:
    """Write the Markdown of one run, and append it to what GITHUB_STEP_SUMMARY names."""
    text = StringIO()
    _write(entries, text, directory)
    file.write(text.getvalue())
    add_to_step_summary(text.getvalue())


def _write(entries: Iterable[Any], file: TextIO, directory: Path) -> None:
    verdict, steps = Verdict(), _Steps()
    last = list(ends(steps.watch(verdict.watch(entries)), 0, LAST_LINES, width=LINE_WIDTH))
    sign = _SIGNS.get(verdict.word, "❌")
    stand = f" on the stand {escaped(verdict.started.stand)}" if verdict.started and verdict.started.stand else ""
    file.write(f"### {sign} {escaped(verdict.call)}\n\n")
    counts = ", ".join(_told(count, what) for what, count in steps.counts.items() if count)
    file.write(f"{verdict.told} in {seconds(verdict.ended_ns)}{stand}: {counts or 'nothing was said'}\n\n")
    why = verdict.text or verdict.expected
    if why:
        write_code(file, why[:LONGEST_TEXT])
    steps.write(file)
    if verdict.is_red:
        file.write(f"<details><summary>The last {len(last)} lines of the conversation</summary>\n\n")
        write_code(file, "\n".join(last))
        file.write("</details>\n\n")
    file.write(f"Recorded in {code(str(directory))}\n\n")


class _Steps:
    """The steps of a run as rows of a table, and how much was said."""

    def __init__(self) -> None:
        self.counts = {"step": 0, "sent": 0, "received": 0, "HTTP request": 0}
        self._rows: dict[int, tuple[StepStarted, int]] = {}
        self._ended: dict[int, StepEnded] = {}

    def watch(self, entries: Iterable[Any]) -> Iterator[Any]:
        """The entries, seen as they are taken."""
        for entry in entries:
            self._add(entry)
            yield entry

    def _add(self, entry: Any) -> None:
        match entry:
            case StepStarted():
                self.counts["step"] += 1
                # The first, not the last: one reads a table from its top, and the failure's text names the step that
                # failed.
                if len(self._rows) < MOST_STEPS:
                    depth = self._rows[entry.parent][1] + 1 if entry.parent in self._rows else 0
                    self._rows[entry.number] = entry, depth
            case StepEnded() if entry.number in self._rows:
                self._ended[entry.number] = entry
            case Message() | WrittenMessage():
                self.counts["sent" if entry.is_sent else "received"] += 1
            case HttpExchange():
                self.counts["HTTP request"] += 1

    def write(self, file: TextIO) -> None:
        """Write the table."""
        if not self._rows:
            return
        file.write("| | step | who | began | took |\n|---|---|---|--:|--:|\n")
        for number, (step, depth) in self._rows.items():
            ended = self._ended.get(number)
            sign = _SIGNS.get(ended.outcome, "❌") if ended is not None else "✂️"
            took = seconds(ended.at_ns - step.at_ns) if ended is not None else ""
            # Blanks at the beginning of a cell are dropped by GitHub's Markdown; an entity is not.
            title = "&emsp;" * min(depth, 20) + escaped(step.title[:200])
            file.write(f"| {sign} | {title} | {escaped(step.actor)} | {step.at_ns / 1e9:.3f} s | {took} |\n")
        left_out = self.counts["step"] - len(self._rows)
        file.write(f"\nand {left_out} more steps\n\n" if left_out else "\n")


def _told(count: int, what: str) -> str:
    return f"{count} {what}" if what in ("sent", "received") else counted(count, what)


SUMMARY: Final = Document("summary.md", write_summary)
