"""The end of a load on a terminal: its verdict, what was measured of each step, why it failed, what had to hold.

Lines are made of pieces, as those of errors are (`antiphon.errors.Line`), so whoever shows them may colour them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from antiphon.conversation.wording import one_line, visible, visible_lines
from antiphon.errors import Line, Role
from antiphon.journal.glance import fit
from antiphon.report.load.compare import Comparison, Moved
from antiphon.report.load.figures import LoadFigures
from antiphon.report.load.summary import CauseSummary, Conversations, LoadSummary, SeriesSummary, summarised
from antiphon.report.load.wording import amount, change, figure_told, lasted, percent, rate, took

__all__ = [
    "VERDICTS",
    "accounts",
    "depth_and_name",
    "example_told",
    "lines",
    "moved_told",
    "split",
    "step_told",
    "text_lines",
    "title",
    "verdict",
]

MOST_CAUSES: Final = 10
MOST_MOVED: Final = 20
LONGEST_NAME: Final = 44
LONGEST_CAUSE: Final = 200
LEAST_MS: Final = 0.0005
"""Half a microsecond: less is told as nothing."""

VERDICTS: Final = {
    "passed": "PASSED",
    "failed": "FAILED",
    "inconclusive": "INCONCLUSIVE",
    "interrupted": "INTERRUPTED",
    "unfinished": "UNFINISHED",
}
_ROLES: Final[dict[str, Role]] = {"passed": "wanted", "failed": "found"}
_COLUMNS: Final = ("count", "errors", "mean", "p50", "p90", "p95", "p99", "p99.9", "max")
_MISSED_LEAST: Final = ("p99.9", "p90", "mean", "p50")


def lines(figures: LoadFigures, baseline: Comparison | None = None, *, width: int | None = None) -> list[Line]:
    """The text of a load; `baseline` is how it compares with an earlier one. In so many cells, where they are given, a
    row of the table stands on one line, without the columns that are missed least."""
    return text_lines(summarised(figures, baseline), width=width)


def text_lines(summary: LoadSummary, *, width: int | None = None) -> list[Line]:
    """The same of its summary."""
    told: list[Line] = [_first_line(summary)]
    told += [(("  ", ""), ("doubt: ", "late"), (visible(doubt), "")) for doubt in summary.doubts]
    if summary.error:
        told.append((("  ", ""), (visible(one_line(summary.error)), "found")))
    told += [(("  ", ""), (line, "")) for line in accounts(summary)]
    if summary.correctness:
        counts = ", ".join(f"{count:,} {visible(what)}" for what, count in summary.correctness.items())
        told.append((("  messages that were wrong: ", ""), (counts, "found")))
    told += _table(summary, width)
    for section in (_splits, _causes, _thresholds, _comparison):
        told += section(summary)
    return told


def verdict(summary: LoadSummary) -> str:
    """How it ended, and whether its numbers may be trusted: `FAILED, VALID`, or `INCONCLUSIVE` for both."""
    word, worth = VERDICTS[summary.verdict], "VALID" if summary.is_valid else "INCONCLUSIVE"
    return word if word == worth else f"{word}, {worth}"


def title(summary: LoadSummary) -> str:
    """Which load, where, and how long it took."""
    stand = f" on {visible(summary.stand)}" if summary.stand else ""
    shard = f", shard {visible(summary.shard)}" if summary.shard else ""
    return f"{visible(summary.name)}{stand}{shard}, {lasted(round(summary.duration_s * 1e9))}"


def accounts(summary: LoadSummary) -> Iterator[str]:
    """How many conversations there were and what came of them; for each part where there are several."""
    yield _account(summary.conversations)
    if len(summary.parts) > 1:
        for name, part in summary.parts.items():
            yield f"{visible(name)}: {_account(part)}"


def split(series: SeriesSummary) -> str:
    """How the mean of a step divides: `outbound_call 812 ms = newRtc 640 ms + state 150 ms + ours 22 ms`; else ""."""
    if len(series.split_ms) < 2:
        return ""
    waits = sorted(((ms, what) for what, ms in series.split_ms.items() if what and ms >= LEAST_MS), reverse=True)
    told = [f"{visible(what)} {took(ms * 1000)}" for ms, what in waits]
    if "" in series.split_ms:
        told.append(f"ours {took(series.split_ms[''] * 1000)}")
    return f"{visible(series.name)} {took(series.mean_ms * 1000)} = {' + '.join(told)}"


def step_told(cause: CauseSummary) -> str:
    """` in outbound_call`, unless the cause's own text says so; else ""."""
    return f" in {visible(cause.step)}" if cause.step and f"in {cause.step}" not in cause.text else ""


