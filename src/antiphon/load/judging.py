"""What is said of a load at its end: whether its thresholds held, whether its numbers may be trusted, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from antiphon.journal.figures import LoadEnded, LoadVerdict, Second, ThresholdJudged
from antiphon.load.thresholds import Baseline, Threshold, parse
from antiphon.load.totals import Interval, Totals
from antiphon.load.trust import Trust, audit_of
from antiphon.load.verdicts import Verdict, Watch, judge
from antiphon.report.load.figures import LoadFigures

__all__ = ["Judging", "conclusion", "with_one_about_errors"]


class Judging:
    """The thresholds of a load, looked at with each second and judged at its end.

    `baseline` is the load that they may compare with; `ended_by` is the verdict of the one that has ended the load,
    since it was crossed for as long as it says.
    """

    def __init__(self, thresholds: Sequence[Threshold], baseline: LoadFigures | None = None) -> None:
        self.ended_by: Verdict | None = None
        self._thresholds: Final = tuple(thresholds)
        self._before = baseline if any(isinstance(each.limit, Baseline) for each in thresholds) else None
        self._baseline = Totals(baseline) if baseline is not None else None
        self._watches = {each: Watch(each, self._baseline) for each in thresholds if each.lasting is not None}

    @property
    def doubts(self) -> list[str]:
        """Why what the thresholds compare with may not be trusted; nothing if it may."""
        before = self._before
        if before is None or before.is_valid:
            return []
        return [f"the baseline's own numbers may not be trusted: {before.doubts[0]}"]

    def look(self, second: Second, figures: LoadFigures, *, may_end: bool) -> bool:
        """Look at what was measured next, which `figures` have had last; whether the load is to end now.

        It may not if it is ending already, or is over.
        """
        if not self._watches:
            return False
        assert figures.latest is not None
        interval, was_to_end = Interval(second, figures.latest), self.ended_by is not None
        for watch in self._watches.values():
            if watch.feed(interval) and may_end and self.ended_by is None:
                self.ended_by = watch.verdict(Totals(figures))
        return self.ended_by is not None and not was_to_end

    def judge(self, figures: LoadFigures) -> list[ThresholdJudged]:
        """The verdicts on all of them."""
        totals = Totals(figures)
        judged = []
        for threshold in self._thresholds:
            watch = self._watches.get(threshold)
            verdict = watch.verdict(totals) if watch is not None else judge(threshold, totals, self._baseline)
            judged.append(
                ThresholdJudged(
                    at_ns=figures.duration_ns,
                    threshold=str(threshold),
                    has_passed=verdict.has_passed,
                    measured=verdict.text,
                    ended_the_load=self.ended_by is not None and self.ended_by.threshold == threshold,
                )
            )
        return judged


def conclusion(
    figures: LoadFigures,
    trust: Trust,
    judged: Iterable[ThresholdJudged],
    *,
    doubts: Sequence[str] = (),
    error: BaseException | None = None,
) -> LoadEnded:
    """The last entry of a load's record; `doubts` are further ones, `error` is what has broken it off."""
    audit, judged = audit_of(figures), list(judged)
    is_whole = error is None and not any(each.ended_the_load for each in judged)
    doubts = [*doubts, *trust.doubts(figures, audit, is_whole=is_whole)]
    verdict: LoadVerdict = "passed"
    if error is not None:
        verdict = "interrupted"
    elif doubts:
        verdict = "inconclusive"
    elif not all(each.has_passed for each in judged):
        verdict = "failed"
    told = "; ".join(trust.problems)
    if isinstance(error, Exception):
        told = f"{type(error).__name__}: {error}" + (f"; {told}" if told else "")
    return LoadEnded(at_ns=figures.duration_ns, verdict=verdict, doubts=doubts, audit=audit, error=told)


def with_one_about_errors(thresholds: Iterable[Threshold]) -> list[Threshold]:
    """The thresholds; if none says a word about errors, there must be none."""
    said = list(thresholds)
    if not any(each.measure == "errors" for each in said):
        said.append(parse("errors == 0"))
    return said
