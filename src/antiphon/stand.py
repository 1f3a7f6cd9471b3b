"""Where the system under test lives: names and addresses, users, and how to start it if it is ours to start.

A stand comes from `antiphon.toml`, found in the working directory or above it:

    default = "local"

    [stands.local]
    centre = "http://127.0.0.1:8765"
    users = [{ name = "alice", password = "${ALICE_PASSWORD}" }]

Every key of a stand is an address, except `users`, `start` ("module:attribute" of an async context manager that has
`addresses` and `users`), `within_s` (the deadline of waits that give none, in seconds) and `secrets` (further names
of secret fields).
"""

from __future__ import annotations

import os
import re
import string
import tomllib
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ScenarioError
from antiphon.transport.seam import Transport

__all__ = ["FILE_NAME", "Stand", "User", "find_stand_file", "load_stand", "stand_names"]

FILE_NAME: Final = "antiphon.toml"


class User:
    """Someone whom an actor can be: `name`, `password` and whatever else the stand file gives, as attributes."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        raise ScenarioError(
            f"the user {self.__dict__.get('name', '')!r} has no {name!r}", hint=f"it has {', '.join(self.__dict__)}"
        )

    def __repr__(self) -> str:
        return f"User({self.__dict__.get('name', '')!r})"


class Stand:
    """Names and addresses of one installation of the system under test.

    `transports` overrides, by the scheme of an address, which transport is used. `start` makes what must be running.
    """

    def __init__(
        self,
        name: str = "",
        addresses: Mapping[str, str] | None = None,
        *,
        users: Iterable[Mapping[str, Any]] = (),
        start: str = "",
        within_s: float | None = None,
        secrets: Iterable[str] = (),
        transports: Mapping[str, Transport] | None = None,
        source: str = "",
    ) -> None:
        self.name = name
        self.addresses = dict(addresses or {})
        self.start = start
        self.within_s = within_s
        self.secrets = tuple(secrets)
        self.transports = dict(transports or {})
        self.source = source
        self._free = deque(User(**user) for user in users)
        self._has_users = bool(self._free)

    def __repr__(self) -> str:
        return f"<Stand {self.name or 'without a name'}: {', '.join(self.addresses) or 'no addresses'}>"

    @property
    def _title(self) -> str:
        return f"the stand {self.name!r}" if self.name else "the stand"

    def resolve(self, template: str, fields: Mapping[str, Any]) -> str:
        """The address with its `{names}` filled in, from the stand's addresses first and then from `fields`."""

        def value(name: str) -> str:
            if name in self.addresses:
                return self.addresses[name].rstrip("/")
            if name in fields:
                return str(fields[name])
            known = ", ".join(sorted(self.addresses)) or "none"
            raise ScenarioError(
                f"the address {template!r} needs {name!r}, which {self._title} does not have",
                place=self.source or None,
                hint=f"its addresses are: {known}. Add {name} to the stand, or choose another with --stand",
            )

        parts = string.Formatter().parse(template)
        try:
            return "".join(text + (value(name) if name is not None else "") for text, name, _, _ in parts)
        except ValueError as error:
            raise ScenarioError(f"{template!r} is no address: {error}") from error

    def lend_user(self) -> User | None:
        """A user that no other actor has; None if the stand has no users at all."""
        if not self._has_users:
            return None
        if not self._free:
            raise ScenarioError(
                f"all users of {self._title} are taken", place=self.source or None, hint="add users to it"
            )
        return self._free.popleft()

    def take_back(self, user: User | None) -> None:
        """The user is free again."""
        if user is not None:
            self._free.append(user)

    def started(self, addresses: Mapping[str, str], users: Iterable[Mapping[str, Any]]) -> Stand:
        """This stand with what was started for it: its addresses, and its users unless the stand has its own."""
        own = [vars(user) for user in self._free]
        return Stand(
            self.name,
            {**self.addresses, **addresses},
            users=own or users,
            within_s=self.within_s,
            secrets=self.secrets,
            transports=self.transports,
            source=self.source,
        )


