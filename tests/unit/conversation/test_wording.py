"""How values, durations and counts are put into words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon.conversation.wording import (
    beginning,
    counted,
    cut,
    cut_middle,
    one_line,
    seconds,
    shorten,
    visible_json,
    visible_lines,
)


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0 ms"),
        (1, "0 ms"),
        (312_400_000, "312 ms"),
        (999_499_999, "999 ms"),
        (999_500_000, "1.000 s"),
        (61e9, "61.000 s"),
    ],
)
def test_a_duration(duration_ns: int, text: str) -> None:
    assert seconds(duration_ns) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 items"), (1, "1 item"), (2, "2 items")])
def test_a_count(number: int, text: str) -> None:
    assert counted(number, "item") == text


def test_a_text_is_cut_at_its_end_to_the_very_character() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 5) == "abcd…"


def test_a_value_is_cut_in_its_middle() -> None:
    assert cut_middle("abcdefg", 7) == "abcdefg"
    assert cut_middle("abcdefg", 5) == "ab…fg"


def test_white_space_of_any_kind_becomes_single_blanks() -> None:
    assert one_line(" a\n\tb\u2028c  d ") == "a b c d"
    assert one_line("x" * 201) == "x" * 199 + "…"
    assert one_line("x" * 201, None) == "x" * 201


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "'a'"), ("x" * 100, "'xxxx…xxxx'"), (b"y" * 100, "b'yyy…yyyy'"), (Broken(), "<Brok…rror>")],
)
def test_any_value_can_be_shortened(value: Any, text: str) -> None:
    assert shorten(value, 11) == text


def test_a_json_document_stays_one_when_it_is_made_visible() -> None:
    text = "\x1b\x9b\x7f\u202e\u2028\ufeff\U000e0001 é\n\t\r"
    document = json.dumps({text: [text]}, ensure_ascii=False, indent=1)

    shown = visible_json(document)

    assert json.loads(shown) == {text: [text]}
    assert visible_lines(shown) == shown
    assert "é" in shown


def test_the_line_breaks_of_a_text_of_lines_stay() -> None:
    assert visible_lines("a\nb\x07\r\n") == "a\nb\\x07\\r\n"


LOOPED: list[Any] = [1]
LOOPED.append({"a": LOOPED})


@pytest.mark.parametrize(
    "value",
    [
        *([], (), {}, set(), (1,), [1, (2, {3}), {"a": None, 4: b"b"}], LOOPED, 5, "it's", b"x", frozenset({1}), 1.5),
        *(list(range(300)), {n: [{}] for n in range(300)}, "long" * 100, b"long" * 100, [["deep" * 100] * 9]),
    ],
)
@pytest.mark.parametrize("limit", [8, 60, 10_000])
def test_a_beginning_is_that_of_what_python_says(value: Any, limit: int) -> None:
    assert beginning(value, limit) == cut(repr(value), limit)


def test_a_beginning_looks_at_no_more_than_it_tells() -> None:
    class Asked:
        times = 0

        def __repr__(self) -> str:
            Asked.times += 1
            return "asked"

    assert beginning([[Asked() for _ in range(1_000)] for _ in range(1_000)], 40).endswith("asked, as…")
    assert Asked.times <= 8


def test_a_beginning_of_what_cannot_be_shown() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise ValueError

    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert beginning({"a": Mute(), "b": 1}, 80) == "{'a': <Mute, which cannot be shown: ValueError>, 'b': 1}"
    assert beginning(nested, 20) == "[" * 19 + "…"
