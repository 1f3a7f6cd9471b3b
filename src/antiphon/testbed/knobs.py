"""How a centre behaves: its knobs, checked."""

from __future__ import annotations

import math

import msgspec

from antiphon.errors import ScenarioError
from antiphon.testbed.calls import Timing

__all__ = ["Knobs", "set_knobs"]


class Knobs(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take in a centre, and the seed of its chance. Its faults belong here, when it has any."""

    timing: Timing
    ping_interval_s: float
    latency_s: tuple[float, float]
    seed: int | str | None


def set_knobs(
    *,
    ping_interval_s: float,
    answer_after_s: float,
    give_up_after_s: float,
    latency_s: tuple[float, float],
    release_s: float,
    seed: int | str | None,
) -> Knobs:
    """The knobs, set as said; ScenarioError for what no centre can do."""
    times = {"answer_after_s": answer_after_s, "give_up_after_s": give_up_after_s, "release_s": release_s}
    low_s, high_s = latency_s
    for name, value in {
        **times,
        "latency_s": low_s,
        "latency_s's end": high_s,
        "ping_interval_s": ping_interval_s,
    }.items():
        if not math.isfinite(value) or value < 0:
            raise ScenarioError(f"{name} is {value!r}, which is no time in seconds", hint="0.2, for instance")
    if ping_interval_s == 0:
        raise ScenarioError("ping_interval_s is 0, so that pings would never end", hint="5.0, for instance")
    if low_s > high_s:
        raise ScenarioError(f"latency_s={latency_s!r} begins after its end", hint=f"latency_s=({high_s}, {low_s})")
    return Knobs(timing=Timing(**times), ping_interval_s=ping_interval_s, latency_s=(low_s, high_s), seed=seed)
