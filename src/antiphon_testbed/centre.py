"""The contact centre, as its users start it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from antiphon import ScenarioError
from antiphon_testbed.faults.faults import Fault
from antiphon_testbed.options import checked_options
from antiphon_testbed.running import RunningCentre
from antiphon_testbed.users import UsersGiven, enrol

__all__ = ["ContactCentre"]


class ContactCentre:
    """A contact centre to talk to: desks over WebSocket, everything else over HTTP, on one port.

    Use it as `async with ContactCentre() as centre`; inside the `with` it is at `centre.address`.

    users: None for alice, bob, carol, dave and erin; a number for that many; or `[{"name": …, "password": …}, …]`, with
        `skills` (a list) and `line` if you like.
    database: the file of the records, which outlives the centre; None keeps them in memory.
    ping_interval_s: how often a desk is pinged; if two pings are unanswered when the next is due, it is closed.
    answer_after_s: how long a customer's telephone rings before it is answered.
    give_up_after_s: how long it rings at the destination `noanswer` before the centre gives up.
    latency_s: (low, high), how late answers are.
    offer_timeout_s: how long a desk has to accept what it is offered, before it goes on to the next one.
    release_s: how long after the answer to `finishWorkitem` a desk is free again.
    seed: an integer or a string: same seed, same ids, tokens, latencies and faults. None: never the same.
    faults: what goes wrong on purpose (see `antiphon_testbed.faults.faults`):
        `[Late("resultHangUp", 2.5, user="alice")]`, or in words, `["late:resultHangUp:2.5,user=alice"]`.

    Raises ScenarioError for options that cannot be; when it starts, RecordingError for a database that cannot be used
    and TransportError if nobody can listen at `host` and `port` (0: any free port).
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        users: UsersGiven = None,
        database: str | Path | None = None,
        ping_interval_s: float = 5.0,
        answer_after_s: float = 0.2,
        give_up_after_s: float = 2.0,
        latency_s: tuple[float, float] = (0.0, 0.0),
        offer_timeout_s: float = 10.0,
        release_s: float = 0.3,
        seed: int | str | None = None,
        faults: Iterable[Fault | str] = (),
    ) -> None:
        self._host, self._port = host, port
        self._users = enrol(users)
        self._database = database
        self._options = checked_options(
            ping_interval_s=ping_interval_s,
            answer_after_s=answer_after_s,
            give_up_after_s=give_up_after_s,
            latency_s=latency_s,
            offer_timeout_s=offer_timeout_s,
            release_s=release_s,
            seed=seed,
            faults=faults,
            users=[user.name for user in self._users],
        )
        self._running: RunningCentre | None = None

    @property
    def users(self) -> list[dict[str, Any]]:
        """Who can log in: names and passwords, as a stand has them."""
        return [{"name": user.name, "password": user.password} for user in self._users]

    @property
    def address(self) -> str:
        """Where it is: `http://HOST:PORT`, with the real port."""
        return self._required().address

    @property
    def addresses(self) -> dict[str, str]:
        """What a stand calls it."""
        return {"centre": self.address}

    @property
    def faults_happened(self) -> dict[str, int]:
        """How many of its faults have happened, by kind ("late", "twice", …)."""
        return dict(self._required().faults_happened)

    @property
    def failures(self) -> list[BaseException]:
        """What went wrong inside the centre itself; empty unless it has a bug."""
        return self._required().server.failures

    async def __aenter__(self) -> Self:
        if self._running is not None:
            raise ScenarioError("this ContactCentre is running already", hint="make one for each `async with`")
        running = RunningCentre(self._options, self._users, self._database)
        await running.start(self._host, self._port)
        self._running = running
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        running, self._running = self._required(), None
        await running.stop()

    def _required(self) -> RunningCentre:
        if self._running is None:
            raise ScenarioError("this ContactCentre is not running", hint="async with ContactCentre() as centre: …")
        return self._running
