"""Starts what a stand says must be running for it: another module's async context manager."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from antiphon.errors import ScenarioError
from antiphon.stand.stand import Stand

__all__ = ["started"]


@asynccontextmanager
async def started(stand: Stand, *, users: int | None = None) -> AsyncIterator[Stand]:
    """The stand with the addresses and users of what its `start` names, which runs meanwhile; itself if it names none.

    What it gives has `addresses`, and `users` if there are any; or it is a mapping of addresses.

    users: how many it is to have, None for as many as `stand.starts_users` says: a factory that takes `users` makes so
    many, if the stand has none of its own.
    """
    if not stand.start:
        yield stand
        return
    factory = _factory(stand)
    count = stand.starts_users if users is None else users
    wanted = {"users": count} if count and _takes_users(factory) and not stand.users.fields() else {}
    async with factory(**wanted) as running:
        if isinstance(running, Mapping):
            yield stand.started(running, ())
        else:
            yield stand.started(running.addresses, getattr(running, "users", ()))


def _factory(stand: Stand) -> Any:
    module, _, attribute = stand.start.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ScenarioError(
            f"the stand {stand.name!r} starts {stand.start!r}, which cannot be found: {error}",
            place=stand.source or None,
        ) from error


def _takes_users(factory: Any) -> bool:
    try:
        return "users" in inspect.signature(factory).parameters
    except (TypeError, ValueError):  # some in C have no signature
        return False
