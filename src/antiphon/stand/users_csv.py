"""`users.csv`: users as a table. The first line names the fields; a value is text, or a list under a name with `[]`."""

from __future__ import annotations

from collections.abc import Container
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from antiphon.errors import ScenarioError
from antiphon.stand.table import table_rows
from antiphon.stand.users import NAME_HINT, wrong_name

__all__ = ["read_users"]


def read_users(file: Path) -> list[dict[str, Any]]:
    """The users of a file in UTF-8, separated by commas, semicolons or tabs. A cell without text is a field not there.

    A field that the first line calls `skills[]` is the list `skills`; its items are separated by commas or semicolons.
    Raises ScenarioError for a file that cannot be read, that has no field `name`, or a line that does not fit, with its
    number.
    """
    rows = table_rows(file, "the users")
    fields = [_Field.of(heading.strip()) for _, headings in islice(rows, 1) for heading in headings]
    names = [field.name for field in fields]
    if _Field("name") not in fields or not all(names) or len(set(names)) < len(names):
        raise ScenarioError(
            "the first line does not name the fields of users, each once, among them name",
            place=f"{file}:1",
            hint="name,password,role,skills[]",
        )
    users: list[dict[str, Any]] = []
    taken: set[str] = set()
    for line, row in rows:
        user = _user(fields, row, f"{file}:{line}", taken)
        users.append(user)
        taken.add(user["name"])
    return users


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
