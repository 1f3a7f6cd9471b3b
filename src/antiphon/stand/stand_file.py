"""`antiphon.toml` as it is written: what it holds, and in which line."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ScenarioError
from antiphon.stand.input_text import read_input

__all__ = ["StandFile"]


class StandFile:
    """A file of stands: its `path`, and the `document` that is in it. Raises ScenarioError if there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = read_input(path, "the stand file")
        self.document = self._parsed()

    def wrong(self, key: str, wanted: str) -> ScenarioError:
        """What says that the value of this key is not what is wanted."""
        return ScenarioError(f"{key} is not {wanted}", place=self.place(key))

    def place(self, key: str) -> str:
        """The file, and the line where this key, or the table that it is in, begins.

        tomllib tells no lines. A key is looked for at the beginning of each, so in a table that is written in one line
        it is the table's; only a text of several lines can be taken for a key, by holding one.
        """
        table, number_of_table = "", 0
        for number, line in enumerate(self._text.split("\n"), 1):
            if found := _HEADER.match(line):
                at = table = _plain(found[1])
            elif found := _KEY.match(line):
                at = f"{table}.{_plain(found[1])}".removeprefix(".")
            else:
                continue
            if f"{at}.".startswith(f"{key}."):
                return f"{self.path}:{number}"
            if key.startswith(f"{at}."):
                number_of_table = number
        return f"{self.path}:{number_of_table}" if number_of_table else str(self.path)

    def _parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+),", str(error))  # an attribute from Python 3.14 on
            line = found[1] if found is not None else len(self._text.splitlines())  # "at end of document"
            raise ScenarioError(
                f"this is no TOML: {error}", place=f"{self.path}:{line}", hint="see https://toml.io"
            ) from error
        except RecursionError:  # tomllib says neither where, nor how deep is too deep
            raise ScenarioError("this is nested too deeply", place=f"{self.path}:{_deepest_line(self._text)}") from None
        except ValueError:  # of tomllib's own none is left: it is int(), which reads no more digits than that
            digits = sys.get_int_max_str_digits()
            found = re.search(rf"\d(?:_?\d){{{digits}}}", self._text)
            line = self._text.count("\n", 0, found.start()) + 1 if found is not None else 1
            raise ScenarioError(f"a number of more than {digits} digits", place=f"{self.path}:{line}") from None


def _plain(key: str) -> str:
    """A dotted key without its quotes and spaces."""
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _deepest_line(text: str) -> int:
    """The number of the line where brackets have been opened most, those in strings and comments left out."""
    depth, deepest, number_there = 0, 0, 1
    for number, line in enumerate(text.splitlines(), 1):
        for bracket in re.findall(r"[][{}]", _STRING_OR_COMMENT.sub("", line)):
            depth += 1 if bracket in "[{" else -1
            if depth > deepest:
                deepest, number_there = depth, number
    return number_there


_HEADER: Final = re.compile(r"\s*\[{1,2}([^][]+)\]")
_KEY: Final = re.compile(r"\s*([^][{}=#\s][^][{}=#]*)=")
_STRING_OR_COMMENT: Final = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'[^']*'|#.*""")
