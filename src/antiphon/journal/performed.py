"""A business step that is performed, or was: in memory the record of its beginning and of its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from antiphon.conversation.quick_writes import quick_writes
from antiphon.journal.arguments import Argument, arguments_told
from antiphon.journal.masking import Masker

__all__ = ["PerformedStep", "StepOutcome"]

StepOutcome = Literal["passed", "failed", "cancelled"]


class StepDefinition(Protocol):
    """A step as it was written: its name, the FILE:LINE where it stands, and its arguments.

    `is_action` tells an actor's own action from the words that workflows are made of.
    """

    name: str
    source: str
    is_action: ClassVar[bool]

    def given(self, masker: Masker, /) -> Sequence[Argument]:
        """The arguments without the secrets, made whenever somebody reads them."""
        ...


@quick_writes
class PerformedStep(msgspec.Struct, eq=False):
    """A step that is done once: `number` counts from 1, `around` is the step that it is a part of, None for none.

    Times are nanoseconds since the run began; `ended_ns` is below 0 while it is under way. `error` is the name of what
    it failed with. The collector looks into it: the definition may have the actor that did the step. `awaited` is for
    whoever measures it, None where nobody does.
    """

    definition: StepDefinition
    masker: Masker
    number: int
    around: PerformedStep | None
    actor: str
    at_ns: int
    ended_ns: int = -1
    outcome: StepOutcome = "passed"
    error: str = ""
    awaited: Any = None

    @property
    def parent(self) -> int:
        """The number of the step around it, 0 for none."""
        return self.around.number if self.around is not None else 0

    @property
    def action(self) -> str:
        """What the step is called."""
        return self.definition.name

    @property
    def source(self) -> str:
        """FILE:LINE where it is written."""
        return self.definition.source

    @property
    def arguments(self) -> Sequence[Argument]:
        """The arguments without secrets, made anew whenever somebody reads them."""
        return self.definition.given(self.masker)

    @property
    def title(self) -> str:
        """The step as it was written: `outbound_call('890000002')`."""
        return f"{self.action}({arguments_told(self.arguments)})"
