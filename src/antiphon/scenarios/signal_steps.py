"""The words of a workflow by which its branches meet: one gives a named signal, others await it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.runtime import STEP
from antiphon.scenarios.step import Stage, Step, WrittenStep

__all__ = ["await_signal", "signal"]


def signal(name: str, value: Any = None) -> Step[None]:
    """Give the signal of that name, with a value, which may be a `saved` reference.

    It stays given for the rest of the run: whoever awaits it, now or later and any number of them, gets the latest
    value. Raises ScenarioError for a name that is none.
    """
    return _Signal("signal", (_checked(name), *([value] if value is not None else [])))


def await_signal(name: str, *, times: int = 1, within_s: float | None = None, save_as: str | None = None) -> Step[Any]:
    """Wait until the signal of that name has been given, at once if it has been; its latest value is the result.

    times: how often it must have been given in all, for a moment that several branches make together.
    within_s: the deadline; None for the stand's, or 10. save_as: keeps the value under `saved`.

    Raises DeadlinePassed when it was not given in time. Branches that all wait for each other's signals are told so at
    once, with a ScenarioError.
    """
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        raise ScenarioError(f"await_signal() takes times from 1 on, not {shorten(times)}")
    if within_s is not None and (not isinstance(within_s, (int, float)) or within_s < 0):
        raise ScenarioError(f"await_signal() takes within_s in seconds, not {shorten(within_s)}")
    given = {"times": times if times > 1 else None, "within_s": within_s, "save_as": save_as}
    return _AwaitSignal(
        "await_signal", (_checked(name),), {key: value for key, value in given.items() if value is not None}
    )


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise ScenarioError(f"a signal is known by a name, not by {shorten(name)}", hint='signal("answered")')
    return name


class _OfBranch(WrittenStep[Any]):
    """A step of whoever's action it stands in."""

    @property
    def who(self) -> str:
        around = STEP.get()
        return around.actor if around is not None else ""


class _Signal(_OfBranch):
    def argument_names(self) -> Sequence[str]:
        return ("", self.args[0])[: len(self.args)]

    async def _do(self, stage: Stage, step: PerformedStep) -> None:
        value = stage.resolve(self.args[1]) if len(self.args) > 1 else None
        stage.signals.give(self.args[0], value, step)


class _AwaitSignal(_OfBranch):
    async def _do(self, stage: Stage, step: PerformedStep) -> Any:
        options = self.kwargs
        value = await stage.signals.wait(self.args[0], options.get("times", 1), options.get("within_s"), step)
        if "save_as" in options:
            stage.save(options["save_as"], value)
        return value
