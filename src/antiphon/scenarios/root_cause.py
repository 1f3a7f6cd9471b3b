"""What came of a failure: which of several was the cause, and what was cancelled because of it, at which step.

The facts are in the journal, whatever the branches of a scenario are: `together`, task groups, `gather`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import seconds
from antiphon.errors import AntiphonError, ScenarioError, plain_line
from antiphon.journal import Note, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.runtime.runtime import Runtime
from antiphon.scenarios.outcome import failure_lines

__all__ = ["cause_of", "tell_consequences", "under_way"]

MOST_TOLD: Final = 5
"""Of a hundred branches that were cancelled so many are told of."""

_SAME_TIME_NS: Final = 100_000_000


def cause_of(error: BaseException | None) -> Any:
    """The error, or of a group the failure that came first; the others are told in its notes."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = _leaves(error)
    if all(getattr(leaf, "explanation", None) is not None for leaf in leaves):
        leaves.sort(key=lambda leaf: leaf.explanation.at_ns)  # a group's own body is told last, whenever it failed
    first = leaves[0]
    others = [leaf for leaf in leaves[1:] if _headline(leaf) != _headline(first)]
    alike = [leaf for leaf in others if _has_same_reason(leaf, first)]
    if alike:
        told = ", ".join(leaf.explanation.owner for leaf in alike[:MOST_TOLD])
        more = f" and {len(alike) - MOST_TOLD} more" if len(alike) > MOST_TOLD else ""
        first.add_note(f"at the same time and for the same reason: {told}{more}")
    others = [leaf for leaf in others if leaf not in alike]
    for other in others[:MOST_TOLD]:
        first.add_note(f"and then {_headline(other)}")
    if len(others) > MOST_TOLD:
        first.add_note(f"and then {len(others) - MOST_TOLD} more")
    return first


def tell_consequences(error: BaseException, runtime: Runtime, *, is_beside_code: bool) -> None:
    """Say, in the error's notes and in the journal, what else ended because of it.

    What failed beside the scenario's own code and ended just one step, was in that step: then the error names it.
    """
    entries = runtime.journal.entries
    if is_beside_code and isinstance(error, AntiphonError) and _is_plain(error):
        error.step = _interrupted_step(entries, error)
        if error.step:
            return
    for told in _shortened([step.told for step in _cancelled(entries, error)]):
        note = f"this cancelled {told}"
        runtime.record(Note(at_ns=runtime.now_ns(), text=note))
        error.add_note(note)


def under_way(entries: Iterable[Any], step: int) -> list[str]:
    """What was under way in the step of that number when it was cancelled, a line for each."""
    steps = _Steps(list(entries))
    return [f"this cancelled {told}" for told in _shortened([each.told for each in steps.cancelled(0, inside=step)])]


def _is_plain(error: AntiphonError) -> bool:
    """Whether its text is its own, and names no step."""
    return not error.step and getattr(error, "explanation", None) is None and not isinstance(error, ScenarioError)


def _interrupted_step(entries: Iterable[Any], cause: BaseException) -> str:
    """The step that a failure beside the scenario's own code ended: its title, its place, and what it waited for.

    "" unless it was just one: then the failure may be said to have happened in it.
    """
    cancelled = _cancelled(entries, cause)
    return cancelled[0].place if len(cancelled) == 1 else ""


def _cancelled(entries: Iterable[Any], cause: BaseException) -> list[_Cancelled]:
    known = list(entries)
    steps = _Steps(known)
    # What was cancelled before the failure was not cancelled because of it.
    begin = steps.failure(type(cause).__name__)
    return steps.cancelled(_last_events(known) if begin is None else begin)


class _Cancelled(msgspec.Struct):
    """A step that was cancelled: `told` says how, `place` where it was at that moment."""

    told: str
    place: str


