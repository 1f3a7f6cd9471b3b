"""What a locustfile asks for, the same on the master and on each worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from antiphon.errors import ScenarioError
from antiphon.journal.file import plain
from antiphon.journal.masking import Masker
from antiphon.load.keeping import Keep
from antiphon.load.plan import Plan, PlannedPart
from antiphon.load.target import Target, target_of
from antiphon.stand.stand import Stand, load_stand

__all__ = ["Asked", "asked_of", "unit_per_s"]

_SEATS = 997
"""Prime, so that each engine comes to each row of a feed; more engines than a cluster has."""


class Asked(NamedTuple):
    """A plan, where its system is, and what is kept; see `antiphon.locust.users`."""

    target: Target
    plan: Plan
    stand: Stand
    runs: Path
    keep: Keep
    reports: Sequence[str]
    baseline: Path | None
    seats: int

    def plan_data(self) -> dict[str, Any]:
        """The plan as plain data, secrets masked, as it comes out of a message."""
        data: dict[str, Any] = msgspec.json.decode(
            msgspec.json.encode(plain(Masker(self.stand.secrets).value(self.plan.as_data())))
        )
        return data

    def seats_for(self, engines: int) -> int:
        """Among how many seats the load is divided when so many engines are there.

        Users of the stand and the values of unique feeds go round among those alone; where there are none, seats that
        stay empty cost nothing, and whoever comes later takes one. Raises ScenarioError if there are fewer users.
        """
        users = len(self.stand.users.fields())
        needs_users = any(kind.needs_user for part in self.plan.parts for kind in part.scenario.actors.values())
        is_unique = any(feed.order == "unique" for part in self.plan.parts for feed in part.part.all_feeds)
        divides_users = bool(users) and needs_users
        seats = max(self.seats, engines) if self.seats or divides_users or is_unique else _SEATS
        if divides_users and users < seats:
            raise ScenarioError(
                f"the stand {self.stand.name!r} has {users} users, which {seats} engines are to divide",
                place=self.stand.source or None,
                hint="add users to the stand, or have fewer engines: --engines, fewer workers",
            )
        return seats


def asked_of(text: str, folder: Path, stand: str | None) -> tuple[Target, Plan, Stand]:
    """The plan `FILE.py:NAME`, looked for in that folder and in the working directory, and its stand.

    Raises ScenarioError if there is none, or it cannot be steered by Locust.
    """
    beside = folder / text.partition(":")[0]
    target, plan = target_of(f"{folder / text}" if beside.is_file() else text)
    if not isinstance(plan, Plan):
        hint = "users of Locust are made of the parts of a plan: NAME = Plan(part(…, users=1))"
        raise ScenarioError(f"{text} is a scenario", place=target.file, hint=hint)
    plan.steered()  # whether it can be
    asked_for = stand if stand is not None else plan.stand
    near = plan.parts[0].scenario.folder
    chosen = asked_for if isinstance(asked_for, Stand) else load_stand(asked_for, near=near)
    if chosen.start:
        raise ScenarioError(
            f"the stand {chosen.name!r} is started for a load, and each worker would start one",
            place=chosen.source or None,
            hint="start the system first, and name a stand with its address",
        )
    return target, plan, chosen


def unit_per_s(part: PlannedPart) -> float:
    """How many conversations a second one Locust user of an open part stands for: one, or one a minute where the part
    has less than one a second; of a closed part a user is a user, which is 1 as well."""
    return 1 / 60 if part.is_open and part.profile.peak < 1 else 1.0
