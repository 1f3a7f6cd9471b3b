"""Conversations whose record is taken as a load takes it, in virtual time, with a peer that is slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.integration.conftest import Peer

from antiphon import Run, Scenario, Stand
from antiphon.journal.figures import Second
from antiphon.journal.masking import Masker
from antiphon.load.causes import Cause
from antiphon.load.meter import Meter
from antiphon.load.metered_journal import MeteredJournal
from antiphon.scenarios.runner import performed
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork


class SlowPeer(Peer):
    """A peer that says what it is told to a number of milliseconds later."""

    def say_in(self, delay_ms: float, name: str, **body: Any) -> None:
        def say() -> None:
            if self.connection is not None:
                self.say(name, **body)

        asyncio.get_running_loop().call_later(delay_ms / 1e3, say)

    def answers(self, name: str, delay_ms: float, reply: str, **body: Any) -> None:
        """Every request of that name has that reply, beside what it has already."""
        before = self.on_request.get(name, lambda _asked: None)

        def react(asked: Any) -> None:
            before(asked)
            self.say_in(delay_ms, reply, **body)

        self.on_request[name] = react


class Load:
    """Performs scenarios one by one, as conversations of the part `calls`."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.meter = Meter()
        self.journals: list[MeteredJournal] = []
        self.runs: list[Run] = []
        self.causes: list[Cause | None] = []

    def perform(self, scenario: Scenario[Any, Any], **options: Any) -> Run:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(self._perform(scenario, **options))

    async def _perform(
        self,
        scenario: Scenario[Any, Any],
        keep: int = 10_000,
        due_s: float = 0.0,
        strict: bool | None = None,
        linger_s: float = 0.0,
        **parameters: Any,
    ) -> Run:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", self.peer.accept)
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        measuring = self.meter.measuring("calls")
        journal = MeteredJournal(measuring, keep, Masker(stand.secrets))
        arguments = scenario.arguments(parameters)
        run = await performed(scenario, arguments, stand, journal, strict=strict, linger_s=linger_s)
        ended_ns = round(asyncio.get_running_loop().time() * 1e9)
        cause = self.meter.conversation_ended(
            measuring,
            due_ns=round(due_s * 1e9),
            ended_ns=ended_ns,
            error=run.error,
            conversation=f"calls-{len(self.runs)}",
            mask=journal.masker.text,
        )
        await listening.close()
        self.journals.append(journal)
        self.runs.append(run)
        self.causes.append(cause)
        return run

    def take(self) -> Second:
        return self.meter.take(0)


@pytest.fixture
def slow_peer() -> SlowPeer:
    return SlowPeer()


@pytest.fixture
def load(slow_peer: SlowPeer) -> Load:
    return Load(slow_peer)
