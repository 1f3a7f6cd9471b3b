"""What has happened in a centre since it opened, in numbers."""

from __future__ import annotations

from collections import Counter
from weakref import WeakSet

from antiphon.conversation.ending import Ending
from antiphon_testbed.floor.interactions import Interaction
from antiphon_testbed.protocol import REQUESTS

__all__ = ["Counters"]

OTHER = "other"
"""What stands for everything that a desk says and that is no request: names are the desk's own, and without end."""


class Counters:
    """Counters, which only grow.

    received, sent: messages of desks and to desks, by name. opened: desks that have come. closed: desks that have gone,
    by close code. ended: interactions whose talk is over, by channel, direction, and who or what ended it. faults:
    those that happened, by kind.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.received: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.ended: Counter[tuple[str, str, str]] = Counter()
        self.faults: Counter[str] = Counter()
        self._seen_ended: WeakSet[Interaction] = WeakSet()

    def hear(self, name: str) -> None:
        """A desk has said something."""
        self.received[name if name in REQUESTS else OTHER] += 1

    def say(self, name: str) -> None:
        """A desk was told something."""
        self.sent[name] += 1

    def open(self) -> None:
        """A desk is there."""
        self.opened += 1

    def close(self, ending: Ending) -> None:
        """A desk is gone."""
        self.closed[str(ending.code) if ending.code is not None else "none"] += 1

    def change(self, interaction: Interaction) -> None:
        """An interaction has changed; the first time that it is over counts."""
        if interaction.ended_by is not None and interaction not in self._seen_ended:
            self._seen_ended.add(interaction)
            self.ended[interaction.channel, interaction.direction, interaction.ended_by] += 1

    def fault(self, kind: str) -> None:
        """A fault has happened."""
        self.faults[kind] += 1
