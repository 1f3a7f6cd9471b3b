"""How a connection ended, in words and as a value."""

from __future__ import annotations

import pytest

from antiphon.conversation.ending import Ending


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (Ending(), "the connection was lost"),
        (Ending(1006), "the connection was lost without a close frame"),
        (Ending(1000, by="peer", is_clean=True), "the server closed the connection with code 1000"),
        (
            Ending(1011, "out of\ncoffee", by="peer"),
            "the server closed the connection with code 1011 'out of\\ncoffee'",
        ),
        (Ending(1007, by="us", detail="invalid UTF-8"), "we closed the connection with code 1007: invalid UTF-8"),
        (Ending(0), "the connection was lost with code 0"),
    ],
)
def test_an_ending_tells_by_whom_and_why(ending: Ending, text: str) -> None:
    assert str(ending) == text


def test_endings_are_equal_by_value() -> None:
    assert Ending(1000, by="peer") == Ending(1000, by="peer")
    assert Ending(1000) != Ending(1001)


def test_the_other_side_is_called_what_it_is() -> None:
    assert Ending(1000, by="peer").told("the client") == "the client closed the connection with code 1000"
    assert Ending(by="peer", is_half=True).told("the client") == "the client has finished: it says no more"
