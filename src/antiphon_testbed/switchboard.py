"""Between desks and floor: what a desk says goes to the floor, what the floor decides is carried out at the desks.

Everything that leaves the centre towards a desk passes through `_carry_out`: a centre that answers late is made there
and nowhere else. One that misbehaves is made behind it, on the way to each desk (see `faults.injector`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from antiphon import Message
from antiphon_testbed.actions import error_event, handle_request
from antiphon_testbed.effects import After, Answer, Effect, Event
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.protocol import malformation
from antiphon_testbed.seed import Seed
from antiphon_testbed.users import User

__all__ = ["ConnectedDesk", "Switchboard"]

T = TypeVar("T")


class ConnectedDesk(Protocol):
    """A desk, as the switchboard sees it."""

    def put(self, item: Event | Answer, delay_s: float) -> None:
        """Say it in `delay_s`, behind what is on its way already."""
        ...

    def say_now(self, item: Event) -> None:
        """Say it at once."""
        ...

    def hang_up(self, code: int, reason: str) -> None:
        """Close the connection."""
        ...

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        """Call it in `delay_s`, unless the desk is gone by then."""
        ...


class Timer(Protocol):
    """Something that is due later."""

    def cancel(self) -> None:
        """Let it not be due any longer."""
        ...


class Switchboard:
    """Connects desks with a floor. Answers are `latency_s` = (low, high) seconds late.

    `now_ms()` is the time; `later(delay_s, function)` is the clock of what no desk waits for.
    """

    def __init__(
        self,
        floor: Floor,
        *,
        seed: Seed,
        latency_s: tuple[float, float],
        now_ms: Callable[[], int],
        later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._floor = floor
        self._seed = seed
        self._low_s, self._high_s = latency_s
        self._now_ms = now_ms
        self._call_later = later
        self._timers: dict[int, Timer] = {}
        self._timer_number = 0
        self._desks: dict[str, ConnectedDesk] = {}

    def connect(self, desk: ConnectedDesk, user: User) -> Agent:
        """A desk is there, and nothing has been said."""
        agent, effects = self._floor.arrive(user, self._now_ms())
        self._desks[agent.desk] = desk
        self._carry_out(effects)
        return agent

    def disconnect(self, agent: Agent) -> None:
        """A desk is gone."""
        del self._desks[agent.desk]
        self._carry_out(self._floor.leave(agent, "deskDisconnected", self._now_ms()))

    def hear(self, agent: Agent, message: Message) -> None:
        """A desk has said something."""
        if agent.desk not in self._floor.agents:  # it is being closed
            return
        problem = malformation(message.name, message.body, message.raw)
        if problem is not None:
            self._carry_out([error_event(agent.desk, "malformed", problem)])
            return
        self._carry_out(handle_request(self._floor, agent, message.name, message.body, message, self._now_ms()))

    def happen(self, event: Callable[[Floor, int], tuple[T, list[Effect]]]) -> T:
        """Something happens outside the desks: `event(floor, now_ms)` gives its result and what to carry out."""
        result, effects = event(self._floor, self._now_ms())
        self._carry_out(effects)
        return result

    def close(self) -> None:
        """Nothing is due any longer."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _carry_out(self, effects: list[Effect]) -> None:
        for item in effects:
            if isinstance(item, After):
                self._wait(item)
                continue
            desk = self._desks.get(item.desk)
            # It has left, perhaps by an effect before this one.
            if desk is None:
                continue
            if isinstance(item, Event):
                # Past the faults' moment and the latency: a heartbeat that waits behind answers tells of the wrong
                # thing.
                if item.is_prompt:
                    desk.say_now(item)
                else:
                    desk.put(item, 0.0)
            elif isinstance(item, Answer):
                desk.put(item, self._latency_s(item))
            else:
                desk.hang_up(item.code, item.reason)

    def _wait(self, item: After) -> None:
        def due() -> None:
            # The desk may have gone meanwhile, and what it was to hear is nobody's.
            if item.desk is None or item.desk in self._floor.agents:
                self._carry_out(item.then(self._now_ms()))

        if item.desk is None:
            self._keep(item.delay_s, due)
        elif item.desk in self._desks:
            self._desks[item.desk].after(item.delay_s, due)

    def _keep(self, delay_s: float, due: Callable[[], None]) -> None:
        self._timer_number += 1
        number = self._timer_number

        def ring() -> None:
            del self._timers[number]
            due()

        self._timers[number] = self._call_later(delay_s, ring)

    def _latency_s(self, item: Answer) -> float:
        if self._high_s <= 0:
            return 0.0
        # By user, so that the same seed is as late at the same desk, however many others there are.
        user = self._floor.agents[item.desk].user.name
        return self._low_s + (self._high_s - self._low_s) * self._seed.fraction(f"latency/{user}")
