"""What a load needs that may not be there: said before it begins, with the limit and what is needed."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from antiphon.conversation.wording import counted
from antiphon.errors import ResourcesExhausted, ScenarioError
from antiphon.load.plan import Plan, PlannedPart
from antiphon.load.shares import Share
from antiphon.load.user_shares import users_of
from antiphon.stand.stand import Stand
from antiphon.stand.users import User, Wanted

__all__ = ["require_files", "require_users", "users_wanted", "with_own_users"]

if sys.platform != "win32":
    import resource

_OWN_FILES: Final = 128
"""What a process opens beside its conversations' connections."""

_OPEN_FOR_S: Final = 60.0
"""In an open model nobody says how many conversations there will be at once; so many seconds of starts are a guess for
a stand that makes its own users."""

_MOST_USERS: Final = 20_000


def require_files(plan: Plan, processes: int) -> None:
    """Let this process and its children open as many files as they may, and raise ResourcesExhausted if that cannot be
    enough for the users of the plan."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = math.ceil(_connections(plan) / max(processes, 1)) + _OWN_FILES
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise ResourcesExhausted(
            f"the plan needs some {needed} open connections and files in a process, and {hard} are allowed",
            hint="raise the limit first (ulimit -n), or use more processes (--processes) or machines (--shard)",
        )


def require_users(plan: Plan, stand: Stand, processes: int = 0) -> None:
    """Raises ScenarioError if the stand has fewer users than the plan has at the same time, in all or in one of so many
    processes, which divide them, or a process has nobody whom an actor is to be."""
    users = stand.users.fields()
    if not users:
        return
    hint = "add users to the stand, or ask for fewer"
    _require_enough(plan.parts, users, stand, f"the stand {stand.name!r}", hint)
    for number in range(processes if processes > 1 else 0):
        share = Share(number, processes)
        where = f"process {number + 1} of {processes}, which divide the users of the stand {stand.name!r},"
        hint = "use fewer processes (--processes), or add users to the stand"
        _require_enough([part.scaled(share) for part in plan.parts], users_of(users, share), stand, where, hint)


def _require_enough(
    parts: Iterable[PlannedPart], users: Sequence[Mapping[str, Any]], stand: Stand, where: str, hint: str
) -> None:
    parts, place = list(parts), stand.source or None
    most = sum(_most_users(part) or 0 for part in parts)
    if most > len(users):
        text = f"the load holds up to {counted(most, 'user')} at once, and {where} has {len(users)}"
        raise ScenarioError(text, place=place, hint=hint)
    known = [User(**user) for user in users]
    for part in parts:
        if not _has_conversations(part):
            continue
        cast = {name: part.scenario.new_actor(name) for name in part.scenario.actors}
        for want in (Wanted(name, actor.wanted_user) for name, actor in cast.items() if actor.needs_user):
            if not any(map(want.fits, known)):
                raise ScenarioError(f"{where} has no user for {want}", place=place, hint=hint)


def _has_conversations(part: PlannedPart) -> bool:
    """Whether its share has any: of few users some shares have none."""
    return part.is_open or bool(_most_users(part))


def with_own_users(stand: Stand, share: Share) -> Stand:
    """The stand with those of its users that are this shard's: no user is another machine's as well.

    A stand that is started for the load is nobody else's. Raises ScenarioError if none is left for the shard.
    """
    users = stand.users.fields()
    if share.of == 1 or stand.start or not users:
        return stand
    own = users_of(users, share)
    if not own:
        raise ScenarioError(
            f"there is no user for shard {share}: the stand {stand.name!r} has {len(users)}, which the shards divide",
            place=stand.source or None,
            hint="add users to the stand, or divide the load among fewer machines",
        )
    return stand.with_users(own)


def users_wanted(plan: Plan) -> int:
    """How many users a stand should make that makes its own; 0 if the plan needs none."""
    wanted = 0
    for part in plan.parts:
        most = _most_users(part)
        if most is None:
            lasts_s = min(_OPEN_FOR_S, part.duration_s or _OPEN_FOR_S)
            most = _users(part) * (math.ceil(part.profile.peak / part.profile.share.of * lasts_s) + 1)
        wanted += most
    return min(wanted, _MOST_USERS)


def _most_users(part: PlannedPart) -> int | None:
    """How many users there are at once; of conversations that begin at a rate one never knows."""
    return None if part.is_open and _users(part) else part.most_users


def _users(part: PlannedPart) -> int:
    return sum(kind.needs_user for kind in part.scenario.actors.values())


def _connections(plan: Plan) -> int:
    """How many connections there are at once; those of conversations that begin at a rate are not known."""
    total = 0
    for part in plan.parts:
        if not part.is_open:
            users = max((users for _, users in part.profile.steps()), default=0)
            total += users * sum(kind.connections() for kind in part.scenario.actors.values())
    return total
