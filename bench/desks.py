"""Many desks: one process holds the contact centre, another all its operators.

`python -m bench.desks DESKS PING_INTERVAL_S` prints what both cost, as JSON.

Every operator logs in, signs in, becomes ready, makes a call, and talks until all have arrived and some heartbeats have
come; then closes the call. An error is a failed run of an operator, or a failure inside the centre.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from antiphon import Stand, perform
from antiphon_testbed import ContactCentre
from bench.meter import cpu_s

__all__ = ["Side"]

HEARTBEATS = 3
"""How many heartbeats all the desks see together, at the least."""

ARRIVALS_PER_S = 200

_ROOT = Path(__file__).resolve().parent.parent


class Side(msgspec.Struct, frozen=True):
    """What one side cost: its greatest memory in MiB and what it had before the first desk, and its CPU seconds."""

    desks: int
    memory_mib: float
    memory_before_mib: float
    cpu_s: float
    wall_s: float
    errors: int

    @property
    def kib_per_desk(self) -> float:
        """What a desk added, in KiB."""
        return (self.memory_mib - self.memory_before_mib) * 1024 / self.desks


class Expense:
    """What this process has cost since it was made."""

    def __init__(self) -> None:
        self._memory_mib = _memory_mib()
        self._cpu_s = cpu_s()
        self._begun_s = time.monotonic()

    def side(self, desks: int, errors: int) -> Side:
        """The same, told."""
        wall_s = time.monotonic() - self._begun_s
        return Side(desks, _memory_mib(), self._memory_mib, cpu_s() - self._cpu_s, wall_s, errors)


def _memory_mib() -> float:
    greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return greatest / (1024 * 1024 if sys.platform == "darwin" else 1024)


async def hold(desks: int, ping_interval_s: float) -> Side:
    """Be the contact centre until standard input ends."""
    expense = Expense()
    async with ContactCentre(users=desks, ping_interval_s=ping_interval_s) as centre:
        print(centre.address, flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)
        for failure in centre.failures[:3]:
            print(f"in the centre: {failure}", file=sys.stderr)
        return expense.side(desks, len(centre.failures))


async def work(address: str, desks: int, ping_interval_s: float) -> Side:
    """Be all the operators."""
    sys.path.insert(0, str(_ROOT / "examples" / "contact_centre"))
    from calls import outgoing

    stand = Stand("bench", {"centre": address}, users=ContactCentre(users=desks).users)
    expense = Expense()

    runs = []
    talk_s = desks / ARRIVALS_PER_S + HEARTBEATS * ping_interval_s  # they go as they came, one after the other
    begun_s = time.monotonic()
    for number in range(desks):
        # Who is late comes one a turn of the loop: those who are here already are heard between any two.
        await asyncio.sleep(max(0.0, begun_s + number / ARRIVALS_PER_S - time.monotonic()))
        runs.append(asyncio.create_task(perform(outgoing, stand=stand, runs=None, talk_s=talk_s)))
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for failure in failures[:3]:
        print(f"at a desk: {failure}", file=sys.stderr)
    return expense.side(desks, len(failures))


def both(desks: int, ping_interval_s: float) -> dict[str, Side]:
    """The centre in a process of its own, and the operators in this one."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.desks", str(desks), str(ping_interval_s), "hold"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        operators = uvloop.run(work(holder.stdout.readline().decode().strip(), desks, ping_interval_s))
        holder.stdin.close()
        centre = msgspec.json.decode(holder.stdout.readline(), type=Side)
    return {"the centre": centre, "the operators": operators}


if __name__ == "__main__":
    _desks, _ping_interval_s = int(sys.argv[1]), float(sys.argv[2])
    if sys.argv[3:] == ["hold"]:
        print(msgspec.json.encode(uvloop.run(hold(_desks, _ping_interval_s))).decode(), flush=True)
    else:
        print(msgspec.json.encode(both(_desks, _ping_interval_s)).decode())
