"""The report "mermaid": a sequence diagram as text, by Mermaid's grammar as far as it is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from antiphon import journal
from antiphon.report.formats.mermaid import write_mermaid

LABEL = r"(?:[^#;:<>&`\"'%{}\[\]()|\\\n+-]|#\d+;)+"
GRAMMAR = re.compile(
    rf"    (?:(?:actor|participant) [AP]\d+ as {LABEL}|Note over [AP]\d+(?:,[AP]\d+)?: {LABEL}"
    rf"|[AP]\d+(?:->>|-->>|--x)[AP]\d+: {LABEL})"
)


def mermaid(entries: list[Any]) -> list[str]:
    """The lines of the diagram, each of which is one of the language."""
    file = StringIO()
    write_mermaid(iter(entries), file, Path("runs/7"))
    head, *lines = file.getvalue().splitlines()
    assert head == "sequenceDiagram"
    for line in lines:
        assert GRAMMAR.fullmatch(line), line
    return [line.strip() for line in lines]


def test_messages_are_arrows_between_an_actor_and_its_channel(call: list[Any]) -> None:
    assert mermaid(call) == [
        "actor A1 as operator",
        "participant P1 as operator.desk",
        "participant P2 as operator.api",
        "A1->>P2: POST /login",
        "P2-->>A1: 200",
        "P1-->>A1: connectionStatus status=connected",
        "Note over A1: outbound_call#40;#39;890000002#39;, tries=2#41;",
        "A1->>P1: newOutInteraction destination=#34;890000002#34;",
        "P1-->>A1: resultNewOutInteraction result=success",
        "Note over A1: answer#40;#41;",
        "P1-->>A1: newRtc offer=#34;v=0#34;",
        "Note over A1: outbound_call failed after 6 ms#58; DeadlinePassed",
        "Note over A1,P2: failed after 13 ms",
        "Note over A1,P2: DeadlinePassed#58; operator.desk waited 10 s for newWorkitemState",
    ]


def test_the_peers_close_is_shown(telling: Any) -> None:
    assert "P1--xA1: closed 1011" in mermaid(telling().open().close(by="peer", code=1011).finish())


def test_an_end_without_a_code_has_none(telling: Any) -> None:
    assert "P1--xA1: closed" in mermaid(telling().open().close(by="peer", code=None).finish())


def test_a_gap_is_a_note_for_each_attempt(telling: Any) -> None:
    on_desk = {"actor": "operator", "channel": "desk"}
    run = telling().open().close(by="wire", code=1006)
    run.add(journal.ChannelReopening, **on_desk, attempt=1, in_ns=500_000_000)
    run.add(journal.ChannelReopened, **on_desk, attempt=1, away_ns=501_000_000)
    assert mermaid(run.finish())[2:5] == [
        "P1--xA1: closed 1006",
        "Note over A1: desk is to be opened again, attempt 1 in 500 ms",
        "Note over A1: desk is open again by attempt 1, after 501 ms",
    ]


def test_hostile_content_stays_text(hostile: list[Any]) -> None:
    assert len(mermaid(hostile)) < 30


def test_a_diagram_stays_small_enough_to_be_drawn(long_run: Callable[[int], list[Any]]) -> None:
    lines = mermaid(long_run(2_000))
    assert sum(map(len, lines)) < 50_000
    assert lines[-2:] == [
        "Note over A1,P1: 1600 more messages are in the journal",
        "Note over A1,P1: passed after 2.042 s",
    ]


def test_a_journal_without_a_beginning(call: list[Any]) -> None:
    assert mermaid([])[0] == "actor A1 as unknown"
    assert "actor A1 as operator" in mermaid(call[2:6])
