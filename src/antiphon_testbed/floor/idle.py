"""Which desks are free for a contact, and who of them has been idle longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from antiphon_testbed.floor.agents import CAPACITY, Agent
from antiphon_testbed.floor.queue import Key, SortedMap

__all__ = ["IdleDesks"]


class _Standing(msgspec.Struct):
    """How an agent was seen last: with so much in hand since `order`, and free for these channels."""

    load: int | None
    order: int
    open: tuple[str, ...]

    @property
    def key(self) -> Key:
        return (self.load or 0, self.order)


class IdleDesks:
    """The agents who are free, for each channel and skill: those with least in hand first, then who is so longest.

    An agent is idle since it became ready or had its last contact off hand; an offer that it did not take counts for
    nothing. `freed` holds who has become free for something since it was last looked at.
    """

    def __init__(self) -> None:
        self._free: dict[tuple[str, str | None], SortedMap[Agent]] = {}
        self._standings: dict[str, _Standing] = {}
        self._skills: Counter[str] = Counter()
        self._order = 0
        self._freed: dict[str, Agent] = {}

    def arrive(self, agent: Agent) -> None:
        """An agent is there, free for nothing yet."""
        self._standings[agent.desk] = _Standing(None, 0, ())
        self._skills.update(agent.user.skills)

    def leave(self, agent: Agent) -> None:
        """The agent is gone."""
        self._set_open(agent, self._standings[agent.desk], ())
        del self._standings[agent.desk]
        self._freed.pop(agent.desk, None)
        self._skills.subtract(agent.user.skills)

    def has_skill(self, skill: str) -> bool:
        """Whether anybody at a desk has the skill."""
        return self._skills[skill] > 0

    def update(self, agent: Agent) -> None:
        """Something about the agent has changed."""
        standing = self._standings.get(agent.desk)
        if standing is None:  # gone, or not quite there
            return
        load = agent.load if agent.is_ready else None
        channels = tuple(channel for channel in CAPACITY if agent.can_take(channel))
        if load == standing.load and channels == standing.open:
            return
        more = set(channels) - set(standing.open)
        # A new load is a new place in the order; room alone, as after an offer that was not taken, keeps the old one.
        if load != standing.load:
            self._set_open(agent, standing, ())
            self._order += 1
            standing.load, standing.order = load, self._order
        self._set_open(agent, standing, channels)
        if more:
            self._freed[agent.desk] = agent

    def take_freed(self) -> list[Agent]:
        """Who has become free for something since this was last asked, who is idle longest first."""
        freed = sorted(self._freed.values(), key=lambda agent: self._standings[agent.desk].key)
        self._freed.clear()
        return freed

    def longest_idle(self, channel: str, skill: str | None, passed: Mapping[str, None]) -> Agent | None:
        """Who is free for such a contact and idle longest, None if nobody is.

        Users who `passed` it on, in that order, are taken only if nobody else is there: who did so first is first.
        """
        free = self._free.get((channel, skill), ())
        back: dict[str, Agent] = {}
        for agent in free:
            if agent.user.name not in passed:
                return agent
            back[agent.user.name] = agent
        return next((back[name] for name in passed if name in back), None)

    def _set_open(self, agent: Agent, standing: _Standing, channels: tuple[str, ...]) -> None:
        for channel in set(standing.open) ^ set(channels):
            for skill in (None, *agent.user.skills):
                agents = self._free.setdefault((channel, skill), SortedMap())
                if channel in channels:
                    agents.add(standing.key, agent)
                else:
                    agents.discard(standing.key)
        standing.open = channels
