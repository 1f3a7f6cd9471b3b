"""What the process that drives a load says to those that perform it, a line of JSON each, and what they say back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from antiphon.journal.file import plain, shown
from antiphon.load.engine import Snapshot
from antiphon.load.shares import Share
from antiphon.load.target import Target
from antiphon.load.user_shares import users_of
from antiphon.stand.stand import Stand
from antiphon.stand.stand_tls import StandTls

__all__ = [
    "Adopt",
    "Begin",
    "End",
    "Look",
    "Order",
    "Pause",
    "Prepare",
    "Ready",
    "Said",
    "SetRate",
    "SetUsers",
    "StandData",
    "Start",
    "Stop",
    "Take",
    "line_of",
]


class StandData(msgspec.Struct):
    """A stand that runs, for another process: what it is made of, with the users that are that process's."""

    name: str
    addresses: dict[str, str]
    users: list[dict[str, Any]]
    users_within_s: float
    within_s: float | None
    secrets: tuple[str, ...]
    tls: dict[str, dict[str, Any]]
    transports: dict[str, dict[str, Any]]
    source: str
    environment: dict[str, str]
    is_shared: bool

    @classmethod
    def of(cls, stand: Stand, share: Share) -> StandData:
        """The stand with that share of its users: no user is another process's as well."""
        return cls(
            name=stand.name,
            addresses=stand.addresses,
            users=[dict(user) for user in users_of(stand.users.fields(), share)],
            users_within_s=stand.users_within_s,
            within_s=stand.within_s,
            secrets=stand.secrets,
            tls=stand.tls.plain(),
            transports={scheme: dict(each) for scheme, each in stand.transports.items() if isinstance(each, Mapping)},
            source=stand.source,
            environment=stand.environment,
            is_shared=stand.users.is_shared,
        )

    def stand(self) -> Stand:
        """The stand again."""
        return Stand(
            self.name,
            self.addresses,
            users=self.users,
            users_within_s=self.users_within_s,
            within_s=self.within_s,
            secrets=self.secrets,
            tls=StandTls.of_plain(self.tls),
            transports=self.transports,
            source=self.source,
            environment=self.environment,
            is_shared=self.is_shared,
        )


class Order(msgspec.Struct, tag_field="do"):
    """Something that a process is told."""


class Prepare(Order, tag="prepare"):
    """May come before all others: read the plan, and say whether it can be; it is to begin with that later."""

    target: Target


class Begin(Order, tag="begin"):
    """The first: what it performs, where, as which process; `keep` is None if nothing is kept, `tally` is the file of
    the tally that it notes in (`antiphon.load.tally`), "" for none. `is_steered` says that nothing begins until it is
    told how much. Once started, it ends when nothing is said to it for `alone_s` seconds, None for never: whoever
    drives it may be there and stand still, and others have been given its users by then."""

    target: Target
    seed: int
    stand: StandData
    share: Share
    process: int
    directory: str | None
    keep: tuple[int, int, float] | None
    columns: tuple[str, ...] = ()
    tally: str = ""
    is_steered: bool = False
    alone_s: float | None = None


class Start(Order, tag="start"):
    """See `antiphon.load.engine.Generator.start`; so the others."""

    at: float


class SetRate(Order, tag="set-rate"):
    rates: dict[str, float]
    from_s: float


class SetUsers(Order, tag="set-users"):
    users: dict[str, int]
    from_s: float


class Pause(Order, tag="pause"):
    is_paused: bool
    from_s: float


class Adopt(Order, tag="adopt"):
    share: Share
    from_s: float
    reached: dict[str, int]


class Look(Order, tag="look"):
    number: int
    is_held: bool


class Take(Order, tag="snapshot"):
    """It answers with a snapshot."""


class End(Order, tag="end"):
    """It begins nothing more."""


class Stop(Order, tag="stop"):
    """It answers with its last snapshot, and ends."""


class Ready(msgspec.Struct, tag="ready"):
    """The process has read everything, and can start at once; `error` says why not, in lines."""

    error: str = ""


Said = Ready | Snapshot


def line_of(said: Order | Said) -> bytes:
    """What is said, as its line, whatever a conversation was given that it tells of, and whatever is in a text: as
    records have it (`antiphon.journal.file.plain`), since a system under load may answer anything.
    """
    try:
        return msgspec.json.encode(said, enc_hook=shown) + b"\n"
    except Exception:  # whatever a foreign object may raise when it is looked at; a lone surrogate
        return msgspec.json.encode(plain(msgspec.to_builtins(said, str_keys=True, enc_hook=shown))) + b"\n"
