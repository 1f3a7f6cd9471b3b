"""What comes beside the messages of a connection: in the journal, shown, and awaited by nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from antiphon import Accepted, Actor, ChannelClosed, Link, Stand, Text, listen, perform, scenario
from antiphon.journal import Aside
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.report.text import last_lines
from antiphon.transport.interface import Connection, Opening, Receiver, tell_aside
from antiphon.transport.memory import MemoryNetwork


class Telling(MemoryNetwork):
    """Tells its clients something beside the data, as soon as they are connected."""

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> Any:
        connection: Connection = await super().connect(address, opening, receiver)
        tell_aside(receiver, "response headers", {"Set-Cookie": "session=hunter2hunter2", "X-Served-By": "node 7"})
        tell_aside(receiver, "stderr", "\n".join(f"warning {number}" for number in range(9)))
        tell_aside(receiver, "stderr", "out of memory")
        return connection


class Desk(Actor):
    desk = Accepted(dialect=Text())


class Guest(Actor):
    line = Link("memory://desk", dialect=Text(), within_s=5)


def play(chosen: Any, runs: Path | None = None, network: MemoryNetwork | None = None) -> Any:
    network = network or Telling()

    async def run() -> Any:
        async with await listen("memory://desk", lambda opening: Desk(), listener=network):
            return await perform(chosen, stand=Stand("t", transports={"memory": network}), runs=runs)

    return asyncio.run(run())


@scenario
async def look(guest: Guest) -> int:
    return len(guest.drain())


def test_an_aside_is_recorded_shown_and_in_no_mailbox(tmp_path: Path) -> None:
    run = play(look, tmp_path)
    assert run.value == 0
    headers, warnings, last = (entry for entry in run.journal if isinstance(entry, Aside))
    assert (headers.name, headers.headers["X-Served-By"]) == ("response headers", "node 7")
    assert warnings.lines[0] == "warning 0"
    assert (last.actor, last.channel, last.text, last.is_sent) == ("guest", "line", "out of memory", False)
    shown = last_lines(run.journal)
    assert any("· stderr  out of memory" in line for line in shown)
    assert any("· stderr  warning 0  and 8 more lines" in line for line in shown)
    assert any("· response headers  Set-Cookie: " in line and "and 1 more line" in line for line in shown)


def test_the_secrets_of_an_aside_are_not_written(tmp_path: Path) -> None:
    run = play(look, tmp_path)
    (journal,) = run.directory.glob(FILE_NAME)
    assert "hunter2hunter2" not in journal.read_text()
    read = [entry for entry in read_journal(journal) if isinstance(entry, Aside)]
    assert [entry.name for entry in read] == ["response headers", "stderr", "stderr"]
    assert read[0].headers["X-Served-By"] == "node 7"


class Flooding(Telling):
    """Tells far too much."""

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> Any:
        connection: Connection = await super().connect(address, opening, receiver)
        for number in range(100):
            tell_aside(receiver, "stderr", f"{number} {'x' * 1024 * 1024}")
        return connection


def test_what_is_kept_of_asides_is_bounded() -> None:
    run = play(look, network=Flooding())
    kept = [entry for entry in run.journal if isinstance(entry, Aside)]
    assert kept[-1].text.startswith("99 ")
    assert sum(len(entry.text) for entry in kept) <= 65 * 1024 * 1024


@scenario
async def wait_in_vain(guest: Guest) -> None:
    guest.line.abort()
    await guest.expect("nothing")


def test_a_failure_tells_the_last_lines_that_came_beside_the_messages() -> None:
    with pytest.raises(ChannelClosed) as failed:
        play(wait_in_vain)
    lines = str(failed.value).splitlines()
    told = lines.index("  what it told beside its messages at last:")
    assert [line.strip() for line in lines[told + 1 : told + 6]] == [
        *(f"stderr: warning {number}" for number in range(5, 9)),
        "stderr: out of memory",
    ]
