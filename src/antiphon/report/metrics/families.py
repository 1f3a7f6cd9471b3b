"""Which metrics there are of a load: their names, units and labels, which dashboards and alerts of others rely on.

Each has the name that OpenTelemetry knows it by; the one for Prometheus is made of that by the rule by which collectors
translate it (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/), so a load that is
scraped and one that is received by OTLP stand under the same names.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = [
    "ASKED",
    "BOUNDS_S",
    "BYTES",
    "CONVERSATIONS",
    "CPU",
    "DUE",
    "DURATION",
    "ERRORS",
    "FAMILIES",
    "LAG",
    "LATE",
    "LIVE",
    "MEMORY",
    "MESSAGES",
    "STARTED",
    "WRONG",
    "Family",
]

BOUNDS_S: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""The upper bounds of the buckets of durations; above the last is one more."""

_UNITS: Final = {"s": "seconds", "By": "bytes"}


class Family(msgspec.Struct, frozen=True):
    """A metric and its labels. `unit` is "s", "By" (bytes), or "" for a count."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...]
    unit: str = ""

    @property
    def prometheus_name(self) -> str:
        """Its name for Prometheus, without the `_total` of a counter."""
        name, unit = self.name.replace(".", "_"), _UNITS.get(self.unit, "")
        return name if not unit or name.endswith(f"_{unit}") else f"{name}_{unit}"

    @property
    def exposed_names(self) -> frozenset[str]:
        """All names under which Prometheus has its values."""
        if self.kind == "histogram":
            return frozenset(f"{self.prometheus_name}_{what}" for what in ("bucket", "count", "sum"))
        return frozenset([self.prometheus_name + ("_total" if self.kind == "counter" else "")])


ASKED: Final = Family(
    "antiphon.asked", "gauge", "What is asked for: conversations a second, or users of a closed part.", ("part",)
)
DUE: Final = Family("antiphon.due", "counter", "Conversations that were to begin.", ("part",))
STARTED: Final = Family("antiphon.started", "counter", "Conversations that have begun.", ("part",))
LATE: Final = Family("antiphon.late", "counter", "Those that began more than 50 ms after they were due.", ("part",))
CONVERSATIONS: Final = Family(
    "antiphon.conversations",
    "counter",
    "Conversations that are over: passed, failed, interrupted by the load's end, or dropped: due and never begun.",
    ("part", "outcome"),
)
LIVE: Final = Family("antiphon.live_conversations", "gauge", "Conversations that are under way.", ("part",))
DURATION: Final = Family(
    "antiphon.duration",
    "histogram",
    "How long things took: conversations from when they were due, steps, asks, expectations, requests, timers.",
    ("series", "kind"),
    "s",
)
ERRORS: Final = Family("antiphon.errors", "counter", "Conversations that failed, by cause.", ("part", "cause"))
MESSAGES: Final = Family("antiphon.messages", "counter", "Messages, sent or received.", ("direction",))
BYTES: Final = Family("antiphon.bytes", "counter", "The raw data of messages.", ("direction",), "By")
WRONG: Final = Family(
    "antiphon.wrong_messages",
    "counter",
    "Messages that were duplicate, stale, forbidden, foreign, left over.",
    ("wrong",),
)
CPU: Final = Family("antiphon.generator.cpu", "counter", "CPU time of a process of the generator.", ("process",), "s")
LAG: Final = Family(
    "antiphon.generator.lag",
    "gauge",
    "The longest that the event loop of a process was late in the last interval, mostly a second.",
    ("process",),
    "s",
)
MEMORY: Final = Family(
    "antiphon.generator.memory", "gauge", "Resident memory of a process of the generator.", ("process",), "By"
)

FAMILIES: Final = (
    *(ASKED, DUE, STARTED, LATE, CONVERSATIONS, LIVE, DURATION, ERRORS, MESSAGES, BYTES, WRONG),
    *(CPU, LAG, MEMORY),
)
