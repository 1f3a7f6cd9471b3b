"""Differences as a person reads them: short ones on a line, long ones so that the eye finds the place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.difference_text import difference_lines, kind_of_difference
from antiphon.conversation.match import Difference, describe, differences
from antiphon.errors import plain_line


def same(text: str) -> str:
    return text


def lines(wanted: Any, found: Any) -> list[str]:
    return [plain_line(line) for line in difference_lines(differences(wanted, found), same)]


def test_a_short_difference_is_a_line() -> None:
    assert lines({"call": {"state": "held"}}, {"call": {"state": "ended"}}) == ["call.state is 'ended', wanted 'held'"]
    assert lines({"state": "held"}, {}) == ["state is not there, wanted 'held'"]


def test_a_long_difference_has_its_parts_below_each_other() -> None:
    one, other = list(range(100, 120)), list(range(200, 220))
    assert lines({"numbers": {"of": one}}, {"numbers": other}) == [
        "numbers",
        f"  is      {other}",
        f"  wanted  {{of: {one}}}",
    ]


def test_a_predicate_that_raises_on_a_long_value_says_why() -> None:
    def is_short(value: Any) -> bool:
        return bool(value.length < 5)

    first, *rest = lines({"text": is_short}, {"text": {"words": "word " * 30}})
    assert first == "text (AttributeError: 'dict' object has no attribute 'length')"
    assert rest[1] == "  wanted  what is_short accepts"


def test_a_missing_field_stays_on_a_line_however_long_what_was_wanted_is() -> None:
    (line,) = lines({"sdp": "v=0 " * 50}, {})
    assert line.startswith("sdp is not there, wanted 'v=0 ")


def test_long_texts_are_shown_from_where_they_differ() -> None:
    text = "v=0\r\n" * 100
    assert lines({"sdp": text + "a=setup:active" + text}, {"sdp": text + "a=setup:actpass" + text}) == [
        "sdp differs from character 511 on",
        f"  is      {'…' + text[-1:] + 'a=setup:actpass' + text[:56] + '…'!r}",
        f"  wanted  {'…' + text[-1:] + 'a=setup:active' + text[:57] + '…'!r}",
    ]
    shorter, longer = "a" * 70, "a" * 75
    assert lines(shorter, longer)[0] == "the body differs from character 70 on"
    assert lines("b" * 70, "a" * 70)[1] == f"  is      {'a' * 60 + '…'!r}"


def test_without_a_mask_nothing_is_cut_out_of_the_middle() -> None:
    """A secret that is cut at both ends is not known again."""
    secret = "".join(map(chr, range(65, 91))) * 10
    found = differences({"key": "x" + secret}, {"key": "x" + secret[:130] + "other" + secret[130:]})
    assert plain_line(difference_lines(found)[0]) == "key"
    shown = difference_lines(found, lambda text: text.replace(secret[10:], "***").replace(secret[:130], "***"))
    masked = [plain_line(line) for line in shown]
    assert masked[0] == "key differs from character 131 on"
    assert "***" in masked[1]
    assert secret[100:130] not in "".join(masked)


def test_of_lists_of_different_lengths_the_odd_items_are_told() -> None:
    parties = [{"role": "agent", "name": "bob"}, {"role": "customer", "name": "890"}, {"role": "listener"}]
    assert lines({"parties": [{"role": "agent"}, {"role": "customer"}]}, {"parties": parties}) == [
        "parties has 3 items, wanted 2",
        "  too many  [2] {'role': 'listener'}",
    ]
    assert lines([{"role": "agent"}, {"role": "supervisor"}], parties[:1]) == [
        "the body has 1 item, wanted 2",
        "  missing   {role: supervisor}".replace("supervisor", "'supervisor'"),
    ]
    assert lines([1, 2, 3, 4], [0, 2, 4]) == [
        "the body has 3 items, wanted 4",
        "  missing   1",
        "  missing   3",
        "  too many  [0] 0",
    ]


def test_many_odd_items_are_counted_and_very_many_are_not_compared() -> None:
    told_of = lines([], list(range(30)))
    assert told_of[0] == "the body has 30 items, wanted 0"
    assert told_of[1] == "  too many  [0] 0"
    assert told_of[-1] == "  and 24 more that do not fit"
    assert lines([], list(range(300)))[0] == "the body (300 items instead of 0)"


@pytest.mark.parametrize("count", [7, 50])
def test_many_differences_are_counted(count: int) -> None:
    names = {f"f{number}": number for number in range(count)}
    told_of = lines(names, {})
    assert told_of[-1] == f"and {count - 6} more differences"
    assert len(told_of) == 7


VALUES = st.recursive(
    st.none()
    | st.integers(0, 3)
    | st.text(max_size=9)
    | st.builds(lambda text, n: text * n, st.text(), st.integers(9, 99)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda item, n: [item] * n, inner, st.integers(0, 45))
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(wanted=VALUES, found=VALUES)
def test_whatever_differs_is_told_in_few_lines(wanted: Any, found: Any) -> None:
    misfits = differences(wanted, found)
    told_of = lines(wanted, found)
    assert bool(told_of) == bool(misfits)
    assert len(told_of) <= 16
    assert all(len(line) <= 410 and len(line.splitlines()) == 1 for line in told_of)


@pytest.mark.parametrize(
    ("wanted", "found", "kind"),
    [
        ("lobby", "lobby ", "a blank at the end"),
        ("lobby", " lobby", "a blank at the beginning"),
        ("lobby ", "lobby", "no blank at the end"),
        (" lobby", "lobby", "no blank at the beginning"),
        ("a b", "a  b", "differs in blanks"),
        ("Lobby", "lobby", "differs in case"),
        ("abc", "cba", "reversed"),
        ("one two", "two one", "the same words in another order"),
        ("é", "e\u0301", "the same to the eye, in other characters"),
        ("4858", 4858, "a number, not text"),
        (4858, "4858", "text, not a number"),
        (1.5, "1.5", "text, not a number"),
        (True, "true", "text, not a boolean"),
        ("false", False, "a boolean, not text"),
        (None, "null", "text, not null"),
        ("None", None, "null, not text"),
        (4858, "4859", ""),
        (4858, "x", ""),
        (True, "yes", ""),
        ("held", "ready", ""),
        ("", "x", ""),
        (1, 2, ""),
        ("x", [1], ""),
    ],
)
def test_a_difference_that_is_easily_overlooked_is_named(wanted: Any, found: Any, kind: str) -> None:
    assert kind_of_difference(wanted, found) == kind
    (line,) = difference_lines([Difference("f", wanted, found)])
    assert plain_line(line).endswith(f" ({kind})" if kind else "wanted " + describe(wanted))


def test_items_in_another_order_are_one_difference() -> None:
    found = differences({"words": ["a", "b", "c"], "n": 1}, {"words": ["a", "c", "b"], "n": 2})
    assert [plain_line(line) for line in difference_lines(found)] == [
        "words is ['c', 'b'], wanted ['b', 'c'] (the same items in another order)",
        "n is 2, wanted 1",
    ]
    twice = differences({"words": ["a", "b"]}, {"words": ["b", "b"]})
    assert [plain_line(line) for line in difference_lines(twice)] == ["words[0] is 'b', wanted 'a'"]
    more_of_one = differences({"words": ["b", "b", "c"]}, {"words": ["c", "c", "b"]})
    assert len(difference_lines(more_of_one)) == 3
    other = differences({"words": ["a", "b"]}, {"words": ["b", "c"]})
    assert len(difference_lines(other)) == 2
    more = differences({"words": ["a", "b"]}, {"words": ["b", "a"]})
    assert len(difference_lines(more)) == 1
