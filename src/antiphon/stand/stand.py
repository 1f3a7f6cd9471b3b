"""Where the system under test lives: names and addresses, users, and how to start it if it is ours to start.

A stand comes from `antiphon.toml`, found in the working directory or above it:

    default = "local"

    [stands.local]
    centre = "http://127.0.0.1:8765"
    users = [{ name = "alice", password = "${ALICE_PASSWORD}" }]

    [stands.staging]
    centre = "https://${STAGING_HOST:-staging.example}"
    users = "users.csv"

Every key of a stand is an address, except `users` (a list, or a file beside this one: see `antiphon.stand.users_csv`),
`users_within_s` (how long to wait until users are free, 5 s), `start` ("module:attribute" of what makes an async
context manager, whose value has `addresses` and perhaps `users`, or is a mapping of addresses), `within_s` (the
deadline of waits that give none, in seconds), `secrets` (further names of secret fields), `tls` and `transports`
(tables: see `antiphon.stand.stand_tls` and `stand_transports`). An address that is a list is a program, which is
started as the peer. In every value of the chosen stand environment variables are filled in: see
`antiphon.stand.variables`.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from antiphon.conversation.wording import visible
from antiphon.errors import ScenarioError
from antiphon.stand.stand_file import StandFile
from antiphon.stand.stand_tls import StandTls, read_tls
from antiphon.stand.stand_transports import command_address, read_transports
from antiphon.stand.users import User, UserPool, Wanted
from antiphon.stand.users_csv import read_users
from antiphon.stand.variables import Variables
from antiphon.transport.interface import Transport
from antiphon.transport.tls import Tls

__all__ = ["FILE_NAME", "Stand", "find_stand_file", "load_stand", "stand_names"]

FILE_NAME: Final = "antiphon.toml"

USERS_WITHIN_S: Final = 5.0
"""How long a run waits until the users that it needs are free."""


_LONGEST_S: Final = 1e9
"""Times are counted in nanoseconds, in 64 bits where they are written."""


class Stand:
    """Names and addresses of one installation of the system under test.

    `name` is what it is called in texts; `addresses` are its addresses by the names that channels give them; `users`
    are lent to actors (`is_shared` is False where no other process can have them), which wait for `users_within_s`.
    `transports` overrides, by the scheme of an address, which transport is used, or gives options to the registered
    one, where a channel has none of its own. `tls` is for its addresses, where a channel says nothing else. `start`
    makes what must be running.
    `source` is the file that the stand was read from. Users of a stand with a source are lent to one actor at a time
    among all processes on the machine, others within this object. `environment` are the variables that it was made
    with; those named like secrets are masked.
    """

    def __init__(
        self,
        name: str = "",
        addresses: Mapping[str, str] | None = None,
        *,
        users: Iterable[Mapping[str, Any]] = (),
        users_within_s: float = USERS_WITHIN_S,
        start: str = "",
        within_s: float | None = None,
        secrets: Iterable[str] = (),
        transports: Mapping[str, Transport | Mapping[str, Any]] | None = None,
        tls: StandTls | Tls | None = None,
        source: str = "",
        environment: Mapping[str, str] | None = None,
        is_shared: bool = True,
    ) -> None:
        self.name = name
        self.addresses = dict(addresses or {})
        self.start = start
        self.within_s = within_s
        self.secrets = tuple(secrets)
        self.transports = dict(transports or {})
        self.tls = tls if isinstance(tls, StandTls) else StandTls(tls)
        self.source = source
        self.environment = dict(environment or {})
        self.users_within_s = users_within_s
        self.starts_users = 0
        """How many users what it starts is to have, where that can be told; 0 for as many as there are."""
        self.users_file: Path | None = None
        """The table that its users were read from, None if they stood elsewhere."""
        # A stand that we start is new each time: its users are nobody else's, whatever their names.
        key = f"{source}\0{name}" if source and is_shared and not start else ""
        self.users = UserPool(users, title=self._title, place=source or None, key=key)

    def __repr__(self) -> str:
        return f"<Stand {self.name or 'without a name'}: {', '.join(self.addresses) or 'no addresses'}>"

    @property
    def _title(self) -> str:
        return f"the stand {self.name!r}" if self.name else "the stand"

    def resolve(self, template: str, fields: Mapping[str, Any]) -> str:
        """The address with its `{names}` filled in, from the stand's addresses first and then from `fields`."""

        address = ""
        for text, name in _parts(template):
            address += text
            if name is None:
                continue
            if name in self.addresses:
                # Not of a program: the last of its arguments may be a directory.
                named = self.addresses[name]
                address += named.rstrip("/") if "://" in named else named
            elif name in fields:
                address += str(fields[name])
            else:
                raise self._unknown(template, name)
        return address

    def _unknown(self, template: str, name: str) -> ScenarioError:
        known = ", ".join(sorted(self.addresses)) or "none"
        return ScenarioError(
            f"the address {template!r} needs {name!r}, which {self._title} does not have",
            place=self.source or None,
            hint=f"its addresses are: {known}. Add {name} to the stand, or choose another with --stand",
        )

    def tls_for(self, address: str) -> Tls | None:
        """The TLS settings for an address with its names filled in, None if the stand says nothing of it."""
        return self.tls.of(address, self.addresses)

    async def lend_users(self, wanted: Sequence[Wanted], run: str) -> list[User | None]:
        """Users that no other actor has, for all of the wanted; None for each if the stand has no users at all.

        Raises ScenarioError if they are not free within `users_within_s`; `run` is told to others who wait for them.
        """
        return await self.users.lend(wanted, within_s=self.users_within_s, run=run)

    def with_users(self, users: Iterable[Mapping[str, Any]]) -> Stand:
        """This stand with these users instead of its own."""
        return Stand(
            self.name,
            self.addresses,
            users=users,
            users_within_s=self.users_within_s,
            start=self.start,
            within_s=self.within_s,
            secrets=self.secrets,
            transports=self.transports,
            tls=self.tls,
            source=self.source,
            environment=self.environment,
            is_shared=self.users.is_shared,
        )

    def started(self, addresses: Mapping[str, str], users: Iterable[Mapping[str, Any]]) -> Stand:
        """This stand with what was started for it: its addresses, and its users unless the stand has its own."""
        return Stand(
            self.name,
            {**self.addresses, **addresses},
            users=self.users.fields() or users,
            users_within_s=self.users_within_s,
            within_s=self.within_s,
            secrets=self.secrets,
            transports=self.transports,
            tls=self.tls,
            source=self.source,
            environment=self.environment,
            is_shared=False,
        )


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[tuple[str, str | None], ...]:
    """A text and the name behind it, and so on. Actors' classes have few templates, which every run fills in."""
    try:
        return tuple((text, name) for text, name, _, _ in string.Formatter().parse(template))
    except ValueError as error:
        raise ScenarioError(f"{template!r} is no address: {error}") from error