def example_told(cause: CauseSummary) -> str:
    """The whole text of the first failure of a kind, in which nothing moves a cursor or turns text round."""
    return visible_lines(cause.example or cause.text)


def depth_and_name(series: str) -> tuple[int, str]:
    """How deep a series stands in a table of all, and its name there."""
    # A request's path has slashes of its own, behind the method; outside of a step it stands below the part.
    named, blank, path = series.partition(" /")
    *above, name = named.split("/", 2)
    return len(above), visible(f"{name}{blank}{path}")


def moved_told(moved: Moved) -> str:
    """A figure that has moved: `31 ms → 37 ms: +20.7 % (between +17.8 % and +23.4 %)`."""
    assert moved.ratio is not None
    assert moved.low is not None
    assert moved.high is not None
    before, now = (figure_told(moved.figure, value) for value in (moved.before, moved.now))
    between = f"between {change(moved.low)} and {change(moved.high)}"
    return f"{before} → {now}: {change(moved.ratio)} ({between})"


def _first_line(summary: LoadSummary) -> Line:
    role = _ROLES.get(summary.verdict, "late") if summary.is_valid else "late"
    return (verdict(summary), role), (f": {title(summary)}", "")


def _account(told: Conversations) -> str:
    begun = f"{amount(told.started, 'conversation')}, {rate(told.started_per_s)}"
    if abs(told.due - told.started) > 0.005 * told.due:
        begun += f" of {rate(told.due_per_s)} due"
    ends = [f"{told.passed:,} passed", f"{told.failed:,} failed ({percent(told.failed_share)})"]
    for count, what in (
        (told.interrupted, "interrupted"),
        (told.lost, "lost"),
        (told.dropped, "never begun"),
        (told.late, "began late"),
    ):
        if count:
            ends.append(f"{count:,} {what}")
    if told.most_live is not None:
        ends.append(f"{told.most_live:,} at once")
    return f"{begun}: {', '.join(ends)}"


# -- sections ---------------------------------------------------------------------------------------------------------