class _Steps:
    """The steps and waits of a journal, with how they ended and at which place in it."""

    def __init__(self, entries: Sequence[Any]) -> None:
        self._started: dict[int, StepStarted] = {}
        self._ended: dict[int, tuple[int, StepEnded]] = {}
        self._waits: dict[int, WaitStarted] = {}
        self._given_up: dict[int, WaitStarted] = {}
        """By the number of a step its last wait that was cancelled."""
        for index, entry in enumerate(entries):
            if isinstance(entry, StepStarted):
                self._started[entry.number] = entry
            elif isinstance(entry, StepEnded):
                self._ended[entry.number] = (index, entry)
            elif isinstance(entry, WaitStarted):
                self._waits[entry.number] = entry
            elif isinstance(entry, WaitEnded):
                wait = self._waits.pop(entry.number, None)
                if wait is not None and entry.outcome == "cancelled":
                    self._given_up[wait.step] = wait

    def failure(self, error: str) -> int | None:
        """The place of the first step that failed with that error, and whose failure nobody kept from the top."""
        failed = [
            (index, ended) for index, ended in self._ended.values() if (ended.outcome, ended.error) == ("failed", error)
        ]
        tops = [ended.number for _, ended in failed if self._parent(ended.number) == 0]
        if not tops:
            return None
        return next((index for index, ended in failed if tops[-1] in self._failed_line(ended.number)), None)

    def cancelled(self, begin: int, inside: int = 0) -> list[_Cancelled]:
        """The innermost steps that were cancelled from that place on, in the step `inside`, with their waits."""
        cancelled = [
            ended.number
            for index, ended in self._ended.values()
            if ended.outcome == "cancelled"
            and index >= begin
            and (not inside or inside in self._line(ended.number)[1:])
        ]
        # A step around a cancelled one was cancelled with it: the innermost says what was under way.
        outer = {self._parent(number) for number in cancelled}
        return [
            self._tell(self._started[number])
            for number in sorted(cancelled)
            if number not in outer and number in self._started
        ]

    def _tell(self, step: StepStarted) -> _Cancelled:
        took = seconds(self._ended[step.number][1].at_ns - step.at_ns)
        line = [self._started[number] for number in self._line(step.number) if number in self._started]
        actor = next((each.actor for each in line if each.actor), "")
        wait = self._given_up.get(step.number)
        for_what = f", waiting for {wait.what}" if wait is not None else ""
        where = f" at {wait.source}" if wait is not None and wait.source != step.source else ""
        place = f"{step.title} at {step.source}"
        return _Cancelled(
            told=f"{actor + ': ' if actor else ''}{place} after {took}{for_what}{where}",
            place=f"{place}{for_what}{where}",
        )

    def _parent(self, number: int) -> int:
        return self._started[number].parent if number in self._started else 0

    def _line(self, number: int) -> list[int]:
        """The step and those around it, from the inside out."""
        line = []
        while number:
            line.append(number)
            number = self._parent(number)
        return line

    def _failed_line(self, number: int) -> list[int]:
        """The same, as far as they failed too."""
        line = []
        for each in self._line(number):
            if each not in self._ended or self._ended[each][1].outcome != "failed":
                break
            line.append(each)
        return line


def _last_events(entries: Sequence[Any]) -> int:
    """The place behind the last thing that went well: what follows are ends."""
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        if isinstance(entry, StepStarted) or (isinstance(entry, StepEnded) and entry.outcome == "passed"):
            return index + 1
    return 0


def _shortened(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST_TOLD else [*lines[:MOST_TOLD], f"{len(lines) - MOST_TOLD} more"]


def _headline(error: BaseException) -> str:
    return plain_line(failure_lines(error)[0])


def _has_same_reason(one: BaseException, other: BaseException) -> bool:
    """Whether what ended the connections of both was the same, and at the same time."""
    facts: list[Any] = [getattr(error, "explanation", None) for error in (one, other)]
    if any(each is None or each.outcome != "closed" for each in facts):
        return False
    first, second = facts
    ends = [(each.ending.code, each.ending.reason, each.ending.by) for each in facts]
    return ends[0] == ends[1] and abs(first.at_ns - second.at_ns) <= _SAME_TIME_NS


def _leaves(group: BaseExceptionGroup[Any]) -> list[Any]:
    leaves: list[Any] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
