"""How a centre behaves: its options, checked."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon_testbed.faults.faults import KINDS, Fault
from antiphon_testbed.faults.parse import read_fault

__all__ = ["Options", "Timing", "checked_options"]


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, in seconds.

    answer_after_s: a customer who is called, to answer, or the line to be busy.
    give_up_after_s: the centre to give up on one who does not answer.
    offer_timeout_s: a desk to accept what it is offered, before it goes on to the next.
    release_s: a desk to be free again after the answer to `finishWorkitem`.
    """

    answer_after_s: float
    give_up_after_s: float
    offer_timeout_s: float
    release_s: float


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take in a centre, what goes wrong in it, and the seed of its chance."""

    timing: Timing
    ping_interval_s: float
    latency_s: tuple[float, float]
    seed: int | str | None
    faults: tuple[Fault, ...] = ()


def checked_options(
    *,
    ping_interval_s: float,
    answer_after_s: float,
    give_up_after_s: float,
    latency_s: tuple[float, float],
    offer_timeout_s: float,
    release_s: float,
    seed: int | str | None,
    faults: Iterable[Fault | str] = (),
    users: Collection[str] = (),
) -> Options:
    """The options as they are given; ScenarioError for what no centre with these users can do."""
    times = {
        "answer_after_s": answer_after_s,
        "give_up_after_s": give_up_after_s,
        "offer_timeout_s": offer_timeout_s,
        "release_s": release_s,
    }
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
    if offer_timeout_s == 0:
        raise ScenarioError("offer_timeout_s is 0, so that nothing could be accepted", hint="10.0, for instance")
    if low_s > high_s:
        raise ScenarioError(f"latency_s={latency_s!r} begins after its end", hint=f"latency_s=({high_s}, {low_s})")
    return Options(
        timing=Timing(**times),
        ping_interval_s=ping_interval_s,
        latency_s=(low_s, high_s),
        seed=seed,
        faults=tuple(_fault(given, users) for given in ([faults] if isinstance(faults, str) else faults)),
    )


def _fault(given: Fault | str, users: Collection[str]) -> Fault:
    fault = read_fault(given) if isinstance(given, str) else given
    if type(fault) not in KINDS:
        raise ScenarioError(f"faults= has {given!r}, which is no fault", hint='Late("resultHangUp", 2.5), for instance')
    for user in fault.users:
        if user not in users:
            raise ScenarioError(
                f"the fault {str(fault)!r} is for the user {user!r}, whom the centre does not have",
                hint=f"it has {shorten(list(users))}",
            )
    return fault
