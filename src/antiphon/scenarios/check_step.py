"""`check`: a judgement of any value in the middle of a scenario."""

from __future__ import annotations

from typing import Any

from antiphon.conversation.checks import fails, is_soft, why
from antiphon.conversation.http_response import HttpResponse
from antiphon.conversation.match import describe
from antiphon.conversation.message import Message
from antiphon.errors import CheckFailed
from antiphon.journal import StepStarted
from antiphon.scenarios.step import Stage, Step

__all__ = ["check"]


def check(value: Any, pattern: Any) -> Step[None]:
    """Require that a value fits a pattern (see `antiphon.conversation.match`).

    Of a message or an HTTP reply it is the body that must fit. The value may be a `saved` reference.
    `check(saved.record, soft({"state": "finished"}))` collects: the scenario goes on, and the run fails at its end.
    Raises CheckFailed, with every field that does not fit.
    """
    return _Check("check", (value, pattern))


class _Check(Step[None]):
    async def _do(self, stage: Stage, step: StepStarted) -> None:
        value, pattern = (stage.resolve(given) for given in self.args)
        body = value.body if isinstance(value, (Message, HttpResponse)) else value
        if not fails(pattern, body):
            return
        wanted = describe(pattern.pattern if is_soft(pattern) else pattern)
        lines = [f"the value does not fit {wanted}", *map(str, why(pattern, body))]
        error = CheckFailed("\n  ".join(lines), place=self.source)
        if not is_soft(pattern):
            raise error
        stage.runtime.tell_soft(error)
