"""How a connection ended, in words and as a value."""

from __future__ import annotations

import pytest

from antiphon.conversation.ending import Ending


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (Ending(), "the connection broke"),
        (Ending(1006), "the connection broke with code 1006"),
        (Ending(1000, by="peer", is_clean=True), "the peer closed the connection with code 1000"),
        (Ending(1011, "out of\ncoffee", by="peer"), "the peer closed the connection with code 1011 'out of\\ncoffee'"),
        (Ending(1007, by="us", detail="invalid UTF-8"), "we closed the connection with code 1007: invalid UTF-8"),
        (Ending(0), "the connection broke with code 0"),
    ],
)
def test_an_ending_tells_by_whom_and_why(ending: Ending, text: str) -> None:
    assert str(ending) == text


def test_endings_are_equal_by_value() -> None:
    assert Ending(1000, by="peer") == Ending(1000, by="peer")
    assert Ending(1000) != Ending(1001)
