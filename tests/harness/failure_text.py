"""What the text of a failure must say so that a reader who has nothing else is sure of the cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import foreign_servers
import msgspec
from foreign_servers import Serve

from antiphon import Scenario

__all__ = ["Case", "judged"]

MOST_LINES = 30
DECIDING_LINES = 3


class Case(msgspec.Struct):
    """A scenario that fails, and what its text must say in its first lines, and anywhere."""

    scenario: Scenario[Any, Any]
    decides: tuple[str, ...]
    says: tuple[str, ...] = ()


def judged(
    cases: Mapping[str, Case],
    name: str,
    address: str,
    directory: Path,
    *,
    users: Sequence[Mapping[str, Any]] = (),
    serve: Serve | None = None,
    **parameters: Any,
) -> None:
    """Perform the case at this address, or at that which `serve` begins: its text tells its fault, and no other's."""
    case = cases[name]
    text = foreign_servers.failure_at(case.scenario, directory, address, serve, users, **parameters)
    lines = text.splitlines()
    first = "\n".join(lines[:DECIDING_LINES])
    assert [fact for fact in case.decides if fact not in first] == [], text
    assert [fact for fact in case.says if fact not in text] == [], text
    others = {other: told.decides for other, told in cases.items() if told.decides != case.decides}
    assert [other for other, facts in others.items() if all(fact in first for fact in facts)] == [], text
    assert len(lines) <= MOST_LINES, text
