"""`users.csv`: users as a table. The first line names the fields; every value is text, `skills` a list of words."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ScenarioError

__all__ = ["read_users"]


def read_users(file: Path) -> list[dict[str, Any]]:
    """The users of a file in UTF-8, separated by commas, semicolons or tabs. A cell without text is a field not there.

    Words of `skills` are separated by spaces, commas or semicolons. Raises ScenarioError for a file that cannot be
    read, that has no field `name`, or a line that does not fit, with its number.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"the users cannot be read: {error}", place=str(file)) from error
    heading = lines[0] if lines else ""
    delimiter = max(_DELIMITERS, key=heading.count)
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    users: list[dict[str, Any]] = []
    try:
        fields = [field.strip() for field in next(rows, [])]
        if "name" not in fields or not all(fields) or len(set(fields)) < len(fields):
            raise ScenarioError(
                "the first line does not name the fields of users, each once, among them name",
                place=f"{file}:1",
                hint="name,password,role",
            )
        users += [_user(fields, row, f"{file}:{rows.line_num}") for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        raise ScenarioError(f"this is no CSV: {error}", place=f"{file}:{rows.line_num}") from error
    return users


def _user(fields: list[str], row: list[str], place: str) -> dict[str, Any]:
    if len(row) != len(fields):
        raise ScenarioError(f"there are {len(row)} values for {len(fields)} fields", place=place)
    user: dict[str, Any] = {field: text for field, cell in zip(fields, row, strict=True) if (text := cell.strip())}
    if "name" not in user:
        raise ScenarioError("this user has no name", place=place)
    if "skills" in user:
        user["skills"] = [word for word in re.split(r"[\s,;]+", user["skills"]) if word]
    return user


_DELIMITERS: Final = (",", ";", "\t")
