"""What is counted of entries that a conversation leaves beside its steps and waits."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from antiphon.actor.http_exchange import HttpAnswer, PerformedExchange
from antiphon.conversation.message import Message, Unreadable
from antiphon.journal import ChannelOpened, Deferred, Note, TimerStopped
from antiphon.journal.figures import Second
from antiphon.load.meter import Meter
from antiphon.load.metered_journal import MeteredJournal


def measured(*recorded: Any) -> Second:
    meter = Meter()
    journal = MeteredJournal(meter.measuring("calls"))
    for each in recorded:
        journal.record(each)
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
    (item,) = measured(exchange(status)).series.items()
    name, figures = item
    assert (name, figures.kind, figures.sum_us, figures.errors) == ("calls/GET /calls/*", "http", 2_000, errors)


def test_a_channel_that_we_opened_and_one_that_the_peer_opened() -> None:
    opened = [
        ChannelOpened(at_ns=9, actor="alice", channel="desk", address="ws://h", took_ns=3_000_000),
        ChannelOpened(at_ns=9, actor="server", channel="line", address=""),
    ]
    series = measured(*opened).series
    assert {name: (each.kind, each.sum_us) for name, each in series.items()} == {"calls/alice.desk": ("connect", 3_000)}


def test_a_timer() -> None:
    (item,) = measured(TimerStopped(at_ns=9, name="delivery", took_ns=4_500)).series.items()
    assert (item[0], item[1].kind, item[1].sum_us) == ("calls/delivery", "timer", 4)


def message(raw: str | bytes, **fields: Any) -> Message:
    return Message("m", {}, raw, **fields)


def test_messages_are_counted_with_the_bytes_that_were_sent() -> None:
    traffic = measured(
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
