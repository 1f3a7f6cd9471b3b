"""What has happened, in numbers."""

from __future__ import annotations

from antiphon_testbed.counters import Counters
from antiphon_testbed.floor.interactions import Interaction


def test_an_interaction_ends_once() -> None:
    counters = Counters()
    made = Interaction("i-1", user="alice", channel="voice", direction="out", destination="890000002")
    made.enter("created", 1, "alice")
    counters.change(made)
    assert not counters.ended
    made.end("customer", 2)
    for _ in range(3):
        counters.change(made)
    assert counters.ended == {("voice", "out", "customer"): 1}