def find_stand_file(directory: Path | None = None) -> Path | None:
    """`antiphon.toml` in the directory (the working directory by default) or the nearest above it."""
    start = (directory or Path.cwd()).resolve()
    return next((path for folder in (start, *start.parents) if (path := folder / FILE_NAME).is_file()), None)


def load_stand(name: str | None = None, *, near: Path | None = None) -> Stand:
    """The stand of that name; None for the file's `default` or its only one, or without a file an empty stand.

    The file is `antiphon.toml` in the working directory or above it, or else in the folder `near` or above that.
    Raises ScenarioError for a file that is malformed or has no such stand.
    """
    # The working directory first: it is what whoever runs the scenario can choose.
    path = find_stand_file() or (find_stand_file(near) if near is not None else None)
    if path is None:
        if name is None:
            return Stand()
        raise ScenarioError(
            f"there is no stand {name!r}: no {FILE_NAME} here or above",
            hint=f'make one: [stands.{name}] with a line such as  centre = "http://127.0.0.1:8765"',
        )
    file = StandFile(path)
    stands = _table(file.document.get("stands", {}), "stands", file)
    default = file.document.get("default", "")
    if not isinstance(default, str):
        raise file.wrong("default", "the name of a stand")
    chosen = name or default or (next(iter(stands)) if len(stands) == 1 else None)
    if chosen is None:
        return Stand(source=str(path))
    if chosen not in stands:
        place = str(path) if name else file.place("default")
        raise ScenarioError(
            f"there is no stand {chosen!r}", place=place, hint=f"there are: {', '.join(stands) or 'none'}"
        )
    return _stand(chosen, dict(_table(stands[chosen], f"stands.{chosen}", file)), file)


