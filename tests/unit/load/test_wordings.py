"""What is left of a text without what is of one conversation only."""

from __future__ import annotations

import pytest

from antiphon.load.wordings import is_unique, without_ids


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seat 12 is taken", "seat … is taken"),
        ("call-8483 is over", "… is over"),
        ("no 'workitem 7' here", "no '…' here"),
        ("it is 'held' now", "it is 'held' now"),
        ("6ba7b810-9dad-11d1-80b4-00c04fd430c8 is gone", "… is gone"),
        ("waited 5.000 s, then 312 ms", "waited …, then …"),
        ("127.0.0.1:45123 refused", "127.0.0.1:… refused"),
        ("http://127.0.0.1:8080/calls/890/record", "http://127.0.0.1:…/calls/…/record"),
        ("at /home/a/calls.py:12 it was 12", "at calls.py:12 it was …"),
        ("0x7f3ab00 and deadbeef99", "… and …"),
        ("two\n  lines", "two lines"),
        ("-5 of 1,000,000 and 2.5", "… of … and …"),
        ("", ""),
    ],
)
def test_what_is_unique_is_left_out(text: str, told: str) -> None:
    assert without_ids(text) == told


def test_numbers_that_mean_something_are_kept() -> None:
    assert without_ids("answered 503 to 17, wanted 200", [503, 200]) == "answered 503 to …, wanted 200"


@pytest.mark.parametrize(
    ("text", "expected"), [("connected", False), ("call-1", True), ("a" * 41, True), ("", False), ("½", False)]
)
def test_a_word_is_not_unique(text: str, expected: bool) -> None:
    assert is_unique(text) is expected
