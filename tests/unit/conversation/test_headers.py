"""Headers have no case, and their lines are joined where they may be."""

from __future__ import annotations

from multidict import CIMultiDict

from antiphon.conversation.headers import combine, single_lines

LINES = [("X-A", "1"), ("Set-Cookie", "a=1, b"), ("x-a", "2"), ("Cookie", "a=1"), ("set-cookie", "c"), ("COOKIE", "b")]


def test_lines_of_one_name_are_one_list() -> None:
    headers = combine(LINES)
    assert (headers["X-A"], headers["cookie"]) == ("1, 2", "a=1; b")
    assert headers.getall("SET-COOKIE") == ["a=1, b", "c"]
    assert "x-b" not in headers


def test_what_is_combined_is_combined_no_further() -> None:
    assert combine(combine(LINES).items()) == combine(LINES)


def test_as_plain_data() -> None:
    assert single_lines(CIMultiDict(LINES)) == {"x-a": "1, 2", "set-cookie": "a=1, b, c", "COOKIE": "a=1; b"}
    assert single_lines({}) == {}


def test_a_thousand_lines_of_one_name_are_joined_once() -> None:
    assert len(combine([("a", "x")] * 10_000)["A"]) == 10_000 + 2 * 9_999
