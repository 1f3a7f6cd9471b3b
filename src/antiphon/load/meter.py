"""What a load measures: the figures of all conversations of a process, taken from time to time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from antiphon.conversation.explanation import Explanation
from antiphon.errors import ForbiddenMessage, MessagesLeft
from antiphon.journal.figures import Second
from antiphon.load.causes import Cause, Causes
from antiphon.load.measuring import Measuring, Recorders, Sizes, recorders
from antiphon.load.series import PartSeries

__all__ = ["Meter"]


class Meter:
    """Measures all conversations of a process. `now_ns` is when it begins to."""

    def __init__(self, now_ns: int = 0) -> None:
        self._from_ns = now_ns
        self._parts: dict[str, tuple[PartSeries, Recorders]] = {}
        self._sizes = Sizes()
        self._correctness: Counter[str] = Counter()
        self._causes = Causes()

    def measuring(self, part: str) -> Measuring:
        """For a conversation of that part that begins."""
        known = self._parts.get(part)
        if known is None:
            series = PartSeries(part)
            known = self._parts[part] = series, recorders(series, self._sizes)
        return Measuring(*known, self._sizes, self._correctness)

    def conversation_ended(
        self,
        measuring: Measuring,
        *,
        due_ns: int,
        ended_ns: int,
        error: BaseException | None = None,
        conversation: str = "",
        mask: Callable[[str], str] = str,
    ) -> Cause | None:
        """Count a conversation that is over, and what it failed with, `error`.

        Not to be called for one that the load's own end has interrupted. Its time runs from when it was due, on any
        clock. `conversation` is what it is called, `mask` takes the secrets out of a text. Gives the kind of failure.
        """
        series = measuring.part.series("conversation")
        series.durations_us.append((ended_ns - due_ns) // 1000 or 1)
        if error is None:
            return None
        series.errors += 1
        self._correctness.update(_wrong_with_messages(error))
        return self._causes.add(measuring.part.part, error, conversation, mask)

    def take(self, now_ns: int) -> Second:
        """What was measured since the last time; it begins anew. `parts` and `generators` are left to who knows."""
        taken = Second(
            at_ns=now_ns,
            from_ns=self._from_ns,
            series={name: told for part, _ in self._parts.values() for name, told in part.figures().items()},
            causes=self._causes.take(),
            traffic=self._sizes.take(),
            correctness=dict(self._correctness),
        )
        self._from_ns = now_ns
        self._correctness.clear()
        return taken


def _wrong_with_messages(error: BaseException) -> Counter[str]:
    """What is certain to be wrong with messages that a run failed with: see `Second.correctness`.

    "forbidden" is what came in spite of a `forbid`; an `expect_none` is counted when it fails. "left over" is what
    nobody expected in strict mode; of that "stale" are replies to no open request. "duplicate" is what says the same as
    the one before it, if it is forbidden or left over. "stale" is what came after its deadline, too.
    """
    found: Counter[str] = Counter()
    if isinstance(error, MessagesLeft):
        found["left over"] = len(error.messages)
        found["stale"] = sum(message.reply_to is not None for message in error.messages)
        found["duplicate"] = len(error.repeated)
    explanation: Explanation | None = getattr(error, "explanation", None)
    if explanation is not None:
        is_forbidden = isinstance(error, ForbiddenMessage)
        found["forbidden"] = int(is_forbidden and explanation.wait.order == 0)  # that of a `forbid` has no number
        found["duplicate"] = int(is_forbidden and explanation.twin is not None)
        found["stale"] = int(explanation.wait.late_ns > 0)
    return +found
