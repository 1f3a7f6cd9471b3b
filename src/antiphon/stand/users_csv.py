"""`users.csv`: users as a table. The first line names the fields; a value is text, or a list under a name with `[]`."""

from __future__ import annotations

import csv
from collections.abc import Container
from io import StringIO
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.errors import ScenarioError
from antiphon.stand.input_text import read_input
from antiphon.stand.users import NAME_HINT, wrong_name

__all__ = ["read_users"]


def read_users(file: Path) -> list[dict[str, Any]]:
    """The users of a file in UTF-8, separated by commas, semicolons or tabs. A cell without text is a field not there.

    A field that the first line calls `skills[]` is the list `skills`; its items are separated by commas or semicolons.
    Raises ScenarioError for a file that cannot be read, that has no field `name`, or a line that does not fit, with its
    number.
    """
    text = read_input(file, "the users")
    # By the heading alone: what spreadsheets of other countries write, whatever the values have in them.
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    # Not `splitlines`: that ends a line at a U+2028 or a form feed too, which no editor counts.
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    users: list[dict[str, Any]] = []
    try:
        fields = [_Field.of(heading.strip()) for heading in next(rows, [])]
        names = [field.name for field in fields]
        if _Field("name") not in fields or not all(names) or len(set(names)) < len(names):
            raise ScenarioError(
                "the first line does not name the fields of users, each once, among them name",
                place=f"{file}:1",
                hint="name,password,role,skills[]",
            )
        taken: set[str] = set()
        for row in rows:
            if any(map(str.strip, row)):
                user = _user(fields, row, f"{file}:{rows.line_num}", taken)
                users.append(user)
                taken.add(user["name"])
    except csv.Error as error:
        raise _no_csv(error, f"{file}:{rows.line_num}") from error
    return users


def _no_csv(error: csv.Error, place: str) -> ScenarioError:
    if "field limit" in str(error):  # there is no class of its own for that
        return ScenarioError(
            f"a value has more than {csv.field_size_limit():,} characters",
            place=place,
            hint="is there a quote that does not end?",
        )
    hint = 'a value with quotes or separators is written "like ""this"", say"'
    return ScenarioError(f"this is no CSV: {error}", place=place, hint=hint)


class _Field(msgspec.Struct, frozen=True):
    """A column."""

    name: str
    is_list: bool = False

    @classmethod
    def of(cls, heading: str) -> _Field:
        """What the first line says of it."""
        return cls(heading.removesuffix("[]").rstrip(), heading.endswith("[]"))

    def value(self, text: str, place: str) -> str | list[str]:
        """What a cell with that text means."""
        if not self.is_list:
            return text
        items = [item.strip() for item in text.replace(";", ",").split(",")]
        if not all(items):
            raise ScenarioError(
                f"an item of {self.name!r} is empty",
                place=place,
                hint="items are separated by one comma or semicolon each",
            )
        return items


def _user(fields: list[_Field], row: list[str], place: str, taken: Container[str]) -> dict[str, Any]:
    """The user of a row; `taken` are the names of those before."""
    if len(row) != len(fields):
        raise ScenarioError(
            f"there are {len(row)} values for {len(fields)} fields",
            place=place,
            hint="a value with the separator in it stands in quotes",
        )
    user = {
        field.name: field.value(text, place) for field, cell in zip(fields, row, strict=True) if (text := cell.strip())
    }
    if wrong := wrong_name(user.get("name"), taken):
        raise ScenarioError(wrong, place=place, hint=NAME_HINT)
    return user


_DELIMITERS: Final = (",", ";", "\t")
