"""What a master of a Locust cluster and its workers say to each other beside what Locust says; JSON in its messages."""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon.load.engine import Snapshot

__all__ = ["FIELD", "Begin", "Begun", "Clock", "Drain", "Drained", "Hello", "Lost", "Refused", "Start", "Told", "read"]

FIELD = "antiphon"
"""The kind of our messages, and the field of Locust's reports that has what was measured."""


class _Message(msgspec.Struct, tag_field="is"):
    """`run` is which load it belongs to: what belongs to an earlier one is left alone."""


class Hello(_Message, tag="hello"):
    """A worker, before it says that it is ready: so many engines, of that plan (`Plan.as_data`)."""

    version: str
    plan: dict[str, Any]
    engines: int
    cpus: int


class Refused(_Message, tag="refused"):
    """The worker is not let in."""

    why: str


class Begin(_Message, tag="begin"):
    """Make an engine for each of these seats out of `of`; begin at once if `at` is told."""

    run: str
    seed: int
    seats: list[int]
    of: int
    at: float | None = None


class Clock(_Message, tag="clock"):
    """A worker's time, and behind it the master's, when that has answered: seconds since the epoch."""

    sent: float
    at: float = 0.0


class Begun(_Message, tag="begun"):
    """The engines are ready; `why` says why not."""

    run: str
    why: str = ""


class Start(_Message, tag="start"):
    """Time 0 is at that moment of the master's clock."""

    run: str
    at: float


class Drain(_Message, tag="drain"):
    """Begin nothing more; what is under way may end for so long; then say what was measured last."""

    run: str
    grace_s: float


class Drained(_Message, tag="drained"):
    """All was told."""

    run: str


class Lost(_Message, tag="lost"):
    """The engine of that seat has died."""

    run: str
    seat: int
    why: str


class Told(_Message, tag="told"):
    """See `antiphon.load.gathering.Gathering.take`."""

    run: str
    snapshots: list[Snapshot]
    files: dict[str, bytes]


Message = Hello | Refused | Begin | Clock | Begun | Start | Drain | Drained | Lost | Told

read = msgspec.json.Decoder(Message).decode
