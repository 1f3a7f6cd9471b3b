"""A load for those who watch one: its record is played to them, and what they say of it is noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.journal.figures import Second
from antiphon.load.profile import Profile
from antiphon.report.load.figures import LoadFigures


@dataclass
class PlannedPart:
    """What is asked for of a part: at a level for as long as the plan, or so many conversations."""

    name: str
    profile: Profile
    is_open: bool
    count: int | None = None


@dataclass
class FakePlan:
    """Two parts: calls at 20/s, and 8 users with long cases."""

    duration_s: float | None = 120.0
    grace_s: float = 30.0
    parts: list[PlannedPart] = field(
        default_factory=lambda: [
            PlannedPart("outgoing", Profile.constant(20), is_open=True),
            PlannedPart("long_case", Profile.constant(8), is_open=False),
        ]
    )


class FakeDirector:
    """Plays entries to a watcher as a load would, and notes in `said` what it is told."""

    def __init__(self, plan: FakePlan | None = None) -> None:
        self.plan = plan or FakePlan()
        self.figures = LoadFigures(Path())
        self.now_s = 0.0
        self.is_paused = False
        self.is_ending = False
        self.looked: Any = None
        self.said: list[Any] = []

    def play(self, watcher: Any, entries: Iterable[Any]) -> None:
        """Have it see the entries, each when it is counted."""
        for entry in entries:
            self.figures.add(entry)
            if isinstance(entry, Second):
                self.now_s = entry.at_ns / 1e9
            watcher.see(entry)

    def change(self, asked: Mapping[str, float], text: str) -> None:
        self.said.append(dict(asked))

    def pause(self, is_paused: bool) -> None:
        self.is_paused = is_paused
        self.said.append("pause" if is_paused else "go on")

    def look(self) -> None:
        self.said.append("look")

    def hold(self, is_held: bool) -> None:
        self.said.append("hold" if is_held else "let go")

    def look_away(self) -> None:
        self.said.append("look away")

    def end(self, grace_s: float) -> None:
        self.is_ending = True
        self.said.append(f"end {grace_s:g}")
