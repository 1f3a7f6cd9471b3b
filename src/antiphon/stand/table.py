"""A table that somebody has written or exported: CSV, separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from antiphon.errors import ScenarioError
from antiphon.stand.input_text import input_lines

__all__ = ["table_rows"]


def table_rows(file: Path, what: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file in UTF-8, each with the number of its (last) line; the first, and then those with a text.

    They are read as they are asked for. Raises ScenarioError for a file that cannot be read, with the line that is no
    CSV; `what` it is it says.
    """
    lines = input_lines(file, what)
    heading = next(lines, "")
    # By the heading alone: what spreadsheets of other countries write, whatever the values have in them.
    delimiter = max(_DELIMITERS, key=heading.count)
    # Not `splitlines`: that ends a line at a U+2028 or a form feed too, which no editor counts.
    rows = csv.reader(chain([heading], lines), delimiter=delimiter, skipinitialspace=True, strict=True)
    is_first = True
    try:
        for row in rows:
            if is_first or any(map(str.strip, row)):
                yield rows.line_num, row
            is_first = False
    except csv.Error as error:
        raise _no_csv(error, f"{file}:{rows.line_num}") from error


def _no_csv(error: csv.Error, place: str) -> ScenarioError:
    if "field limit" in str(error):  # there is no class of its own for that
        return ScenarioError(
            f"a value has more than {csv.field_size_limit():,} characters",
            place=place,
            hint="is there a quote that does not end?",
        )
    hint = 'a value with quotes or separators is written "like ""this"", say"'
    return ScenarioError(f"this is no CSV: {error}", place=place, hint=hint)


_DELIMITERS: Final = (",", ";", "\t")
