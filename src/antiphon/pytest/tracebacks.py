"""What pytest itself shows of a test that made runs: as the runs' own reports, without secrets and safe to be shown.

Its tracebacks hold arguments, local variables, texts of errors and differences, each of which may be what a peer said;
other plugins read them too (JUnit XML, HTML, Allure). Lines of source are the author's: of them only values go that are
known as secrets. Captured output is masked, and its control characters stay: what a test prints is its author's own. A
captured log has none: asyncio logs the errors that nobody awaits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest
from _pytest._code.code import ReprEntry, ReprEntryNative, ReprFuncArgs, ReprLocals, TerminalRepr

from antiphon.conversation.wording import visible
from antiphon.journal.masking import Masker

__all__ = ["Presenter"]


class Presenter:
    """Makes what pytest shows of one test fit to be shown; `maskers` are those of its runs.

    If `has_colours`, those that pytest gives the differences of an assertion stay.
    """

    def __init__(self, maskers: Sequence[Masker], *, has_colours: bool) -> None:
        self._maskers = maskers
        self._kept = _COLOURS if has_colours else _WHITE

    def present(self, report: pytest.TestReport) -> None:
        """Change the report, in its place."""
        # Twice: what the end of a traceback teaches may stand at its beginning, in a line of source.
        report.longrepr = self._part(self._part(report.longrepr))
        report.sections = [
            (title, self.text(content) if title.startswith("Captured log") else self._masked(content))
            for title, content in report.sections
        ]

    def text(self, text: str) -> str:
        """A text of which anything may be a peer's."""
        text = self._masked(text)
        return "".join(part if index % 2 else visible(part) for index, part in enumerate(self._kept.split(text)))

    def _part(self, part: Any) -> Any:
        """A part of what pytest shows; its own objects are changed in their place, for they are in each other."""
        if isinstance(part, str):
            return self.text(part)
        if type(part) in (list, tuple):
            return type(part)(map(self._part, part))
        if isinstance(part, ReprFuncArgs):
            part.args = [self._argument(name, str(value)) for name, value in part.args]
        elif isinstance(part, ReprLocals):
            part.lines = [self.text(line) for line in part.lines]
        elif isinstance(part, TerminalRepr):
            if isinstance(part, ReprEntry):
                part.lines = self._entry_lines(part.style, part.lines)
            elif isinstance(part, ReprEntryNative):
                part.lines = ["\n".join(map(self._native_line, text.split("\n"))) for text in part.lines]
            for name, inner in vars(part).items():
                if name != "lines" or not isinstance(part, (ReprEntry, ReprEntryNative)):
                    setattr(part, name, self._part(inner))
        return part

    def _argument(self, name: str, value: str) -> tuple[str, str]:
        return name, self.text(f"{name}={value}").removeprefix(f"{name}=")

    def _entry_lines(self, style: str, lines: Sequence[str]) -> list[str]:
        """Of an entry's lines, those of the source stand first, and then what the error says."""
        said = next((at for at, line in enumerate(lines) if line.startswith(_FAILS)), len(lines))
        said = 0 if style == "value" else said
        return [*map(self._source, lines[:said]), *map(self.text, lines[said:])]

    def _native_line(self, line: str) -> str:
        # A source line is indented, and so may be what an error says: no character of it is trusted.
        if line.startswith(_INDENTED):
            line = self._source(line)
            return "".join(part if index % 2 else visible(part) for index, part in enumerate(_WHITE.split(line)))
        return self.text(line)

    def _source(self, line: str) -> str:
        # `token = response["id"]` holds no secret, and would be unreadable as a field.
        return self._through(Masker.known, line)

    def _masked(self, text: str) -> str:
        # With the dots of pytest's own cuts, half a secret would not be known for what it is.
        dotted = text.replace("...", "…")
        masked = self._through(Masker.text, dotted)
        return text if masked == dotted else masked

    def _through(self, mask: Callable[[Masker, str], str], text: str) -> str:
        for masker in self._maskers:
            text = mask(masker, text)
        return text


_FAILS: Final = "E  "
_INDENTED: Final = "    "
_WHITE: Final = re.compile(r"([\t\n])")
_COLOURS: Final = re.compile(r"([\t\n]|\x1b\[(?:39;49;00|0|0?[1-4]|3[0-7]|9[0-7])m)")
"""White space, and the styles that pytest's highlighting has; none of them hides or moves anything."""
