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
    """A state that a workitem, or the queue, entered: when, at whose desk, and what else there is to say.

    `until_ms` is when the next one came; None as long as it lasts, and for the last one.
    """

    __slots__ = ("at_ms", "details", "state", "until_ms", "user", "workitem_id")

    def __init__(self, state: str, at_ms: int, user: str, workitem_id: str, details: dict[str, Any]) -> None:
        self.state = state
        self.at_ms = at_ms
        self.until_ms: int | None = None
        self.user = user
        self.workitem_id = workitem_id
        self.details = details

    @property
    def lasted_ms(self) -> int:
        """How long it lasted; 0 as long as it does."""
        return self.until_ms - self.at_ms if self.until_ms is not None else 0

    def as_recorded(self) -> dict[str, Any]:
        """As the record has it."""
        return {
            "state": self.state,
            "at": iso(self.at_ms),
            "seconds": self.lasted_ms / 1000 if self.until_ms is not None else None,
            "user": self.user or None,
            "workitemID": self.workitem_id or None,
            **self.details,
        }


class Interaction:
    """One contact, over all the desks that it passes.

    Every workitem has a history of its own, and so has the queue (no user, no workitem). `user` is whose desk has or
    had the contact last ("" while it is nobody's), `origin` where it comes from, `parties` all who took part,
    `ended_by` how it ended, once it has; `extras` are further fields of the record.
    """

    def __init__(
        self,
        interaction_id: str,
        *,
        channel: str,
        direction: str,
        user: str = "",
        destination: str = "",
        origin: str = "",
        skill: str | None = None,
        extras: dict[str, Any] | None = None,
    ) -> None:
        self.id = interaction_id
        self.user = user
        self.channel = channel
        self.direction = direction
        self.destination = destination
        self.origin = origin
        self.skill = skill
        self.extras = extras or {}
        self.parties: list[Party] = []
        self.stages: list[Stage] = []
        self.digits = ""
        self.disposition: str | None = None
        self.ended_by: str | None = None
        self._lasting: dict[str, Stage] = {}

    @property
    def state(self) -> str:
        """The latest state that lasts, wherever; `finished` if none does."""
        return next(reversed(self._lasting.values())).state if self._lasting else "finished"

    @property
    def started_ms(self) -> int:
        """When it began."""
        return self.stages[0].at_ms

    @property
    def users(self) -> list[str]:
        """Everybody whose desk has had it, in order."""
        # Not by `user`, who has it now: whoever was only consulted took part too.
        names = [party.name for party in self.parties if party.role == "agent"]
        return list(dict.fromkeys(names if names or not self.user else [self.user]))

    def enter(self, state: str, now_ms: int, user: str = "", workitem_id: str = "", **details: Any) -> None:
        """Add a state to the history of the workitem, or of the queue."""
        self._end_stage(workitem_id, now_ms)
        stage = Stage(state, now_ms, user, workitem_id, details)
        self.stages.append(stage)
        # What is finished lasts no more, so the interaction is over when nothing lasts.
        if state != "finished":
            self._lasting[workitem_id] = stage

    def leave_queue(self, now_ms: int) -> None:
        """It waits no longer; nothing if it does not wait."""
        self._end_stage("", now_ms)

    def end(self, by: str, now_ms: int) -> None:
        """The contact is over, and so is everybody's part in it; the first who ends it counts."""
        # Both may hang up in one moment; the record says who did.
        if self.ended_by is None:
            self.ended_by = by
        for party in self.parties:
            party.leave(now_ms)

    def record(self) -> dict[str, Any]:
        """The record as HTTP gives it; a state that still lasts, and the last one, have no `seconds`.

        `talk_s` is how long the customer was connected with an agent, `hold_s` how long on hold; what agents consulted
        each other meanwhile is no talk.
        """
        is_finished = self.state == "finished"
        talk = [stage for stage in self.stages if stage.state == "connected" and "consult" not in stage.details]
        held = [stage for stage in self.stages if stage.state == "held"]
        return {
            "interactionID": self.id,
            "user": self.user or None,
            "users": self.users,
            "channel": self.channel,
            "direction": self.direction,
            "from": self.origin or None,
            "destination": self.destination or None,
            "skill": self.skill,
            "state": self.state,
            "started_at": iso(self.started_ms),
            "finished_at": iso(self.stages[-1].at_ms) if is_finished else None,
            "talk_s": sum(stage.lasted_ms for stage in talk) / 1000,
            "hold_s": sum(stage.lasted_ms for stage in held) / 1000,
            "disposition": self.disposition,
            "ended_by": self.ended_by,
            "digits": self.digits,
            **{name: list(value) if isinstance(value, list) else value for name, value in self.extras.items()},
            "parties": [party.as_recorded() for party in self.parties],
            "states": [stage.as_recorded() for stage in self.stages],
        }

    def _end_stage(self, workitem_id: str, now_ms: int) -> None:
        stage = self._lasting.pop(workitem_id, None)
        if stage is not None:
            stage.until_ms = now_ms


def _iso_or_none(at_ms: int | None) -> str | None:
    return iso(at_ms) if at_ms is not None else None
