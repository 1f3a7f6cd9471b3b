"""A contact between a customer and the centre, and its history: what becomes the record.

Times are milliseconds since the epoch (UTC), so that the seconds of a record are exactly the differences of its times.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

__all__ = ["Interaction", "Party", "Stage", "iso"]

_EPOCH: Final = datetime(1970, 1, 1)


def iso(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds, as `2026-11-22T07:41:44.123Z`."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds") + "Z"


class Party:
    """Someone who takes part: an `agent`, known by the user's name, or a `customer`, known by a telephone number."""

    __slots__ = ("joined_ms", "left_ms", "name", "role", "state")

    def __init__(self, role: str, name: str, joined_ms: int | None = None) -> None:
        self.role = role
        self.name = name
        self.state = "connected"
        self.joined_ms = joined_ms
        self.left_ms: int | None = None

    @property
    def is_there(self) -> bool:
        """Whether it has joined and not left."""
        return self.joined_ms is not None and self.left_ms is None

    def leave(self, now_ms: int) -> None:
        """It takes part no longer; nothing if it does not."""
        if self.is_there:
            self.left_ms = now_ms

    def as_listed(self) -> dict[str, Any]:
        """As `workitemPartyList` has it."""
        return {"role": self.role, "name": self.name, "state": self.state}

    def as_recorded(self) -> dict[str, Any]:
        """As the record has it; a party that never joined has no times."""
        return {
            "role": self.role,
            "name": self.name,
            "joined_at": _iso_or_none(self.joined_ms),
            "left_at": _iso_or_none(self.left_ms),
        }


class Stage:
    """A state that a workitem entered: when, at whose desk, and what else there is to say."""

    __slots__ = ("at_ms", "details", "state", "user")

    def __init__(self, state: str, at_ms: int, user: str, details: dict[str, Any]) -> None:
        self.state = state
        self.at_ms = at_ms
        self.user = user
        self.details = details


class Interaction:
    """One contact. `parties` are all who took part; `ended_by` says how the talk ended, once it has."""

    def __init__(self, interaction_id: str, *, user: str, channel: str, direction: str, destination: str) -> None:
        self.id = interaction_id
        self.user = user
        self.channel = channel
        self.direction = direction
        self.destination = destination
        self.parties: list[Party] = []
        self.stages: list[Stage] = []
        self.digits = ""
        self.disposition: str | None = None
        self.ended_by: str | None = None

    @property
    def state(self) -> str:
        """The latest state."""
        return self.stages[-1].state

    @property
    def started_ms(self) -> int:
        """When it began."""
        return self.stages[0].at_ms

    def enter(self, state: str, now_ms: int, user: str, **details: Any) -> None:
        """Add a state to the history."""
        self.stages.append(Stage(state, now_ms, user, details))

    def end(self, by: str, now_ms: int) -> None:
        """The talk is over, and so is everybody's part in it; the first who ends it counts."""
        if self.ended_by is None:
            self.ended_by = by
        for party in self.parties:
            party.leave(now_ms)

    def seconds_in(self, state: str) -> float:
        """How long it was in the state, up to the latest change, in seconds."""
        pairs = zip(self.stages, self.stages[1:], strict=False)
        return sum(later.at_ms - stage.at_ms for stage, later in pairs if stage.state == state) / 1000

    def record(self) -> dict[str, Any]:
        """The record as HTTP gives it; a state that still lasts, and the last one, have no `seconds`."""
        is_finished = self.state == "finished"
        return {
            "interactionID": self.id,
            "user": self.user,
            "channel": self.channel,
            "direction": self.direction,
            "destination": self.destination,
            "state": self.state,
            "started_at": iso(self.started_ms),
            "finished_at": iso(self.stages[-1].at_ms) if is_finished else None,
            "talk_s": self.seconds_in("connected"),
            "hold_s": self.seconds_in("held"),
            "disposition": self.disposition,
            "ended_by": self.ended_by,
            "digits": self.digits,
            "parties": [party.as_recorded() for party in self.parties],
            "states": self._recorded_stages(),
        }

    def _recorded_stages(self) -> list[dict[str, Any]]:
        recorded = []
        for index, stage in enumerate(self.stages):
            is_latest = index == len(self.stages) - 1
            seconds = None if is_latest else (self.stages[index + 1].at_ms - stage.at_ms) / 1000
            recorded.append(
                {"state": stage.state, "at": iso(stage.at_ms), "seconds": seconds, "user": stage.user, **stage.details}
            )
        return recorded


def _iso_or_none(at_ms: int | None) -> str | None:
    return iso(at_ms) if at_ms is not None else None
