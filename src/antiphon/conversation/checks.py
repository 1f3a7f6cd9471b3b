"""What a message that was selected must be, or should be: a check, hard or soft."""

from __future__ import annotations

from typing import Any, Final

from antiphon.conversation.match import Difference, describe, differences, matches

__all__ = ["Check", "Soft", "is_soft", "soft", "why"]


class Check:
    """A check that says itself where a body does not fit, and what comes of it then.

    It is a pattern, too, as any predicate: called with a body, it says whether that fits.
    """

    __slots__ = ()

    def __call__(self, body: Any) -> bool:
        raise NotImplementedError

    def why(self, body: Any) -> list[Difference]:
        """Where the body does not fit."""
        raise NotImplementedError

    @property
    def is_soft(self) -> bool:
        """Whether what it found, when it was called last, ends nothing."""
        raise NotImplementedError


class Soft(Check):
    """A check that does not end anything when it fails: see `soft`."""

    __slots__ = ("pattern",)

    is_soft = True

    def __init__(self, pattern: Any) -> None:
        self.pattern: Final = pattern

    def __call__(self, body: Any) -> bool:
        return matches(self.pattern, body)

    def why(self, body: Any) -> list[Difference]:
        return differences(self.pattern, body)

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
    return isinstance(check, Check) and check.is_soft


def why(check: Any, body: Any) -> list[Difference]:
    """Where the body does not fit the check."""
    return check.why(body) if isinstance(check, Check) else differences(check, body)
