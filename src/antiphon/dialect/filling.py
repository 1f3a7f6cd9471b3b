"""Options of a dialect that are each actor's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.dialect.meeting import Meeting

__all__ = ["filled"]


def filled(value: Any, meeting: Meeting) -> Any:
    """The value with every text in it, at whatever depth, filled in from the actor (see `Meeting.fill`)."""
    if isinstance(value, str):
        return meeting.fill(value)
    if isinstance(value, Mapping):
        return {key: filled(each, meeting) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(each, meeting) for each in value]
    return value
