"""What a master and its workers say to each other, and that to look at it patches nothing."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest

import antiphon.locust
from antiphon.journal.figures import ConversationKept, PartFigures, Second
from antiphon.load.engine import Snapshot
from antiphon.locust.messages import Begin, Clock, Drain, Hello, Lost, Told, read

SECOND = Second(at_ns=10**9, from_ns=0, parts={"calls": PartFigures(asked=2.0, started=3)})
KEPT = ConversationKept(
    at_ns=1,
    conversation="calls-1",
    part="calls",
    number=1,
    why="slowest",
    directory="conversations/calls-1",
    due_ns=0,
    started_ns=0,
    took_us=5,
    parameters={"telephone": "890000002", "of": [1, None]},
)


@pytest.mark.parametrize(
    "said",
    [
        Hello("1.0", {"parts": [{"name": "calls"}]}, engines=2, cpus=8),
        Begin("r", seed=3, seats=[4, 5], of=997),
        Begin("r", seed=3, seats=[], of=2, at=1_700_000_000.25),
        Clock(1.5, 2.5),
        Drain("r", 30.0),
        Lost("r", 4, "it ended"),
        Told("r", [Snapshot(SECOND, [KEPT], is_over=False, problems={"late": 1})], {"a/b": b"\x00\xff\n"}),
    ],
)
def test_what_is_said_is_heard(said: Any) -> None:
    heard = read(msgspec.json.encode(said))
    assert type(heard) is type(said)
    assert msgspec.to_builtins(heard) == msgspec.to_builtins(said)  # entries of a record are equal to themselves alone


def test_only_who_asks_for_users_imports_locust() -> None:
    assert "locust" not in sys.modules
    assert "gevent" not in sys.modules
    with pytest.raises(AttributeError, match="no attribute 'user'"):
        antiphon.locust.user
