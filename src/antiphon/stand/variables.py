"""`${NAME}` and `${NAME:-default}` in the values of a file: what the environment has for them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ScenarioError

__all__ = ["Variables"]


class Variables:
    """Fills in environment variables for one file. `used` are the variables that were, with their values."""

    def __init__(self, file: Path) -> None:
        self.used: dict[str, str] = {}
        self._file = file

    def fill(self, value: Any, key: str) -> Any:
        """The value with its variables filled in, wherever strings are; `key` says in errors where it stands.

        As in a shell, `${NAME:-default}` is the default if the variable is not set or empty; `$${` is a plain `${`.
        Raises ScenarioError for a variable that is not set, and for one without a name.
        """
        if isinstance(value, dict):
            return {inner: self.fill(item, f"{key}.{inner}") for inner, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, f"{key}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        return _VARIABLE.sub(lambda found: self._value(found, key), value)

    def _value(self, found: re.Match[str], key: str) -> str:
        if found[0] == "$${":
            return "${"
        name, default = found["name"], found["default"]
        if name is None:
            text = f"{key} has {found[0]!r}, which names no environment variable"
            raise ScenarioError(
                text, place=self._place(found[0]), hint="${NAME} or ${NAME:-default}; $${ is a plain ${"
            )
        given = os.environ.get(name)
        # An empty one counts as not set, as with `:-` in a shell; without a default it must only be set.
        if not given and default is not None:
            return default
        if given is None:
            raise ScenarioError(
                f"{key} needs the environment variable {name}, which is not set",
                place=self._place("${" + name),
                hint=f"export {name}=…, or give a default: ${{{name}:-…}}",
            )
        # Not those that are not used: what is masked must not depend on all of the environment.
        self.used[name] = given
        return given

    def _place(self, written: str) -> str:
        """The file, and the first line where that is written."""
        lines = self._file.read_text(encoding="utf-8-sig").splitlines()
        number = next((number for number, line in enumerate(lines, 1) if written in line), 0)
        return f"{self._file}:{number}" if number else str(self._file)


_VARIABLE: Final = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{[^}]*\}?")
