"""Users: whom an actor can be. Each is lent to one actor at a time, also among all processes on a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from os import getpid
from typing import Any, Final

import msgspec

from antiphon.conversation.clock import iso_utc
from antiphon.conversation.match import describe, matches
from antiphon.conversation.wording import counted, visible
from antiphon.errors import ScenarioError
from antiphon.stand.user_lock import Holder, UserLock

__all__ = ["NAME_HINT", "User", "UserPool", "Wanted", "wrong_name"]

TRY_EVERY_S: Final = 0.05
"""How often those who wait for a user look whether one is free: another process does not tell us."""

_MOST_TOLD: Final = 8


class User:
    """Someone whom an actor can be: `name`, `password` and whatever else the stand gives, as attributes."""

    def __init__(self, /, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        raise ScenarioError(
            f"the user {self.__dict__.get('name', '')!r} has no {name!r}", hint=f"it has {', '.join(self.__dict__)}"
        )

    def __repr__(self) -> str:
        return f"User({self.__dict__.get('name', '')!r})"


class Wanted(msgspec.Struct):
    """An actor that is to be someone.

    `where` is a pattern (see `antiphon.conversation.match`) for the user's fields, or None.
    """

    actor: str
    where: Any = None

    def fits(self, user: User) -> bool:
        """True if the actor can be this user."""
        return self.where is None or matches(self.where, vars(user))

    def __str__(self) -> str:
        return self.actor if self.where is None else f"{self.actor}, who is to be {describe(self.where)}"


class _Loan(msgspec.Struct):
    """To whom a user is lent, and the lock that keeps other processes away."""

    holder: Holder
    lock: UserLock | None


NAME_HINT: Final = "each user has a name of its own, in characters that can be seen"


def wrong_name(name: Any, others: Container[Any]) -> str:
    """What is wrong with a user's name, beside those of the others; "" for nothing."""
    if not isinstance(name, str) or not name.strip():
        return "this user has no name"
    if visible(name) != name:
        return f"the name of a user has a character that cannot be seen: {visible(name)}"
    return f"there are two users named {name!r}" if name in others else ""


class UserPool:
    """The users of one stand.

    `title` names the stand in errors, `place` is where it was read. `key`, if it is not empty, tells the stand from all
    others on the machine: then no two processes lend the same user.
    """

    def __init__(self, users: Iterable[Mapping[str, Any]], *, title: str, place: str | None, key: str = "") -> None:
        self._users = [User(**user) for user in users]
        self._title = title
        self._place = place
        self._key = key
        self._loans: dict[str, _Loan] = {}
        self._queue = list(self._users)
        names: set[str] = set()
        for user in self._users:
            if wrong := wrong_name(user.name, names):
                raise ScenarioError(f"{title}: {wrong}", place=place, hint=NAME_HINT)
            names.add(user.name)

    def __len__(self) -> int:
        return len(self._users)

    @property
    def is_shared(self) -> bool:
        """Whether other processes of the machine may lend the same users, so that they are locked."""
        return bool(self._key)

    def fields(self) -> list[dict[str, Any]]:
        """What is known of each user."""
        return [vars(user) for user in self._users]

    async def lend(self, wanted: Sequence[Wanted], *, within_s: float, run: str) -> list[User | None]:
        """A user for each of the wanted, all of them or none; None for each if the stand has no users and any would do.

        Waits up to `within_s` until they are free; `run` is told to whoever waits meanwhile. Raises ScenarioError if
        there are no such users, or they are not free in time.
        """
        if not self._users and all(want.where is None for want in wanted):
            return [None] * len(wanted)
        self._require_enough(wanted)
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        while True:
            lent, missing = self._try_to_lend(wanted, run)
            if missing is None:
                return lent
            # After trying: users that became free in the last moment are taken.
            if now_s() - began_s >= within_s:
                raise self._not_free(missing, now_s() - began_s)
            await asyncio.sleep(TRY_EVERY_S)

    def take_back(self, users: Iterable[User | None]) -> None:
        """These users are free again."""
        # Behind the others: users take turns, so that what one run leaves behind in the system shows.
        self._queue += [user for user in users if user is not None and self._end_loan(user)]

    def _require_enough(self, wanted: Sequence[Wanted]) -> None:
        for want in wanted:
            if want.where is not None and not any(map(want.fits, self._users)):
                there = ", ".join(user.name for user in self._users[:_MOST_TOLD]) or "none"
                raise ScenarioError(
                    f"{self._title} has no user for {want}", place=self._place, hint=f"its users are: {there}"
                )
        if len(wanted) > len(self._users):
            raise ScenarioError(
                f"{self._title} has {counted(len(self._users), 'user')}, and {len(wanted)} are needed at once",
                place=self._place,
                hint="add users to it",
            )

    def _try_to_lend(self, wanted: Sequence[Wanted], run: str) -> tuple[list[User | None], Wanted | None]:
        """The users, or who got none; then nobody has got one."""
        lent: dict[int, User] = {}
        # Who has the least choice goes first: else the first takes the only one that fits the second.
        for index in sorted(range(len(wanted)), key=lambda index: self._choice(wanted[index])):
            want = wanted[index]
            user = next((user for user in self._queue if want.fits(user) and self._begin_loan(user, want, run)), None)
            if user is None:
                # All or none: two runs that each hold half of what both need would wait for each other for ever. They
                # go back to the front, where they were.
                self._queue[:0] = [user for user in lent.values() if self._end_loan(user)]
                return [], want
            self._queue.remove(user)
            lent[index] = user
        return [lent[index] for index in range(len(wanted))], None

    def _choice(self, want: Wanted) -> int:
        """How many users it could be: who has the least choice chooses first."""
        return len(self._users) if want.where is None else sum(map(want.fits, self._users))

    def _begin_loan(self, user: User, want: Wanted, run: str) -> bool:
        holder = Holder(getpid(), run, want.actor, iso_utc(datetime.now(UTC)))
        lock = UserLock(self._key, user.name) if self._key else None
        if lock is not None and not lock.try_lock(holder):
            return False
        self._loans[user.name] = _Loan(holder, lock)
        return True

    def _end_loan(self, user: User) -> bool:
        loan = self._loans.pop(user.name, None)
        if loan is not None and loan.lock is not None:
            loan.lock.free()
        return loan is not None

    def _not_free(self, want: Wanted, waited_s: float) -> ScenarioError:
        fitting = [user for user in self._users if want.fits(user)]
        lines = [f"no user of {self._title} became free within {waited_s:.1f} s for {want}"]
        lines += [f"{user.name} is lent to {self._holder(user)}" for user in fitting[:_MOST_TOLD]]
        if len(fitting) > _MOST_TOLD:
            lines.append(f"and so are {len(fitting) - _MOST_TOLD} more")
        hint = "add users to it, or wait longer with users_within_s"
        return ScenarioError("\n  ".join(lines), place=self._place, hint=hint)

    def _holder(self, user: User) -> str:
        if user.name in self._loans:
            return str(self._loans[user.name].holder)
        holder = UserLock(self._key, user.name).holder() if self._key else None
        return str(holder) if holder is not None else "another process"
