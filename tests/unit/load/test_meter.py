"""What is counted of entries that a conversation leaves beside its steps and waits."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from antiphon.actor.http_exchange import HttpAnswer, PerformedExchange
from antiphon.conversation.message import Message, Unreadable
from antiphon.journal import ChannelOpened, Deferred, Note, TimerStopped, WaitEnded, WaitStarted
from antiphon.load.meter import Meter


def folded(*recorded: Any) -> Any:
    meter = Meter()
    meter.fold(meter.measuring("calls"), recorded)
    return meter.take(1)


def exchange(status: int) -> Deferred:
    done = PerformedExchange(
        at_ns=5_000_000,
        actor="alice",
        channel="api",
        step=0,
        number=1,
        method="GET",
        url="http://h/calls/7",
        headers=CIMultiDict(),
        body=None,
        took_ns=2_000_000,
        answer=HttpAnswer(status, CIMultiDict(), (), b"", "utf-8") if status else None,
    )
    return Deferred(done.at_ns, done.exchanged, done)


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (302, 0), (404, 1), (503, 1), (0, 1)])
def test_a_request_over_http(status: int, errors: int) -> None:
    (item,) = folded(exchange(status)).series.items()
    name, figures = item
    assert (name, figures.kind, figures.sum_us, figures.errors) == ("calls/GET /calls/*", "http", 2_000, errors)


def test_a_channel_that_we_opened_and_one_that_the_peer_opened() -> None:
    opened = [
        ChannelOpened(at_ns=9, actor="alice", channel="desk", address="ws://h", took_ns=3_000_000),
        ChannelOpened(at_ns=9, actor="server", channel="line", address=""),
    ]
    series = folded(*opened).series
    assert {name: (each.kind, each.sum_us) for name, each in series.items()} == {"calls/alice.desk": ("connect", 3_000)}


def test_a_timer() -> None:
    (item,) = folded(TimerStopped(at_ns=9, name="delivery", took_ns=4_500)).series.items()
    assert (item[0], item[1].kind, item[1].sum_us) == ("calls/delivery", "timer", 4)


def message(raw: str | bytes, **fields: Any) -> Message:
    return Message("m", {}, raw, **fields)


def test_messages_are_counted_with_the_bytes_that_were_sent() -> None:
    traffic = folded(
        message("abc", is_sent=True),
        message("é", is_sent=True),
        message(b"\xff\xfe", is_sent=True),
        message("whole", is_sent=True, frames=["wh", b"ole!"]),
        message("in a batch", is_sent=True, frames=()),
        message("ping", is_sent=True, is_protocol=True),
        message("x" * 10),
        Unreadable("unreadable", b"\xff", b"\xff"),
        Note(at_ns=1, text="nothing"),
    ).traffic
    assert (traffic.sent, traffic.sent_bytes) == (5, 3 + 2 + 2 + 6)
    assert (traffic.received, traffic.received_bytes) == (2, 11)


def test_the_end_of_a_wait_that_nobody_knows_is_nothing() -> None:
    assert folded(WaitEnded(at_ns=1, number=7, outcome="satisfied")).series == {}


def test_a_wait_that_was_written_down_counts_as_any_other() -> None:
    begun = WaitStarted(
        at_ns=1_000, number=1, actor="a", channel="c", awaits="reply", step=0, deadline_ns=None, source="", name="call"
    )
    series = folded(begun, WaitEnded(at_ns=8_000, number=1, outcome="failed", error="RequestRefused")).series
    assert {name: (each.kind, each.sum_us, each.errors) for name, each in series.items()} == {
        "calls/call": ("ask", 7, 1)
    }