def stand_names(path: Path) -> list[str]:
    """The stands of a file, in its order."""
    file = StandFile(path)
    return list(_table(file.document.get("stands", {}), "stands", file))


def _stand(name: str, table: dict[str, Any], file: StandFile) -> Stand:
    where = f"stands.{name}"
    environment = Variables(file.path)
    # What is filled in here goes into no record, so nobody need learn how to mask it there.
    tls = _filled(Variables(file.path), table.pop("tls", None), f"{where}.tls", file)
    fields = {key: _filled(environment, value, f"{where}.{key}", file) for key, value in table.items()}
    asked_users = fields.pop("users", [])
    users, variables = _users(asked_users, f"{where}.users", file)
    transports = read_transports(fields.pop("transports", {}), f"{where}.transports", file)
    start = fields.pop("start", "")
    if not isinstance(start, str) or (start and ":" not in start):
        raise file.wrong(f"{where}.start", '"module:attribute"')
    within_s = _seconds(fields, "within_s", where, file)
    users_within_s = _seconds(fields, "users_within_s", where, file)
    secrets = fields.pop("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(secret, str) for secret in secrets):
        raise file.wrong(f"{where}.secrets", "a list of names of fields")
    for key, value in fields.items():
        if isinstance(value, list):
            value = fields[key] = command_address(value, f"{where}.{key}", file)
        if not isinstance(value, str) or not value:
            raise file.wrong(f"{where}.{key}", 'an address, as "http://127.0.0.1:8765"')
        # Not the address itself: there may be a password in it.
        if unseen := next((each for each in value if visible(each) != each), ""):
            raise ScenarioError(
                f"{where}.{key} has a character that cannot be seen: {visible(unseen)}",
                place=file.place(f"{where}.{key}"),
                hint="type it anew; if it has an environment variable, look whether that ends with a line break",
            )
    stand = Stand(
        name,
        fields,
        tls=read_tls(tls, f"{where}.tls", fields, file, is_started=bool(start)),
        users=users,
        users_within_s=users_within_s if users_within_s is not None else USERS_WITHIN_S,
        start=start,
        within_s=within_s,
        secrets=secrets,
        transports=transports,
        source=str(file.path),
        environment={**environment.used, **variables},
    )
    if isinstance(asked_users, str):
        stand.users_file = file.path.parent / asked_users
    return stand


def _filled(environment: Variables, value: Any, key: str, file: StandFile) -> Any:
    try:
        return environment.fill(value, key)
    except RecursionError:  # dotted keys nest without brackets, and TOML sets no limit
        raise ScenarioError(f"{key} is nested too deeply", place=file.place(key)) from None


def _users(given: Any, key: str, file: StandFile) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The users that are meant, and the environment variables that were filled into a file of them."""
    if isinstance(given, str) and "\0" not in given:  # no file's name holds that
        table = file.path.parent / given
        environment = Variables(table)
        return environment.fill(read_users(table), table.name), environment.used
    if not isinstance(given, list) or not all(
        isinstance(user, dict) and isinstance(user.get("name"), str) for user in given
    ):
        wanted = 'a file, as "users.csv", or a list of tables with a name, as [{ name = "alice", password = "…" }]'
        raise file.wrong(key, wanted)
    return given, {}


def _seconds(fields: dict[str, Any], key: str, where: str, file: StandFile) -> float | None:
    """Take a number of seconds out of the fields, None if there is none."""
    value = fields.pop(key, None)
    if value is not None and (
        not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < _LONGEST_S
    ):
        raise file.wrong(f"{where}.{key}", "a number of seconds above 0")
    return value


def _table(value: Any, key: str, file: StandFile) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise file.wrong(key, "a table")
    return value
