"""Whether what must hold of a load did: at its end, second for second, and beside an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.journal.histogram import Histogram
from antiphon.load.thresholds import parse
from antiphon.load.verdicts import Verdict, Watch, judge

MS = 1_000


@dataclass
class Series:
    histogram: Histogram
    errors: int = 0


@dataclass
class Part:
    started: int = 0
    late: int = 0
    passed: int = 0
    failed: int = 0


@dataclass
class Cause:
    part: str
    step: str
    error: str
    text: str
    count: int


@dataclass
class Counted:
    """What a load has counted."""

    took_s: float = 1.0
    parts: dict[str, Part] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    causes: dict[int, Cause] = field(default_factory=dict)


def series(durations_ms: Iterable[float], errors: int = 0) -> Series:
    histogram = Histogram()
    for each in durations_ms:
        histogram.record(round(each * MS))
    return Series(histogram, errors)


def steps(**durations_ms: Sequence[float]) -> Counted:
    """A load with these steps in the part `outgoing`."""
    return Counted(series={f"outgoing/{name}": series(each) for name, each in durations_ms.items()})


def parts(took_s: float = 1.0, **counts: Part) -> Counted:
    return Counted(took_s, parts=counts)


def failing(errors: int, causes: Sequence[Cause], ended: int = 100) -> Counted:
    """A load of one part, of whose conversations so many failed, all in a step."""
    figures = Counted(parts={"outgoing": Part(ended, 0, ended - errors, errors)}, causes=dict(enumerate(causes)))
    figures.series = {name: series([1] * ended, errors) for name in ("outgoing", "outgoing/dial")}
    return figures


def said(text: str, figures: Counted, baseline: Counted | None = None) -> str:
    """The verdict in words, and what it is."""
    verdict = judge(parse(text), figures, baseline)
    assert verdict.threshold == parse(text)
    return f"{'passed' if verdict.has_passed else 'failed'}: {verdict.text}"


DIAL = steps(dial=[500, 600, 912])


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("dial p95 < 800ms", "failed: dial p95 was 912 ms, and must be < 800 ms"),
        ("outgoing/dial p95 < 1s", "passed: outgoing/dial p95 was 912 ms, and must be < 1 s"),
        ("dial p50 <= 601ms", "passed: dial p50 was 600 ms, and must be <= 601 ms"),
        ("dial p50 > 601ms", "failed: dial p50 was 600 ms, and must be > 601 ms"),
        ("dial min > 0.5s", "failed: dial min was 500 ms, and must be > 500 ms"),
        ("dial min >= 0.5s", "passed: dial min was 500 ms, and must be >= 500 ms"),
        ("dial max == 912ms", "passed: dial max was 912 ms, and must be == 912 ms"),
        ("dial max != 912ms", "failed: dial max was 912 ms, and must be != 912 ms"),
        ("dial mean < 670.6ms", "failed: dial mean was 671 ms, and must be < 670.6 ms"),
        ("dial mean < 671ms", "passed: dial mean was 670.7 ms, and must be < 671 ms"),
        ("dial mean < 1min", "passed: dial mean was 671 ms, and must be < 60 s"),
        ("dial count >= 3", "passed: dial count was 3, and must be >= 3"),
        ("dial count > 3", "failed: dial count was 3, and must be > 3"),
        ("dial errors == 0", "passed: dial errors were 0, and must be == 0"),
    ],
)
def test_what_a_step_took_is_judged(text: str, verdict: str) -> None:
    assert said(text, DIAL) == verdict


def test_a_verdict_has_its_figures() -> None:
    assert judge(parse("dial p95 < 800ms"), DIAL) == Verdict(
        parse("dial p95 < 800ms"),
        has_passed=False,
        text="dial p95 was 912 ms, and must be < 800 ms",
        measured=912_000,
        limit=800_000,
        unit="us",
        series="outgoing/dial",
    )
    lost = judge(parse("hang_up p95 < 800ms"), DIAL)
    assert (lost.measured, lost.limit, lost.unit, lost.series) == (None, None, "", "")


@pytest.mark.parametrize(
    ("us", "told"),
    [
        (1, "1 us"),
        (999, "999 us"),
        (1_234, "1.23 ms"),
        (12_345, "12.3 ms"),
        (999_949, "1000 ms"),
        (1_234_567, "1.23 s"),
        (7_512_345_678, "7512 s"),
    ],
)
def test_durations_are_told_to_three_digits(us: int, told: str) -> None:
    assert said("dial max < 9h", steps(dial=[us / MS])) == f"passed: dial max was {told}, and must be < 32400 s"


@pytest.mark.parametrize(("ms", "told"), [(800.004, "800.004"), (800.4, "800.4"), (799.999, "799.999"), (800, "800")])
def test_what_is_told_lies_on_its_side_of_the_limit(ms: float, told: str) -> None:
    assert said("dial max < 800ms", steps(dial=[ms])).endswith(f"was {told} ms, and must be < 800 ms")


def test_a_percentile_is_not_more_than_the_longest() -> None:
    assert said("dial p99 <= 1234.567ms", steps(dial=[1_234.567])).startswith("passed")


def test_beyond_the_histogram_a_percentile_is_still_too_long() -> None:
    assert said("dial p50 <= 60s", steps(dial=[1, 90_000, 300_000])).startswith("failed: dial p50 was 300 s")
    assert said("dial max < 301s", steps(dial=[90_000, 300_000])).startswith("passed: dial max was 300 s")


BUSY = Counted(
    10.0,
    parts={"outgoing": Part(started=150, late=3, passed=140, failed=6), "chat": Part(50, 0, 48, 2)},
    series={"outgoing": series([1_000] * 146, 6), "outgoing/dial": series([1] * 200, 1), "chat": series([9] * 50, 2)},
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("errors < 1%", "failed: errors were 4.08 % (8 of 196), and must be < 1 %"),
        ("errors == 8", "passed: errors were 8, and must be == 8"),
        ("outgoing errors < 5%", "passed: outgoing errors were 4.11 % (6 of 146), and must be < 5 %"),
        ("outgoing/dial errors <= 0.5%", "passed: outgoing/dial errors were 0.5 % (1 of 200), and must be <= 0.5 %"),
        ("outgoing/dial errors < 0.5%", "failed: outgoing/dial errors were 0.5 % (1 of 200), and must be < 0.5 %"),
        ("rate > 19/s", "passed: rate was 20/s, and must be > 19/s"),
        ("rate >= 1200/min", "passed: rate was 1200/min, and must be >= 1200/min"),
        ("outgoing rate > 60000/h", "failed: outgoing rate was 54000/h, and must be > 60000/h"),
        ("* rate > 4/s", "passed: * rate was 5/s in chat, and must be > 4/s"),
        ("late < 1%", "failed: late starts were 1.5 % (3 of 200), and must be < 1 %"),
        ("chat late == 0", "passed: chat late starts were 0, and must be == 0"),
        ("outgoing late <= 2%", "passed: outgoing late starts were 2 % (3 of 150), and must be <= 2 %"),
        ("count >= 200", "failed: count was 196, and must be >= 200"),
        ("outgoing p50 < 2s", "passed: outgoing p50 was 1 s, and must be < 2 s"),
    ],
)
def test_conversations_are_judged(text: str, verdict: str) -> None:
    assert said(text, BUSY) == verdict


LATE = Cause("outgoing", "dial", "DeadlinePassed", "waited 5 s for newRtc where state='held'", 3)
GONE = Cause("outgoing", "dial", "ChannelClosed", "desk closed: 1006", 2)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("errors[DeadlinePassed] == 0", 3),
        ("errors[Deadline*] == 0", 3),
        ("errors[Channel?losed] == 0", 2),
        ("errors[*] == 0", 5),
        ("errors[waited 5 s for newRtc where state='held'] == 0", 3),
        ("errors[* for newRtc *] == 0", 3),
        ("errors[deadlinepassed*] == 0", 0),
        ("errors[newRtc] == 0", 0),
        ("dial errors[ChannelClosed] == 0", 2),
        ("outgoing errors[ChannelClosed] == 0", 2),
    ],
)
def test_errors_are_chosen_by_class_or_cause(text: str, number: int) -> None:
    verdict = judge(parse(text), failing(5, [LATE, GONE]))
    assert verdict.measured == number
    assert verdict.has_passed is (number == 0)


def test_errors_of_a_kind_are_a_share_of_all_that_ended() -> None:
    assert said("errors[ChannelClosed] < 2%", failing(5, [LATE, GONE])) == (
        "failed: errors[ChannelClosed] were 2 % (2 of 100), and must be < 2 %"
    )


def test_kinds_that_nobody_recorded_are_no_zero() -> None:
    figures = failing(5, [LATE])
    why = "errors[ChannelClosed] were not told: the kinds of 2 of 5 errors were not recorded"
    assert said("errors[ChannelClosed] == 0", figures) == f"failed: {why}"
    figures.series["outgoing/dial/newRtc"] = series([1], errors=1)
    assert said("newRtc errors[ChannelClosed] == 0", figures) == (
        "failed: newRtc errors[ChannelClosed] were not told: the kinds of 1 of 1 error were not recorded"
    )
    assert said("newRtc errors == 1", figures).startswith("passed")
    assert said("dial errors[DeadlinePassed] == 3", failing(3, [LATE])).startswith("passed")


THREE = steps(dial=[500], answer=[700], hang_up=[100])


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("* p95 < 600ms", "failed: * p95 was 700 ms in outgoing/answer, and must be < 600 ms"),
        ("outgoing/* p95 < 1s", "passed: outgoing/* p95 was 700 ms in outgoing/answer, and must be < 1 s"),
        ("* min > 200ms", "failed: * min was 100 ms in outgoing/hang_up, and must be > 200 ms"),
        ("* max == 500ms", "failed: * max was 100 ms in outgoing/hang_up, and must be == 500 ms"),
        ("* max != 100ms", "failed: * max was 100 ms in outgoing/hang_up, and must be != 100 ms"),
        ("?ial max < 1s", "passed: ?ial max was 500 ms in outgoing/dial, and must be < 1 s"),
        ("* max != 3ms", "passed: * max was 100 ms in outgoing/hang_up, and must be != 3 ms"),
    ],
)
def test_of_several_the_worst_is_told(text: str, verdict: str) -> None:
    assert said(text, THREE) == verdict


def test_a_name_is_that_of_each_part_with_such_a_step() -> None:
    figures = Counted(
        series={"outgoing/dial": series([5]), "night/dial": series([9]), "night/dial/newRtc": series([99])}
    )
    assert said("dial max < 9ms", figures) == "failed: dial max was 9 ms in night/dial, and must be < 9 ms"
    assert said("night/dial max < 10ms", figures) == "passed: night/dial max was 9 ms, and must be < 10 ms"
    assert said("dial/newRtc max < 10ms", figures).startswith("failed: dial/newRtc max was 99 ms,")


def test_signs_in_names_are_no_patterns_but_for_two() -> None:
    figures = Counted(series={"a/POST /x[1].(y)": series([5])})
    assert said('"POST /x[1].(y)" max < 9ms', figures).startswith("passed")
    assert said('"POST /x[1]*" max < 9ms', figures).startswith("passed")
    assert said('"POST /x[1]-(y)" max < 9ms', figures).startswith("failed")
    assert judge(parse("a" + "*" * 40 + "b max < 9ms"), Counted(series={"a" * 2_000: series([5])})).measured is None


@pytest.mark.parametrize(
    ("text", "figures", "why"),
    [
        (
            "outbond_cal p95 < 1s",
            steps(outbound_call=[1]),
            "nothing is called so; the nearest is outgoing/outbound_call",
        ),
        ("Outgoing/Dial p95 < 1s", DIAL, "nothing is called so; the nearest is outgoing/dial"),
        ("xyz p95 < 1s", DIAL, "nothing is called so"),
        ("xyz count == 0", DIAL, "nothing is called so"),
        ("dial p95 < 1s", Counted(), "nothing is called so"),
        ("dial p95 < 1s", steps(dial=[]), "it was never done"),
        ("dial mean < 1s", steps(dial=[]), "it was never done"),
        ("rate > 1/s", parts(took_s=0), "no time has passed"),
        ("outgoing rate > 1/s", parts(took_s=0, outgoing=Part(1)), "no time has passed"),
        ("outging rate > 1/s", parts(outgoing=Part(1)), "nothing is called so; the nearest is outgoing"),
        ("dial rate > 1/s", BUSY, "rate is of conversations, which are outgoing, chat"),
    ],
)
def test_what_was_not_measured_has_not_held(text: str, figures: Counted, why: str) -> None:
    assert said(text, figures) == f"failed: {parse(text).subject} was not measured: {why}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("errors == 0", "errors were not measured: no conversation has ended"),
        ("errors < 1%", "errors were not measured: no conversation has ended"),
        ("late < 1%", "late starts were not measured: no conversation was started"),
        ("errors[X] == 0", "errors[X] were not measured: no conversation has ended"),
    ],
)
def test_of_nothing_there_are_no_shares(text: str, why: str) -> None:
    assert said(text, Counted()) == f"failed: {why}"


def test_what_was_never_done_is_not_the_worst_of_several() -> None:
    figures = steps(dial=[5], answer=[])
    assert said("* max < 9ms", figures) == "passed: * max was 5 ms in outgoing/dial, and must be < 9 ms"
    assert said("* count > 0", figures) == "failed: * count was 0 in outgoing/answer, and must be > 0"


BEFORE = steps(dial=[800], answer=[100])


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("dial p95 < baseline +20%", "passed: dial p95 was 912 ms, and must be < 960 ms, the baseline's 800 ms +20%"),
        ("dial p95 < baseline +14%", "failed: dial p95 was 912 ms, and must be < 912 ms, the baseline's 800 ms +14%"),
        ("dial p95 < baseline +10%", "failed: dial p95 was 912 ms, and must be < 880 ms, the baseline's 800 ms +10%"),
        (
            "dial p95 < baseline +100ms",
            "failed: dial p95 was 912 ms, and must be < 900 ms, the baseline's 800 ms +100ms",
        ),
        ("dial min < baseline -20ms", "passed: dial min was 500 ms, and must be < 780 ms, the baseline's 800 ms -20ms"),
        ("dial p50 <= baseline", "passed: dial p50 was 600 ms, and must be <= 800 ms, as in the baseline"),
        ("dial count >= baseline -1", "passed: dial count was 3, and must be >= 0, the baseline's 1 -1"),
    ],
)
def test_an_earlier_load_is_the_limit(text: str, verdict: str) -> None:
    assert said(text, DIAL, BEFORE) == verdict


def test_shares_are_compared_in_points_and_rates_in_parts() -> None:
    before = parts(5.0, outgoing=Part(started=100, late=1, passed=99, failed=1))
    now = parts(10.0, outgoing=Part(started=180, late=9, passed=194, failed=6))
    assert said("errors < baseline +2%", now, before) == (
        "failed: errors were 3 % (6 of 200), and must be < 3 %, the baseline's 1 % +2%"
    )
    assert said("late < baseline +5%", now, before) == (
        "passed: late starts were 5 % (9 of 180), and must be < 6 %, the baseline's 1 % +5%"
    )
    assert said("rate >= baseline -10%", now, before) == (
        "passed: rate was 18/s, and must be >= 18/s, the baseline's 20/s -10%"
    )
    assert said("outgoing rate >= baseline -60/min", now, before) == (
        "failed: outgoing rate was 18/s, and must be >= 19/s, the baseline's 20/s -60/min"
    )


def test_of_several_the_worst_is_the_one_that_is_furthest_from_its_own_limit() -> None:
    now = steps(dial=[900], answer=[150])
    assert said("* p95 < baseline +10%", now, BEFORE) == (
        "failed: * p95 was 150 ms in outgoing/answer, and must be < 110 ms, the baseline's 100 ms +10%"
    )
    assert said("* p95 < baseline -200ms", now, BEFORE) == (
        "failed: * p95 was 150 ms in outgoing/answer, and must be < -100 ms, the baseline's 100 ms -200ms"
    )


def test_what_an_earlier_load_does_not_know_has_not_held() -> None:
    now = steps(dial=[1], hang_up=[1])
    text = "dial p95 was 1 ms, and there is no baseline to compare with"
    assert said("dial p95 < baseline", now) == f"failed: {text}"
    assert said("* p95 < baseline", now, BEFORE) == (
        "failed: * p95 was 1 ms in outgoing/hang_up, and the baseline has nothing of outgoing/hang_up"
    )
    assert said("hang_up p95 < baseline", now, steps(hang_up=[])).endswith(
        "the baseline has nothing of outgoing/hang_up"
    )
    assert said("errors < baseline", failing(1, [LATE]), Counted()) == (
        "failed: errors were 1 % (1 of 100), and the baseline has nothing of that"
    )
    verdict = judge(parse("dial p95 < baseline"), now)
    assert (verdict.measured, verdict.limit) == (1_000, None)


def test_where_percentiles_are_not_told_apart_they_are_not_compared() -> None:
    long = steps(dial=[70_000, 90_000])
    why = "dial p50 was not told: above 60 s percentiles are not told apart"
    assert said("dial p50 < baseline +10%", long, BEFORE) == f"failed: {why}"
    assert said("dial p50 < baseline +10%", BEFORE, long).endswith("the baseline has nothing of outgoing/dial")
    assert said("dial max < baseline +10%", BEFORE, long).startswith("passed")


def watched(
    text: str, seconds: Sequence[Mapping[str, Sequence[float]]], took_s: float = 1.0
) -> tuple[Watch, list[bool]]:
    """A watch that was fed with what each step took in each second; what it said each time."""
    watch, ends = Watch(parse(text)), []
    for durations_ms in seconds:
        figures = steps(**durations_ms)
        figures.took_s = took_s
        ends.append(watch.feed(figures))
    return watch, ends


SLOW: Mapping[str, Sequence[float]] = {"dial": [3_000]}
QUICK: Mapping[str, Sequence[float]] = {"dial": [100]}
NOTHING: Mapping[str, Sequence[float]] = {}


def test_a_watch_ends_the_load_when_it_has_not_held_for_so_long_in_a_row() -> None:
    watch, ends = watched("dial p99 < 2s for 3s", [SLOW, SLOW, QUICK, SLOW, SLOW, SLOW, QUICK])
    assert ends == [False, False, False, False, False, True, True]
    verdict = watch.verdict(steps(dial=[3_000, 100]))
    assert not verdict.has_passed
    assert verdict.text == "dial p99 was 3 s at worst, and must be < 2 s: it was not for 3 s in a row"
    assert (verdict.measured, verdict.limit, verdict.series) == (3_000_000, 2_000_000, "outgoing/dial")


def test_a_watch_tells_how_near_it_was() -> None:
    watch, ends = watched("dial p99 < 2s for 3s", [SLOW, QUICK, {"dial": [2_500]}, SLOW, QUICK])
    assert not any(ends)
    verdict = watch.verdict(steps(dial=[3_000, 100]))
    assert verdict.has_passed
    assert verdict.text == "dial p99 was 3 s at worst, and must be < 2 s: it was not for 2 s in a row, less than 3 s"


def test_a_watch_that_never_had_to_look_twice() -> None:
    watch, _ = watched("dial p99 < 2s for 3s", [QUICK, {"dial": [1_000]}, QUICK])
    verdict = watch.verdict(steps(dial=[100]))
    assert (verdict.has_passed, verdict.text) == (True, "dial p99 was 1 s at worst, and must be < 2 s")


def test_a_second_without_a_measurement_neither_ends_a_row_nor_makes_one() -> None:
    assert watched("dial p99 < 2s for 3s", [SLOW, NOTHING, NOTHING, NOTHING])[1] == [False] * 4
    assert watched("dial p99 < 2s for 3s", [SLOW, NOTHING, SLOW])[1] == [False, False, True]
    assert watched("dial p99 < 2s for 3s", [NOTHING, NOTHING, SLOW])[1] == [False] * 3
    assert watched("dial p99 < 2s for 3s", [SLOW, NOTHING, QUICK, SLOW, SLOW])[1] == [False] * 5


def test_a_second_is_as_long_as_it_took() -> None:
    assert watched("dial p99 < 2s for 3s", [SLOW] * 4, took_s=1.5)[1] == [False, True, True, True]
    assert watched("dial p99 < 2s for 3s", [SLOW] * 4, took_s=0.75)[1] == [False, False, False, True]


def test_each_series_has_its_own_row() -> None:
    one = {"dial": [3_000], "answer": [1]}
    other = {"dial": [1], "answer": [4_000]}
    assert watched("* p99 < 2s for 2s", [one, other, one, other])[1] == [False] * 4
    watch, ends = watched("* p99 < 2s for 2s", [one, other, other])
    assert ends == [False, False, True]
    assert watch.verdict(steps(dial=[1], answer=[1])).text == (
        "* p99 was 4 s at worst in outgoing/answer, and must be < 2 s: it was not for 2 s in a row"
    )


def test_a_row_stays_as_it_was_when_it_ended_the_load() -> None:
    watch, _ = watched("dial p99 < 2s for 2s", [SLOW, SLOW, {"dial": [9_000]}, SLOW])
    assert watch.is_crossed
    assert watch.verdict(steps(dial=[9_000])).text.endswith(
        "was 3 s at worst, and must be < 2 s: it was not for 2 s in a row"
    )


def test_a_rate_is_watched_too() -> None:
    watch = Watch(parse("rate >= 10/s for 2s"))
    assert [watch.feed(parts(outgoing=Part(started))) for started in (10, 9, 8)] == [False, False, True]
    assert watch.verdict(parts(3.0, outgoing=Part(27))).text == (
        "rate was 8/s at worst, and must be >= 10/s: it was not for 2 s in a row"
    )


@pytest.mark.parametrize(
    ("text", "whole", "why"),
    [
        (
            "dail p99 < 2s for 3s",
            steps(dial=[1]),
            "dail p99 was not measured: nothing is called so; the nearest is outgoing/dial",
        ),
        ("dial p99 < baseline for 3s", steps(dial=[1]), "dial p99 was 1 ms, and there is no baseline to compare with"),
    ],
)
def test_a_watch_that_could_not_judge_has_not_passed(text: str, whole: Counted, why: str) -> None:
    watch, ends = watched(text, [SLOW] * 5)
    assert not any(ends)
    assert (watch.verdict(whole).has_passed, watch.verdict(whole).text) == (False, why)


def test_one_series_that_cannot_be_judged_is_told_unless_another_has_crossed() -> None:
    def verdict(seconds: int) -> Verdict:
        watch = Watch(parse("* p99 < baseline +10% for 3s"), steps(dial=[100]))
        now = steps(dial=[200], answer=[1])
        for _ in range(seconds):
            watch.feed(now)
        return watch.verdict(now)

    assert verdict(2).text.endswith("the baseline has nothing of outgoing/answer")
    assert verdict(3).text.endswith("it was not for 3 s in a row")
    assert not verdict(2).has_passed
    assert not verdict(3).has_passed


def test_a_load_that_was_over_before_a_second_is_judged_as_a_whole() -> None:
    assert Watch(parse("dial p99 < 2s for 3s")).verdict(steps(dial=[1])).has_passed
    assert not Watch(parse("dial p99 < 2s for 3s")).verdict(steps(dial=[3_000])).has_passed


OPERATORS = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "==": int.__eq__, "!=": int.__ne__}


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.sampled_from(sorted(OPERATORS)), st.integers(0, 50))
def test_it_holds_if_it_holds_for_each(durations: list[int], operator: str, limit: int) -> None:
    figures = steps(**{f"step{number}": [each] for number, each in enumerate(durations)})
    verdict = judge(parse(f"* max {operator} {limit}ms"), figures)
    assert verdict.has_passed is all(OPERATORS[operator](each, limit) for each in durations)
    worst = durations[int(verdict.series.removeprefix("outgoing/step"))]
    assert verdict.measured == worst * MS
    assert OPERATORS[operator](worst, limit) is verdict.has_passed


@given(st.lists(st.sampled_from([None, 1, 3]), max_size=40), st.integers(1, 5))
def test_a_watch_ends_with_the_first_row_that_is_long_enough(seconds: list[int | None], lasting: int) -> None:
    watch, began, ends = Watch(parse(f"dial max < 2ms for {lasting}s")), None, False
    for second, ms in enumerate(seconds):
        if ms == 1:
            began = None
        elif ms == 3:
            began = second if began is None else began
            ends = ends or second + 1 - began >= lasting
        assert watch.feed(steps(dial=[] if ms is None else [ms])) is ends
