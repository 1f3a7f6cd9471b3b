"""What a run records, entry by entry, is what these journals hold: on disk, and in memory whatever lies there.

They were recorded before waits and steps carried their own times and outcomes.
`python -m tests.integration.test_recorded_journals` records them anew, which is right only where what a journal says of
a conversation is to change.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from tests.integration.recorded.conversations import DEEDS, Talker, as_a_list, everything

from antiphon import AntiphonError, Run, Scenario, Stand, perform
from antiphon.journal import Journal, RunStarted
from antiphon.journal.file import FILE_NAME, JournalWriter
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

JOURNALS = Path(__file__).with_name("recorded")
CASES = [(everything, seed) for seed in (1, 2, 3)] + [(as_a_list, 4)]
IDS = [f"{conversation.name}-{seed}" for conversation, seed in CASES]


def converse(conversation: Scenario[Any, Any], seed: int, directory: Path | None) -> Run:
    """Perform it in virtual time, with what the seed decides."""
    order = list(range(len(DEEDS)))
    random.Random(seed).shuffle(order)

    async def converse_here() -> Run:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", Talker(seed).accept)
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        try:
            return await perform(
                conversation, stand=stand, runs=None, directory=directory, reports=(), linger_s=0.0, order=order
            )
        except AntiphonError as error:
            return cast("Run", error.run)
        finally:
            await listening.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(converse_here())


def lines_of(path: Path) -> list[str]:
    """The journal's lines without the first, which tells of the process, and without where Python itself lies."""
    text = re.sub(r'"source":"/[^"]*"', '"source":"elsewhere"', path.read_text())
    return text.splitlines()[1:]


@pytest.mark.parametrize(("conversation", "seed"), CASES, ids=IDS)
def test_what_is_written_is_what_was_written(
    conversation: Scenario[Any, Any], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])  # places are told from here
    converse(conversation, seed, tmp_path)

    assert lines_of(tmp_path / FILE_NAME) == lines_of(JOURNALS / f"{conversation.name}-{seed}.jsonl")


@pytest.mark.parametrize(("conversation", "seed"), CASES, ids=IDS)
def test_what_lies_in_memory_is_the_same(
    conversation: Scenario[Any, Any], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    run = converse(conversation, seed, None)
    written = Journal(masker=run.runtime.journal.masker)
    writer = JournalWriter(tmp_path / FILE_NAME)
    written.attach(writer)
    for entry in run.journal:
        written.record(entry)
    writer.close()

    assert isinstance(run.journal[0], RunStarted)
    assert lines_of(tmp_path / FILE_NAME) == lines_of(JOURNALS / f"{conversation.name}-{seed}.jsonl")


def main(directory: Path) -> None:
    """Record them."""
    for conversation, seed in CASES:
        path = directory / f"{conversation.name}-{seed}.jsonl"
        with suppress(FileNotFoundError):
            path.unlink()
        converse(conversation, seed, directory)
        (directory / FILE_NAME).rename(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else JOURNALS)
