"""What is of a wrong type is one clear error, at the author's line: not everybody has types checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from antiphon import Run, ScenarioError, scenario
from antiphon import expect as expect_step
from antiphon import send as send_step

Play = Callable[..., Run]

WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "expect": (lambda party: party.expect(5), "a message is known by its name, not by 5"),
    "expect on the channel": (
        lambda party: party.line.expect(b"news"),
        "a message is known by its name, not by b'news'",
    ),
    "expect_none": (lambda party: party.expect_none(5, within_s=1), "a message is known by its name, not by 5"),
    "forbid": (lambda party: party.forbid(5).__enter__(), "a message is known by its name, not by 5"),
    "ignore": (lambda party: party.ignore(5), "a message is known by its name, not by 5"),
    "drain": (lambda party: party.drain(5), "a message is known by its name, not by 5"),
    "send": (lambda party: party.send(5), "a message is known by its name, not by 5"),
    "send nothing": (lambda party: party.send(None), "a message is known by its name, not by None"),
    "ask": (lambda party: party.ask(5), "a message is known by its name, not by 5"),
    "send_data": (lambda party: party.line.send_data(5), "data is text or bytes, not int"),
    "flushed": (lambda party: party.line.flushed(within_s="x"), "within_s is 'x', not a number of seconds"),
    "close": (lambda party: party.close(1000, 5), "the close reason is a text, not 5"),
    "a step that sends": (lambda party: send_step(5, by=party), "a message is known by its name, not by 5"),
    "a step that expects": (lambda party: expect_step(5, by=party), "a message is known by its name, not by 5"),
    "a step by nobody": (lambda _party: send_step("news", by=5), "by= as an actor, its class or a channel, not 5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_of_a_wrong_type_is_told_with_the_line(play_with: Play, party: Any, name: str) -> None:
    do, told = WRONG[name]

    @scenario
    async def wrong(alice: party) -> None:
        made = do(alice)
        if isinstance(made, Awaitable):
            await made

    with pytest.raises(ScenarioError) as failed:
        play_with(wrong)
    assert told in str(failed.value)
    assert "test_wrong_types.py:" in str(failed.value)
