"""What a message that was selected must be, or should be: a check, hard or soft."""

from __future__ import annotations

from typing import Any, Final

from antiphon.conversation.match import Difference, describe, differences, matches

__all__ = ["Soft", "is_soft", "soft", "why"]


class Soft:
    """A check that does not end anything when it fails: see `soft`."""

    __slots__ = ("pattern",)

    def __init__(self, pattern: Any) -> None:
        self.pattern: Final = pattern

    def __call__(self, body: Any) -> bool:
        """Whether the body fits: so it is a pattern itself, as any predicate."""
        return matches(self.pattern, body)

    def __repr__(self) -> str:
        return f"soft({describe(self.pattern)})"


def soft(pattern: Any) -> Soft:
    """Makes a check collect: where a body does not fit `pattern` the scenario goes on, and the run fails at its end.

    All the soft checks that failed are told then. For `check=` of `expect` and `ask`, and for the word `check`:
    `await self.expect("newAgentState", check=soft({"state": "ready"}))`.
    """
    return Soft(pattern)


def is_soft(check: Any) -> bool:
    """Whether the check is one that collects."""
    return check.__class__ is Soft


def why(check: Any, body: Any) -> list[Difference]:
    """Where the body does not fit the check."""
    return differences(check.pattern if check.__class__ is Soft else check, body)