def _table(summary: LoadSummary, width: int | None) -> Iterator[Line]:
    """A row for each series, what is in a step below it."""
    if not summary.series:
        return
    rows = [("", *_COLUMNS), *map(_cells, summary.series)]
    for name in _MISSED_LEAST:
        if width is None or _width_of(rows) <= width:
            break
        place = rows[0].index(name)
        rows = [(*row[:place], *row[place + 1 :]) for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    yield ()
    for place, row in enumerate(rows):
        cells = [" " * (2 + width - cell_len(cell)) + cell for cell, width in zip(row[1:], widths[1:], strict=True)]
        name = row[0] + " " * (widths[0] - cell_len(row[0]))
        if not place:
            yield (("  " + name + "".join(cells), "aside"),)
            continue
        series = summary.series[place - 1]
        is_top = series.kind in ("conversation", "step")
        yield (
            ("  ", ""),
            (name, "name" if is_top else ""),
            (cells[0], ""),
            (cells[1], "found" if series.errors else ""),
            ("".join(cells[2:]).rstrip(), ""),
        )


def _width_of(rows: Sequence[Sequence[str]]) -> int:
    """How many cells a row of the table takes."""
    return sum(2 + max(map(cell_len, column)) for column in zip(*rows, strict=True))


def _cells(series: SeriesSummary) -> tuple[str, ...]:
    depth, name = depth_and_name(series.name)
    times = (
        series.mean_ms,
        series.p50_ms,
        series.p90_ms,
        series.p95_ms,
        series.p99_ms,
        series.p999_ms,
        series.max_ms,
    )
    told = fit("  " * depth + name, LONGEST_NAME)
    return told, f"{series.count:,}", f"{series.errors:,}", *(took(each * 1000) for each in times)


def _splits(summary: LoadSummary) -> Iterator[Line]:
    told = list(filter(None, map(split, summary.series)))
    if told:
        yield ()
        yield (("  where the time of a step goes, on average", "aside"),)
    for line in told:
        yield (("  ", ""), (line, ""))


def _causes(summary: LoadSummary) -> Iterator[Line]:
    if not summary.causes:
        return
    yield ()
    yield (("  why conversations failed", "aside"),)
    width = len(f"{summary.causes[0].count:,}")
    for cause in summary.causes[:MOST_CAUSES]:
        told = one_line(visible(cause.text), LONGEST_CAUSE)
        yield (
            ("  ", ""),
            (f"{cause.count:{width},}", "found"),
            (" × ", ""),
            (visible(cause.error) or "various", "name"),
            (step_told(cause), ""),
        )
        yield ((" " * (width + 5) + told, ""),)
        if cause.kept:
            kept = ", ".join(visible(each.directory) for each in cause.kept[:3])
            yield ((" " * (width + 5) + f"kept: {kept}", "place"),)
    left_out = summary.causes[MOST_CAUSES:]
    if left_out:
        count = sum(cause.count for cause in left_out)
        yield ((f"  and {amount(count, 'failure')} of {amount(len(left_out), 'other cause')}", "aside"),)


def _thresholds(summary: LoadSummary) -> Iterator[Line]:
    if not summary.thresholds:
        return
    yield ()
    yield (("  what had to hold", "aside"),)
    # What did not hold is what one looks for.
    for judged in sorted(summary.thresholds, key=lambda judged: judged.has_passed):
        sign, role = _sign(has_passed=judged.has_passed)
        ended = ", and ended the load" if judged.ended_the_load else ""
        yield (
            ("  ", ""),
            (sign, role),
            (f" {visible(judged.threshold)}", "name"),
            (f": {visible(judged.measured)}{ended}", ""),
        )


def _sign(*, has_passed: bool) -> tuple[str, Role]:
    return ("holds  ", "wanted") if has_passed else ("crossed", "found")


def _comparison(summary: LoadSummary) -> Iterator[Line]:
    baseline = summary.baseline
    if baseline is None:
        return
    yield ()
    yield ((f"  beside the baseline {visible(baseline.baseline)}", "aside"),)
    moved: Sequence[Moved] = [*baseline.worse, *baseline.better]
    shown = moved[:MOST_MOVED]
    names = [f"{visible(each.what)} {each.figure}" for each in shown]
    width = max(map(cell_len, names), default=0)
    for each, name in zip(shown, names, strict=True):
        role: Role = "found" if each.direction == "worse" else "wanted"
        padded = name + " " * (width - cell_len(name))
        yield ("  ", ""), (each.direction.ljust(6), role), (f" {padded}", "name"), (f"  {moved_told(each)}", "")
    if len(moved) > MOST_MOVED:
        yield ((f"  and {len(moved) - MOST_MOVED} more", "aside"),)
    untold = sum(each.direction == "unknown" for each in baseline.figures)
    same = len(baseline.figures) - len(moved) - untold
    rest = f"{amount(same, 'figure')} not moved" + (f", {untold:,} with too little to tell" if untold else "")
    yield ((f"  {rest}", "aside"),)
    for remark in baseline.remarks:
        yield ((f"  note: {visible(remark)}", "hint"),)
