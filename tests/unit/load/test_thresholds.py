"""The sentences of what must hold: how they are read, written, and pointed at where they cannot be read."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.errors import ScenarioError
from antiphon.load.thresholds import Amount, Baseline, Threshold, parse


def amount(text: str) -> Amount:
    number, unit = re.fullmatch(r"([-0-9.]+)(.*)", text).groups()  # type: ignore[union-attr]
    return Amount(Decimal(number), unit)


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("outbound_call p95 < 800ms", Threshold("p95", "<", amount("800ms"), "outbound_call")),
        ("outbound_call p95<800ms", Threshold("p95", "<", amount("800ms"), "outbound_call")),
        ("  outbound_call   p(95)  <  800  ms ", Threshold("p95", "<", amount("800ms"), "outbound_call")),
        ("outbound_call p99.9 <= 1.5s", Threshold("p99.9", "<=", amount("1.5s"), "outbound_call")),
        ("outbound_call p(99.9)<=1.50s", Threshold("p99.9", "<=", amount("1.5s"), "outbound_call")),
        ("outgoing/* p100 < 1min", Threshold("p100", "<", amount("1min"), "outgoing/*")),
        ("* p50 < 1m", Threshold("p50", "<", amount("1min"), "*")),
        ("dial max < 250us", Threshold("max", "<", amount("250us"), "dial")),
        ("dial max < 250µs", Threshold("max", "<", amount("250us"), "dial")),
        ("outgoing max < 2h", Threshold("max", "<", amount("2h"), "outgoing")),
        ("dial min > 1ms", Threshold("min", ">", amount("1ms"), "dial")),
        ("outbound_call mean < 300ms", Threshold("mean", "<", amount("300ms"), "outbound_call")),
        ("count >= 100", Threshold("count", ">=", amount("100"))),
        ("hang_up count != 0", Threshold("count", "!=", amount("0"), "hang_up")),
        ("errors < 1%", Threshold("errors", "<", amount("1%"))),
        ("errors == 0", Threshold("errors", "==", amount("0"))),
        ("errors[DeadlinePassed] == 0", Threshold("errors", "==", amount("0"), kind="DeadlinePassed")),
        ("errors [ Connect* ] < 0.1 %", Threshold("errors", "<", amount("0.1%"), kind="Connect*")),
        (
            "errors[waited * for newRtc where state='held'] == 0",
            Threshold("errors", "==", amount("0"), kind="waited * for newRtc where state='held'"),
        ),
        (r'errors["items[0] is \"a\\b\""] == 0', Threshold("errors", "==", amount("0"), kind='items[0] is "a\\b"')),
        ("errors['DeadlinePased'] == 0", Threshold("errors", "==", amount("0"), kind="DeadlinePased")),
        ("errors[TimeoutError] == 0", Threshold("errors", "==", amount("0"), kind="TimeoutError")),
        ("outgoing/outbound_call errors < 0.5%", Threshold("errors", "<", amount("0.5%"), "outgoing/outbound_call")),
        ("rate > 19/s", Threshold("rate", ">", amount("19/s"))),
        ("outgoing rate > 90 / min", Threshold("rate", ">", amount("90/min"), "outgoing")),
        ("rate>1000/h", Threshold("rate", ">", amount("1000/h"))),
        ("late < 1%", Threshold("late", "<", amount("1%"))),
        ("late == 0", Threshold("late", "==", amount("0"))),
        ("'POST /login' p95 < 1s", Threshold("p95", "<", amount("1s"), "POST /login")),
        ("rate p95 < 1s", Threshold("p95", "<", amount("1s"), "rate")),
        ("errors errors < 1 for 5s", Threshold("errors", "<", amount("1"), "errors", lasting=amount("5s"))),
        ("dial p99 < 2s for 30s", Threshold("p99", "<", amount("2s"), "dial", lasting=amount("30s"))),
        ("dial p99 < baseline", Threshold("p99", "<", Baseline(), "dial")),
        ("dial p95 < baseline +10%", Threshold("p95", "<", Baseline(amount("10%")), "dial")),
        ("dial p95 < baseline + 20ms", Threshold("p95", "<", Baseline(amount("20ms")), "dial")),
        (
            "dial p95<baseline-20ms for 1 min",
            Threshold("p95", "<", Baseline(amount("-20ms")), "dial", "", amount("1min")),
        ),
        ("errors <= baseline +0.5%", Threshold("errors", "<=", Baseline(amount("0.5%")))),
        ("rate >= baseline - 2/s", Threshold("rate", ">=", Baseline(amount("-2/s")))),
        ("count >= baseline - 5", Threshold("count", ">=", Baseline(amount("-5")))),
        ("count >= baseline - 5%", Threshold("count", ">=", Baseline(amount("-5%")))),
    ],
)
def test_a_sentence_is_read(text: str, threshold: Threshold) -> None:
    assert parse(text) == threshold
    assert parse(str(threshold)) == threshold


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (" dial   p(95)<800 ms", "dial p95 < 800ms"),
        ("errors[ DeadlinePassed ]==0", "errors[DeadlinePassed] == 0"),
        ("'POST /login' p95 < 1s for 5 s", '"POST /login" p95 < 1s for 5s'),
        ("'dial' errors['DeadlinePassed'] < 1%", "dial errors[DeadlinePassed] < 1%"),
        ('errors["DeadlinePased"] == 0', 'errors["DeadlinePased"] == 0'),
        ("dial p95 < baseline - 20 ms", "dial p95 < baseline -20ms"),
        ("dial p95 < baseline + 0%", "dial p95 < baseline +0%"),
        ("rate >= baseline", "rate >= baseline"),
    ],
)
def test_it_is_written_in_one_way(text: str, written: str) -> None:
    assert str(parse(text)) == written


def test_what_its_parts_mean() -> None:
    assert [parse(f"rate > {text}").limit.value for text in ("19/s", "90/min", "1800/h")] == [  # type: ignore[union-attr]
        19,
        Fraction(3, 2),
        Fraction(1, 2),
    ]
    assert amount("1.5ms").value == 1_500
    assert amount("2h").value == 7_200_000_000
    assert amount("0.3%").value == Fraction(3, 10)
    assert parse("dial p99.9 < 1s").percentile == 99.9
    assert parse("dial mean < 1s").percentile is None
    assert parse("dial errors[X] < 1%").subject == "dial errors[X]"


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("dial p95 < 1s", "duration"),
        ("dial p95 < baseline +10%", "duration"),
        ("errors < 1", "count"),
        ("errors < 1%", "share"),
        ("errors < baseline", "share"),
        ("late < baseline", "share"),
        ("count > baseline", "count"),
        ("rate > baseline", "rate"),
    ],
)
def test_what_is_compared(text: str, quantity: str) -> None:
    assert parse(text).quantity == quantity


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("^< 3", "a name or a measure was expected here", "as outbound_call p95 < 800ms"),
        ("dial p95^", "an operator was expected here", "one of < <= > >= == !="),
        ("dial ^< 800ms", "a measure of 'dial' was expected here", "one of p50, p95, p99, mean"),
        ("'a b' ^< 3", "a measure of 'a b' was expected here", "rate or late"),
        ("'errors' ^< 3", "a measure of 'errors' was expected here", "one of p50"),
        ("^erors < 1%", "a measure was expected here", "did you mean errors?"),
        ("dial ^avg < 1s", "a measure was expected here", "did you mean mean?"),
        ("dial ^median < 1s", "a measure was expected here", "did you mean p50?"),
        ("outgoing/POST ^/login p95 < 1s", "a measure was expected here", "a name with blanks in it stands in quotes"),
        ("^p95 < 800ms", "a name was expected before p95", "as outbound_call p95"),
        ("^max < 800ms", "a name was expected before max", "as outbound_call max"),
        ("dial ^p101 < 1s", "a percentile is from 0 to 100", "p99.9"),
        ("dial p95 ^= 800ms", "an operator was expected here", "did you mean ==?"),
        ("dial p95 ^=< 800ms", "an operator was expected here", "did you mean <=?"),
        ("dial p95 ^<> 800ms", "an operator was expected here", "did you mean !=?"),
        ("dial p95 ^is 800ms", "an operator was expected here", "one of < <="),
        ("dial p95 < 800^", "a unit was expected here", "a number with us, ms, s, min or h"),
        ("dial p95 < 800^mss", "a unit was expected here", "did you mean ms?"),
        ("rate > 19^", "a unit was expected here", "a number with /s, /min or /h"),
        ("rate > 19^/sek", "a unit was expected here", "did you mean /s?"),
        ("rate > 19^ms", "a unit was expected here", "a number with /s, /min or /h"),
        ("errors < 1^s", "this is no unit here", "a number with %, or without a unit"),
        ("count > 5^%", "this is no unit here", "a number without a unit, as 100"),
        ("errors < baseline + 3^", "a unit was expected here", "a number with %"),
        ("dial p95 < baseline +10^", "a unit was expected here", "a number with us, ms, s, min, h or %"),
        ("dial p95 < ^-3ms", "a number was expected here", "a number with us"),
        ("dial p95 <^", "a number was expected here", "a number with us"),
        ("dial p95 < ^basline", "a number or baseline was expected here", "did you mean baseline?"),
        ("dial p95 < ^fast", "a number or baseline was expected here", "as 800ms, or baseline +10%"),
        ("errors < ^few", "a number or baseline was expected here", "as 1%, or"),
        ("rate > ^much", "a number or baseline was expected here", "as 19/s, or"),
        ("count > ^many", "a number or baseline was expected here", "as 100, or"),
        ("dial p95 < ^61s", "above 60 s percentiles are not told apart", "max < 90s"),
        ("dial p95 < baseline ^10%", "'10%' was not expected here", "baseline +10% has a sign"),
        ("dial p95 < 1s^, errors == 0", "', errors == 0' was not expected here", "it ends here, or goes on as for 30s"),
        ("late^[X] < 1%", "an operator was expected here", "only errors are of kinds, not late"),
        ("errors[^DeadlinePased] == 0", "there is no error DeadlinePased in antiphon", "did you mean DeadlinePassed?"),
        ("errors[^] == 0", "a class or a cause of errors was expected here", "as errors[DeadlinePassed]"),
        ("errors[X == 0^", "] was expected here", "a cause with ] in it stands in quotes"),
        ("errors['X' ^Y] == 0", "] was expected here", "as errors[DeadlinePassed]"),
        ("errors[^'X] == 0", "the quote that begins here has no end", r"\""),
        ("^'' p95 < 3s", "nothing stands in these quotes", "* is any"),
        ("dial p95 < 2s for^", "a number was expected here", "a number with us"),
        ("dial p95 < 2s for ^500ms", "a second or more was expected here", "once a second"),
        ("dial p95 < 2s for 5s ^now", "'now' was not expected here", "it ends here"),
        ("dial p95 < 2s ^while 5s", "'while 5s' was not expected here", "for 30s"),
    ],
)
def test_an_error_points_at_where_something_else_was_expected(text: str, why: str, hint: str) -> None:
    at, text = text.index("^"), text.replace("^", "")
    with pytest.raises(ScenarioError) as caught:
        parse(text, place="plan.py:7")
    first, shown, caret = caught.value.text.split("\n")
    assert first == f"threshold '{text}': {why}"
    assert shown == f"  {text}"
    assert caret == "  " + " " * at + "^"
    assert hint in (caught.value.hint or "")
    assert caught.value.place == "plan.py:7"


@pytest.mark.parametrize("text", ["", "  \t\n"])
def test_nothing_is_no_threshold(text: str) -> None:
    with pytest.raises(ScenarioError, match="threshold '': what must hold is missing"):
        parse(text)


def test_a_misspelt_error_in_quotes_is_taken_as_it_is() -> None:
    assert parse('errors["DeadlinePased"] == 0').kind == "DeadlinePased"
    assert parse("errors[DeadlinePas*] == 0").kind == "DeadlinePas*"


numbers = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True).map(Decimal)
texts = st.one_of(st.from_regex(r"[a-z_*/?]{1,12}", fullmatch=True), st.text(min_size=1, max_size=12))
UNITS = {"duration": ["us", "ms", "s", "min", "h"], "count": [""], "share": ["%"], "rate": ["/s", "/min", "/h"]}


def amounts(*quantities: str) -> st.SearchStrategy[Amount]:
    return st.builds(Amount, numbers, st.sampled_from([unit for each in quantities for unit in UNITS[each]]))


def shifts(*quantities: str) -> st.SearchStrategy[Baseline]:
    def signed(shift: Amount, is_less: bool) -> Baseline:
        return Baseline(Amount(-shift.number if is_less else shift.number, shift.unit))

    return st.one_of(st.just(Baseline()), st.builds(signed, amounts(*quantities), st.booleans()))


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    percentiles = st.from_regex(r"p[0-9]{1,2}(\.[0-9]{1,3})?", fullmatch=True).map(
        lambda text: f"p{Decimal(text[1:]):f}"
    )
    timed = st.one_of(percentiles, st.sampled_from(["mean", "min", "max"]))
    measure = draw(st.one_of(timed, st.sampled_from(["count", "errors", "rate", "late"])))
    plain = {"count": ["count"], "errors": ["count", "share"], "late": ["count", "share"], "rate": ["rate"]}
    quantities = plain.get(measure, ["duration"])
    over_baseline = shifts("share") if "share" in quantities else shifts(*quantities, "share")
    limit: Any = st.one_of(amounts(*quantities), over_baseline)
    if measure.startswith("p"):
        limit = limit.filter(lambda limit: isinstance(limit, Baseline) or limit.value <= 60_000_000)
    is_of_all = measure in plain
    return Threshold(
        measure,
        draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="])),
        draw(limit),
        name=draw(st.one_of(st.just(""), texts) if is_of_all else texts),
        kind=draw(st.one_of(st.just(""), texts)) if measure == "errors" else "",
        lasting=draw(st.one_of(st.none(), amounts("duration").filter(lambda each: each.value >= 1_000_000))),
    )


@given(thresholds())
@example(Threshold("errors", "<", amount("1"), "errors", kind="errors", lasting=amount("1h")))
@example(Threshold("errors", "<", amount("1"), "for", kind='" ]', lasting=amount("1h")))
@example(Threshold("errors", "<", amount("1"), 'a\\"\n', kind="\\"))
@example(Threshold("errors", "<", amount("1"), kind="SendBufferful"))
def test_what_is_written_is_read_as_the_same(threshold: Threshold) -> None:
    assert parse(str(threshold)) == threshold


@given(st.one_of(st.text(max_size=30), st.text("<>=!p95errorsfor 'ms%/[]baseline+-.", max_size=40)))
def test_whatever_is_written_is_a_threshold_or_one_error(text: str) -> None:
    try:
        threshold = parse(text)
    except ScenarioError:
        return
    assert parse(str(threshold)) == threshold
