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
        (
            Ending(1007, by="us", detail="invalid UTF-8"),
            "the server broke the protocol, so we closed the connection with code 1007: invalid UTF-8",
        ),
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


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (Ending(1006), "was lost without a close frame"),
        (Ending(4000, "out", by="peer"), "was closed by the server with code 4000 'out'"),
        (Ending(1000, by="us"), "was closed by us with code 1000"),
        (Ending(1002, by="us", detail="x"), "broke off, since the server broke the protocol, with code 1002: x"),
        (Ending(by="peer", is_half=True), "is half closed: the server has finished: it says no more"),
    ],
)
def test_the_same_is_said_of_a_channel(ending: Ending, told: str) -> None:
    assert ending.told_of_channel("the server") == told


def test_it_is_told_on_one_line_however_much_was_said() -> None:
    ending = Ending(14, "busy\n" * 5_000, "peer", "UNAVAILABLE: a\n  hint: b" + "x" * 50_000)
    for told in (ending.told("the server"), ending.told_of_channel("the server"), str(ending)):
        assert "\n" not in told
        assert len(told) < 2_000