def find_stand_file(directory: Path | None = None) -> Path | None:
    """`antiphon.toml` in the directory (the working directory by default) or the nearest above it."""
    start = (directory or Path.cwd()).resolve()
    return next((path for folder in (start, *start.parents) if (path := folder / FILE_NAME).is_file()), None)


def load_stand(name: str | None = None, *, near: Path | None = None) -> Stand:
    """The stand of that name; None for the file's `default` or its only one, or without a file an empty stand.

    The file is `antiphon.toml` in the working directory or above it, or else in the folder `near` or above that.
    Raises ScenarioError for a file that is malformed or has no such stand.
    """
    file = find_stand_file() or (find_stand_file(near) if near is not None else None)
    if file is None:
        if name is None:
            return Stand()
        raise ScenarioError(
            f"there is no stand {name!r}: no {FILE_NAME} here or above",
            hint=f'make one: [stands.{name}] with a line such as  centre = "http://127.0.0.1:8765"',
        )
    document = _read(file)
    stands = _table(document.get("stands", {}), "stands", file)
    chosen = name or document.get("default") or (next(iter(stands)) if len(stands) == 1 else None)
    if chosen is None:
        return Stand(source=str(file))
    if chosen not in stands:
        raise ScenarioError(
            f"there is no stand {chosen!r}", place=str(file), hint=f"there are: {', '.join(stands) or 'none'}"
        )
    return _stand(chosen, _table(stands[chosen], f"stands.{chosen}", file), file)


def stand_names(file: Path) -> list[str]:
    """The stands of a file, in its order."""
    return list(_table(_read(file).get("stands", {}), "stands", file))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"this is no TOML: {error}", place=str(file), hint="see https://toml.io") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"the stand file cannot be read: {error}", place=str(file)) from error


def _stand(name: str, table: Mapping[str, Any], file: Path) -> Stand:
    where = f"stands.{name}"
    fields = {key: _fill(value, f"{where}.{key}", file) for key, value in table.items()}
    users = fields.pop("users", [])
    if not isinstance(users, list) or not all(
        isinstance(user, dict) and isinstance(user.get("name"), str) for user in users
    ):
        raise _wrong(f"{where}.users", 'a list of tables with a name, as [{ name = "alice", password = "…" }]', file)
    start = fields.pop("start", "")
    if not isinstance(start, str) or (start and ":" not in start):
        raise _wrong(f"{where}.start", '"module:attribute"', file)
    within_s = fields.pop("within_s", None)
    if within_s is not None and (not isinstance(within_s, (int, float)) or isinstance(within_s, bool) or within_s <= 0):
        raise _wrong(f"{where}.within_s", "a number of seconds above 0", file)
    secrets = fields.pop("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(secret, str) for secret in secrets):
        raise _wrong(f"{where}.secrets", "a list of names of fields", file)
    for key, value in fields.items():
        if not isinstance(value, str):
            raise _wrong(f"{where}.{key}", 'an address, as "http://127.0.0.1:8765"', file)
    return Stand(name, fields, users=users, start=start, within_s=within_s, secrets=secrets, source=str(file))


def _fill(value: Any, key: str, file: Path) -> Any:
    """The value with `${NAME}` replaced by environment variables, wherever strings are."""
    if isinstance(value, dict):
        return {inner: _fill(item, f"{key}.{inner}", file) for inner, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, f"{key}[{index}]", file) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ScenarioError(
                f"{key} needs the environment variable {found[1]}, which is not set",
                place=str(file),
                hint=f"export {found[1]}=…",
            )
        return os.environ[found[1]]

    return re.sub(r"\$\{([^}]*)\}", variable, value)


def _table(value: Any, key: str, file: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(key, "a table", file)
    return value


def _wrong(key: str, wanted: str, file: Path) -> ScenarioError:
    return ScenarioError(f"{key} is not {wanted}", place=str(file))
