"""Ways to connect and to listen that installed packages have registered, found by the scheme of an address."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

from antiphon.errors import ScenarioError
from antiphon.journal.masking import Masker

__all__ = ["registered", "scheme_of"]

Kind = Literal["transport", "listener"]


def scheme_of(address: str) -> str:
    """What stands before the first colon, "" if there is none."""
    scheme, colon, _ = address.partition(":")
    return scheme if colon else ""


def registered(kind: Kind, address: str, options: Mapping[str, Any] | None = None, place: str = "") -> Any:
    """A transport or listener for the address, made by what stands in the entry points "antiphon.transports" (or
    "antiphon.listeners") under its scheme, with options that are written at `place`. Raises ScenarioError if nothing
    does, or does not take them.
    """
    make = _makers(kind).get(scheme_of(address))
    if make is None:
        known = ", ".join(sorted(_makers(kind))) or "none"
        text = f"no {kind} is registered for {Masker().text(address)!r}"
        raise ScenarioError(text, hint=f"there are {known}; or give {kind}=")
    try:
        return make.load()(**(options or {}))
    except TypeError as error:
        text = f"the {kind} for {scheme_of(address)}: does not take the options {', '.join(options or {})}: {error}"
        raise ScenarioError(text, place=place or None, hint="its documentation lists its options") from error


@cache
def _makers(kind: Kind) -> dict[str, Any]:
    """Read once: a load connects thousands of times, and reading what is installed takes milliseconds."""
    return {entry.name: entry for entry in entry_points(group=f"antiphon.{kind}s")}
