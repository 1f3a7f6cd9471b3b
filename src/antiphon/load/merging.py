"""The same interval as several processes measured it, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from antiphon.journal.figures import CauseFigures, PartFigures, Second, SeriesFigures
from antiphon.report.load.timeline import CauseKey, Measurement, Point, add_part, add_traffic

__all__ = ["beside", "standing"]


def beside(seconds: Sequence[Second]) -> Second:
    """Their sum, exact to the counter, from the earliest `from_ns` to the latest `at_ns`."""
    if len(seconds) == 1:
        return seconds[0]
    merged = Second(at_ns=max(second.at_ns for second in seconds), from_ns=min(second.from_ns for second in seconds))
    series: dict[str, Measurement] = {}
    causes: dict[CauseKey, CauseFigures] = {}
    correctness: Counter[str] = Counter()
    for second in seconds:
        for name, part in second.parts.items():
            _add_part_beside(merged.parts.setdefault(name, PartFigures()), part)
        for name, measured in Point.of(second).series.items():
            if name in series:
                series[name].add(measured)
            else:
                series[name] = measured
        for cause in second.causes:
            _add_cause(causes, cause)
        add_traffic(merged.traffic, second.traffic)
        correctness.update(second.correctness)
        merged.generators += second.generators
    merged.series = {name: _figures(measured) for name, measured in series.items()}
    merged.causes = list(causes.values())
    merged.correctness = dict(correctness)
    return merged


def standing(latest: Second, at_ns: int) -> Second:
    """What is still so at that moment of what was so at the end of that interval, where nobody has told since."""
    parts = {name: PartFigures(asked=part.asked, live=part.live) for name, part in latest.parts.items()}
    return Second(at_ns=at_ns, from_ns=at_ns, parts=parts)


def _add_part_beside(total: PartFigures, more: PartFigures) -> None:
    asked, live = total.asked + more.asked, total.live + more.live
    asking_ns = max(filter(None, (total.asking_ns, more.asking_ns)), default=more.asking_ns)
    add_part(total, more)
    total.asked, total.live, total.asking_ns = asked, live, asking_ns


def _add_cause(causes: dict[CauseKey, CauseFigures], more: CauseFigures) -> None:
    key = (more.part, more.error, more.text)
    cause = causes.setdefault(key, CauseFigures(*key, count=0))
    cause.count += more.count
    cause.step = cause.step or more.step
    if more.example and not cause.example:
        cause.example, cause.conversation = more.example, more.conversation


def _figures(measured: Measurement) -> SeriesFigures:
    histogram = measured.histogram
    return SeriesFigures(
        kind=measured.kind,
        count=histogram.count,
        min_us=histogram.min_us,
        max_us=histogram.max_us,
        sum_us=histogram.sum_us,
        blob=histogram.to_blob(),
        errors=measured.errors,
        split=dict(measured.split_us),
    )
