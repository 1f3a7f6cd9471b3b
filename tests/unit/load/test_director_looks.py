"""Whom a director tells to look: one generator at a time, each in its turn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from antiphon import scenario
from antiphon.load.director import Director, Seat
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.load.shares import Share
from antiphon.report.load.figures import LoadFigures


@scenario
async def nothing() -> None:
    """Do nothing."""


class Told:
    """A generator that notes which looks it is told."""

    def __init__(self) -> None:
        self.looks: list[tuple[int, bool]] = []

    def look(self, number: int, is_held: bool, /) -> None:
        self.looks.append((number, is_held))


def test_generators_look_in_their_turn() -> None:
    async def say() -> list[Told]:
        generators = [Told(), Told()]
        seats: Any = [Seat(each, Share(place, 2), place) for place, each in enumerate(generators)]  # type: ignore[arg-type]
        director = Director(Plan(part(nothing, users=2)), seats, lambda _entry: None, LoadFigures(Path()))
        director.look()
        director.hold(True)
        director.look()
        director.look_away()
        director.hold(True)
        return generators

    first, second = asyncio.run(say())
    assert second.looks == [(1, False), (1, True), (0, False), (0, False), (1, True)]
    assert first.looks == [(0, False), (0, False), (2, False), (0, False), (0, False)]
