"""What an author says, and why it cannot be said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.conversation.ending import Ending
from antiphon.errors import AntiphonError, ChannelClosed, ScenarioError
from antiphon.runtime.call_site import caller

__all__ = ["body_of", "not_open", "unsayable"]


def body_of(name: str, body: Any, fields: dict[str, Any]) -> Any:
    """A message's body, as it was given or made of fields; None if nothing was given."""
    if body is None:
        return fields or None
    if not fields:
        return body
    if not isinstance(body, Mapping):
        text = f"{name} has a body that is no mapping, and fields {sorted(fields)} too"
        raise ScenarioError(text, place=caller(), hint="give one or the other")
    return {**body, **fields}


def unsayable(error: AntiphonError) -> ScenarioError:
    """What cannot be written, or sent, is the fault of who says it."""
    return ScenarioError(error.text, place=caller(), hint=error.hint)


def not_open(owner: str, ending: Ending | None, name: str) -> AntiphonError:
    """There is no connection to say it on: not yet, or not any more."""
    if ending is None:
        return ScenarioError(
            f"{name} cannot be sent: {owner} is not connected",
            place=caller(),
            hint="actors are connected while their scenario is performed; channel.open() opens one by hand",
        )
    return ChannelClosed(f"{name} cannot be sent: {owner} is closed, because {ending}", place=caller())
