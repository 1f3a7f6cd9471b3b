"""A stand's TLS settings: for all of its addresses, and for single ones.

    [stands.staging.tls]
    ca = "certificates/ca.pem"                     # relative paths begin beside the stand's file
    certificate = "certificates/tester.pem"
    key = "certificates/tester.key"
    password = "${KEY_PASSWORD}"

    [stands.staging.tls.centre]                    # the same for one address of the stand, and what differs there
    server_name = "centre.internal"

    [stands.staging.tls."10.0.0.7:8443"]           # or for a host, with or without its port
    verify = false

The keys are those of `antiphon.transport.tls.Tls`. What stands in the table of an address or a host is put over what
all have; one with a port is meant before one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

from antiphon.errors import ScenarioError
from antiphon.stand.stand_file import StandFile
from antiphon.transport.tls import Tls

__all__ = ["StandTls", "read_tls"]

_SETTINGS: Final = tuple(field.name for field in fields(Tls) if field.name not in ("place", "folder"))

_PORTS: Final = {"http": "80", "ws": "80", "https": "443", "wss": "443"}


class StandTls:
    """The settings `for_all`, None for none, and those of `places`: names of addresses, hosts, hosts with ports."""

    def __init__(self, for_all: Tls | None = None, places: Mapping[str, Tls] | None = None) -> None:
        self.for_all = for_all
        self.places = dict(places or {})
        self.is_empty = for_all is None and not places
        """Does it say nothing of any address?"""

    @classmethod
    def of_plain(cls, plain: Mapping[str, Mapping[str, Any]]) -> Self:
        """Those again that are in simple values, as `plain` gives them."""
        made = {place: Tls(**values) for place, values in plain.items()}
        return cls(made.pop("", None), made)

    def plain(self) -> dict[str, dict[str, Any]]:
        """All of them in simple values, those for all under ""."""
        each = self.places if self.for_all is None else {"": self.for_all, **self.places}
        return {place: asdict(tls) for place, tls in each.items()}

    def of(self, address: str, addresses: Mapping[str, str]) -> Tls | None:
        """The settings for this address, in a stand with these."""
        if not self.places:
            return self.for_all
        host, port = _host_and_port(address)
        for place, tls in self.places.items():
            named = addresses.get(place)
            if (_host_and_port(named) if named is not None else tuple(place.rpartition(":")[::2])) == (host, port):
                return tls
        return self.places.get(host, self.for_all)


def read_tls(table: Any, key: str, addresses: Mapping[str, Any], file: StandFile, *, is_started: bool) -> StandTls:
    """What a stand's table of that key says. Raises ScenarioError with its line, also for files that do not fit.

    `is_started`: the stand's addresses are known when it has been started, and not yet.
    """
    if table is None:
        return StandTls()
    if not isinstance(table, dict):
        raise file.wrong(key, 'a table, as { ca = "ca.pem" }')
    places = {name: value for name, value in table.items() if isinstance(value, dict) and name not in _SETTINGS}
    own = {name: value for name, value in table.items() if name not in places}
    for_all = _made(Tls(folder=str(file.path.parent)), own, key, file)
    for name in places:
        if not is_started and name not in addresses and not {".", ":"} & set(name) and name != "localhost":
            known = ", ".join([*addresses, *_SETTINGS])
            text = f"{key}.{name} is for no address of the stand"
            raise ScenarioError(
                text, place=file.place(f"{key}.{name}"), hint=f"there are {known}, and hosts, in quotes"
            )
    tables = {name: _made(for_all, value, f"{key}.{name}", file) for name, value in places.items()}
    return StandTls(for_all if own else None, tables)


def _made(base: Tls, table: Mapping[str, Any], key: str, file: StandFile) -> Tls:
    for name in table:
        if name not in _SETTINGS:
            raise ScenarioError(
                f"{key}.{name} is no setting of TLS",
                place=file.place(f"{key}.{name}"),
                hint=f"there are {', '.join(_SETTINGS)}",
            )
    tls = replace(base, **{**table, "place": file.place(key)})
    tls.context()  # whatever can be wrong is found before anything is connected
    return tls


def _host_and_port(address: str) -> tuple[str, str]:
    """Both as texts; the port is "" where an address that has none says none."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return (f"[{host}]" if ":" in host else host), str(parts.port or _PORTS.get(parts.scheme, ""))
    except ValueError:  # which whoever connects there says
        return "", ""
