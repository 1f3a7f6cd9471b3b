"""A channel, handler or action of an actor may not hide a word that every actor has."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import Actor, Json, ScenarioError, WebSocket, action, on


def test_a_handler_that_would_hide_a_word_is_an_error_with_its_place() -> None:
    with pytest.raises(ScenarioError, match=r"the handler Desk\.answer would hide the answer that every actor") as told:

        class Desk(Actor):
            @on("ping")
            def answer(self, ping: Any) -> None: ...

    assert "test_words.py:" in str(told.value)
    assert told.value.hint == "give it another name: answer_…"


def test_so_is_an_action() -> None:
    with pytest.raises(ScenarioError, match=r"the action Desk\.ask would hide the ask") as told:

        class Desk(Actor):
            @action
            async def ask(self) -> None: ...  # type: ignore[override]

    assert "test_words.py:" in str(told.value)


def test_so_is_a_channel_and_what_takes_the_actors_name() -> None:
    with pytest.raises(ScenarioError, match=r"the channel Desk\.channel would hide"):

        class Desk(Actor):
            channel = WebSocket("ws://centre", dialect=Json(name="n"))  # type: ignore[assignment]

    with pytest.raises(ScenarioError, match=r"the action Table\.name would hide"):

        class Table(Actor):
            @action
            async def name(self) -> None: ...  # type: ignore[override]


def test_what_there_is_to_be_defined_may_be_anything() -> None:
    class Desk(Actor):
        @action
        async def arrive(self) -> None: ...  # type: ignore[override]

        @on.closed
        def leave(self, ending: Any) -> None: ...  # type: ignore[override]

        @on("ping")
        def _channel_is_busy(self, ping: Any) -> None: ...

        @action
        async def mro(self) -> None: ...

    assert Desk._reactions.keys() == {"leave", "_channel_is_busy"}


def test_a_plain_method_may_say_more_before_what_it_overrides() -> None:
    class Desk(Actor):
        def send(self, name: object, body: Any = None, /, **fields: Any) -> None:
            super().send(name, body, **fields, sent_by="desk")

    assert Desk.send is not Actor.send
