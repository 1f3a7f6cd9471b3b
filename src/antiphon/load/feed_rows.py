"""The rows of a feed's file: a table (CSV, with a first line that names its columns), or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.errors import ScenarioError
from antiphon.stand.input_text import input_lines
from antiphon.stand.table import table_rows

__all__ = ["Row", "columns_of", "file_rows", "is_json_lines"]

_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_JSON_LINES: Final = frozenset({".jsonl", ".ndjson"})


class Row(msgspec.Struct):
    """What one conversation gets of a feed.

    `value` is a dictionary by columns, or any one value. `place` is where it was read, "" for what Python gave;
    `is_text` says that its values are texts, as in a table, whatever they mean.
    """

    value: Any
    place: str = ""
    is_text: bool = False


def is_json_lines(file: Path) -> bool:
    """Whether its name says that each line is a value in JSON. Raises ScenarioError if it says nothing we know."""
    kind = file.suffix.lower()
    if kind not in _TABLES | _JSON_LINES:
        hint = "a table is called .csv, .tsv or .txt; a file with a value in JSON on each line .jsonl or .ndjson"
        raise ScenarioError(
            f"what a feed's file has in it is told by its name, and {file.name!r} is neither", hint=hint
        )
    return kind in _JSON_LINES


def columns_of(file: Path) -> list[str]:
    """The columns of a table: what its first line says. Raises ScenarioError if it does not name them."""
    return _named([name.strip() for _, row in islice(table_rows(file, _WHAT), 1) for name in row], file)


def file_rows(file: Path) -> Iterator[Row]:
    """Its rows, read as they are asked for; a cell without text is not there.

    Raises ScenarioError for what cannot be read, with the line.
    """
    return _json_rows(file) if is_json_lines(file) else _table_rows(file)


def _table_rows(file: Path) -> Iterator[Row]:
    rows = table_rows(file, _WHAT)
    columns = _named([name.strip() for _, row in islice(rows, 1) for name in row], file)
    for line, row in rows:
        place = f"{file}:{line}"
        if len(row) != len(columns):
            raise ScenarioError(
                f"there are {len(row)} values for {len(columns)} columns",
                place=place,
                hint="a value with the separator in it stands in quotes",
            )
        value = {column: text for column, cell in zip(columns, row, strict=True) if (text := cell.strip())}
        yield Row(value, place, is_text=True)


def _named(columns: list[str], file: Path) -> list[str]:
    if not columns or not all(columns) or len(set(columns)) < len(columns):
        raise ScenarioError(
            "the first line does not name the columns, each once",
            place=f"{file}:1",
            hint="a column has the name of the parameter that it is for",
        )
    return columns


def _json_rows(file: Path) -> Iterator[Row]:
    for number, line in enumerate(input_lines(file, _WHAT), 1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            hint = 'each line is a value of its own: {"telephone": "890000002"}'
            raise ScenarioError(f"this line is no JSON: {error}", place=place, hint=hint) from error
        yield Row(value, place)


_WHAT: Final = "the feed"
