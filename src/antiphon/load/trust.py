"""Whether the numbers of a load may be trusted: what its own generator could not do is no fault of the system.

A generator that is late measures itself. So what tells of that is judged with each load, by figures that stand here,
and a load whose numbers may not be trusted says so in every report, and in its exit code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from antiphon.conversation.wording import counted
from antiphon.journal.figures import Audit, GeneratorFigures, PartFigures, ProcessLost
from antiphon.load.shares import WHOLE, Share
from antiphon.report.load.figures import LoadFigures

__all__ = ["BUSY_SHARE", "LAG_MS", "LATE_SHARE", "LONGEST_LAG_MS", "SECONDS_SHARE", "Trust", "audit_of"]

LAG_MS: Final = 100.0
"""An event loop that is so much late at its ticks adds that to whatever it measures."""

LONGEST_LAG_MS: Final = 1000.0
"""Once is too often."""

BUSY_SHARE: Final = 0.95
"""A process that uses so much of a core has none left for what comes unexpectedly."""

LATE_SHARE: Final = 0.01
"""So many of the conversations may begin more than 50 ms after they were due, or never."""

SECONDS_SHARE: Final = 0.05
"""So many of the seconds may be bad, and two are always allowed: at the beginning everybody comes at once."""

_ALLOWED_SECONDS: Final = 2


class Trust:
    """Looks at each second of a load, and says at its end why its numbers may not be trusted."""

    def __init__(self) -> None:
        self._intervals = 0
        self._lagging: list[float] = []
        self._busy: list[float] = []
        self._busy_s = self._wall_s = 0.0
        self._seen: dict[int, int] = {}
        self._holes: list[str] = []
        self._problems: Counter[str] = Counter()
        self.lost: list[ProcessLost] = []

    def look(self, generators: Sequence[GeneratorFigures]) -> None:
        """How the processes did in an interval."""
        for each in generators:
            self._intervals += 1
            before = self._seen.get(each.process, 0)
            if each.seq != before + 1:
                self._holes.append(f"process {each.process}: the figures between {before} and {each.seq} are missing")
            self._seen[each.process] = each.seq
            if each.lag_ms >= LAG_MS:
                self._lagging.append(each.lag_ms)
            self._wall_s += max(each.wall_s, 0.0)  # of a load that was ended before its time 0 it is less
            if each.wall_s > 0 and each.cpu_s / each.wall_s >= BUSY_SHARE:
                self._busy.append(each.cpu_s / each.wall_s)
                self._busy_s += each.wall_s

    def note(self, problem: str, count: int = 1) -> None:
        """Something went wrong with the load itself, which makes no number wrong."""
        self._problems[problem] += count

    @property
    def problems(self) -> list[str]:
        """What was noted, each once, with how often."""
        return [text + (f" ({count} times)" if count > 1 else "") for text, count in self._problems.items()]

    def doubts(self, figures: LoadFigures, audit: Audit, *, is_whole: bool = True) -> list[str]:
        """Why the numbers may not be trusted, the weightiest first; nothing if they may.

        `is_whole` is whether the load came to its own end: nobody and no threshold has broken it off.
        """
        doubts = [f"process {lost.process} of the generator was lost: {lost.text}" for lost in self.lost]
        doubts += [f"the books do not agree: {problem}" for problem in audit.problems]
        doubts += self._holes
        allowed = max(_ALLOWED_SECONDS, SECONDS_SHARE * self._intervals)
        longest_ms = max(self._lagging, default=0.0)
        if len(self._lagging) > allowed or longest_ms >= LONGEST_LAG_MS:
            told = counted(len(self._lagging), "second")
            doubts.append(
                f"the generator's event loop was late, in {told} of {self._intervals} by more than {LAG_MS:.0f} ms, "
                f"at most by {longest_ms:.0f} ms: what it measured has that in it"
            )
        # Two seconds are not much of a minute, and all of a short load.
        if len(self._busy) > allowed or 2 * self._busy_s > self._wall_s > 0:
            told = counted(len(self._busy), "second")
            doubts.append(
                f"the generator used its whole core in {told} of {self._intervals}: the system may be faster than it; "
                "use more processes (--processes auto), or more machines"
            )
        started, late, dropped = figures.total.started, figures.total.late, figures.total.dropped
        if late + dropped > 1 and late + dropped > LATE_SHARE * (started + dropped):
            never = f", and {dropped} more never began" * bool(dropped)
            doubts.append(
                f"{late} of {started} conversations began more than 50 ms after they were due{never}: "
                "the load was less even than asked for"
            )
        return [*doubts, *_left_out(figures)] if is_whole else doubts


def _left_out(figures: LoadFigures) -> Iterator[str]:
    """What was to be measured and is in no figure."""
    total = figures.total
    ended = total.passed + total.failed
    if total.outlasting > 1 and total.outlasting > LATE_SHARE * (ended + total.interrupted):
        yield (
            f"{total.outlasting} of {total.started} conversations were under way when the load ended, for longer than "
            "any that has ended: how long they take is in no figure, nor whether they fail; more --grace lets them end"
        )
    if figures.started is None:
        return
    share = Share.parse(figures.started.shard) if figures.started.shard else WHOLE
    for planned in figures.started.plan.get("parts", ()):
        count, part = planned.get("count"), figures.parts.get(planned.get("name"), PartFigures())
        wanted = share.how_many(count) if count is not None else 0
        if (begun := part.started + part.dropped) < wanted:
            yield f"{begun} of the {wanted} conversations of {planned['name']} were to begin until the load ended"


def audit_of(figures: LoadFigures) -> Audit:
    """Whether what was started is what has ended, and what was lost with a process."""
    total = figures.total
    audit = Audit(
        started=total.started,
        passed=total.passed,
        failed=total.failed,
        interrupted=total.interrupted,
        dropped=total.dropped,
        lost=sum(sum(each.live.values()) for each in figures.lost),
    )
    ended = audit.passed + audit.failed + audit.interrupted + audit.lost
    if audit.started != ended:
        audit.problems.append(f"{audit.started} conversations were started, and {ended} have ended or were lost")
    for name, part in figures.parts.items():
        ended = part.passed + part.failed  # one that the load's end has interrupted tells nothing of the system
        measured = figures.series[name].histogram.count if name in figures.series else 0
        if measured != ended:
            audit.problems.append(f"{name}: {ended} conversations have ended, and {measured} were measured")
    caused = sum(cause.count for cause in figures.causes)
    if caused != audit.failed:
        audit.problems.append(f"{audit.failed} conversations failed, and {caused} failures have a cause")
    return audit
