"""The record of a conversation under load: what happened since it was last looked at, and the last of what was before.

Nothing of what is measured is looked at while it happens: to record is to append to a list, and whoever drives the load
takes that list some times a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange, MessageWait, Wait
from antiphon.journal import Note, RunStarted, WaitEnded, WaitStarted
from antiphon.journal.entries import Recorded
from antiphon.journal.file import FILE_NAME, JournalWriter
from antiphon.journal.journal import KEEP, Journal
from antiphon.journal.masking import Masker
from antiphon.journal.outlet import Sink
from antiphon.journal.performed import PerformedStep
from antiphon.journal.recordable import Recordable, write_down_in, written

__all__ = ["MeteredJournal"]


class MeteredJournal(Journal):
    """A journal in two parts: what `take` has not given yet, all of it, and before that the last `keep` entries.

    It writes nothing while the run goes on, so nothing is put into words or masked then: `write_to` makes the run's own
    journal of it afterwards. A sink that is attached, at any time, gets all that is kept, and from then on with each
    `take` what was recorded since; what it raises is raised there, when all is in its place.

    When its run is over it still leads to the run's actors and waits, unlike a `Journal`, because what was recorded
    last has to be looked at: whoever has taken that calls `forget`.
    """

    def __init__(self, keep: int = KEEP, masker: Masker | None = None, *, keep_bytes: int = 64 * 1024 * 1024) -> None:
        super().__init__(keep, masker, keep_bytes=keep_bytes)
        # One list for ever: whoever records has its `append`.
        self._pending: list[Any] = []
        self.record: Sink = self._pending.append
        self._taken = self._learnt = 0
        self._first: Recordable | None = None
        self._watched: Journal | None = None
        self._unlooked: dict[str, int] = {}
        self._looked_at: set[str] = set()

    @property
    def entries(self) -> list[Any]:
        """The entries that are kept, oldest first, with those that were not taken; `keep` at most."""
        return [written(each) for each in deque(self._kept(), self.keep)]

    @property
    def has_sinks(self) -> bool:
        """False: what is recorded goes into memory first, which cannot fail."""
        return False

    def take(self) -> list[Any]:
        """What was recorded since the last time, in order. From now on it is among what is kept."""
        pending, ring = self._pending, self._ring
        if not pending:  # most of thousands are silent most of the time
            return []
        recorded = pending.copy()
        pending.clear()
        if not self._taken:
            self._first = recorded[0]
        self._taken += len(recorded)
        overflow = len(ring) + len(recorded) - self.keep
        if overflow > 0:
            self._learn_from(islice(chain(ring, recorded), overflow))
        ring.extend(recorded)
        if self._weight_bytes > self._keep_bytes:
            self._lighten()
        if self._watched is not None:
            for each in recorded:
                self._watched.record(each)
        return recorded

    def weigh(self, message: Recorded, size_bytes: int) -> None:
        """So much raw data has been recorded up to this entry: with the next `take` the oldest entries are let go of
        if it is too much."""
        if self._weights is None:
            self._weights = deque()
        self._weights.append((message, size_bytes))
        self._weight_bytes += size_bytes

    def _lighten(self) -> None:
        before = list(self._ring)
        super()._lighten()
        self._learn_from(before[: len(before) - len(self._ring)])

    def write_down(self, wait: Wait[Any]) -> None:
        """Keep what is recorded of the wait as it is now, instead of the wait, taken or not."""
        if not write_down_in(self._pending, wait):
            write_down_in(self._ring, wait)

    def masked(self, text: str) -> str:
        """The text without secrets, also those that were heard and that nothing has been written of."""
        unlearnt = self._taken - self._learnt
        if unlearnt:
            self._learnt = self._taken
            for each in islice(reversed(self._ring), unlearnt):
                if isinstance(each, Message):
                    self.masker.learn_from(each.body)
        return self.masker.text(text)

    def hand_over(self) -> list[Recordable]:
        """The run is over. What it recorded stays here until `forget`, since its end is still to be taken: whoever has
        the run has none of it."""
        return []

    def forget(self) -> None:
        """Keep nothing, and nothing that leads round in a circle: all that was wanted of it has been taken."""
        self._pending.clear()
        self._ring.clear()
        self._weights = self._watched = None
        self._weight_bytes = 0

    def attach(self, sink: Sink, *, with_protocol: bool = False) -> None:
        """Call `sink` with what is kept, and from now on, at each `take`, with what was recorded since."""
        watched = Journal(0, self.masker)
        watched.attach(sink, with_protocol=with_protocol)
        if self._watched is not None:  # a second one: both hear the rest
            self._watched.attach(sink, with_protocol=with_protocol)
        for each in self._whole(self._ring):
            watched.record(each)
        self._watched = self._watched or watched

    def detach(self) -> None:
        """Nobody watches any more."""
        self._watched = None

    def write_to(self, directory: Path) -> None:
        """Write the run's journal into the directory, as far as it is kept, with how much is not.

        It is masked, and entries are placed under their steps, as in a run that is recorded while it goes on. Raises
        RecordingError if it cannot be written.
        """
        writer = JournalWriter(directory / FILE_NAME)
        try:
            journal = Journal(0, self.masker)
            journal.attach(writer, with_protocol=True)
            for each in self._whole(self._kept()):
                journal.record(each)
        finally:
            writer.close()

    def _kept(self) -> Iterator[Any]:
        return chain(self._ring, self._pending)

    def _learn_from(self, fallen: Iterable[Any]) -> None:
        """What fell out is not written, and so would teach the masker nothing of the secrets that it held.

        Of a message's name so many are looked at, and all if there was a secret in one of them: to look at each of
        millions would cost more than to measure them.
        """
        masker, unlooked = self.masker, self._unlooked
        fallen = list(fallen)
        names = {each.name for each in fallen if each.__class__ is Message}
        if names.issubset(self._looked_at) and _MOST.issuperset(map(type, fallen)):
            return
        for each in fallen:
            if not isinstance(each, Message):
                continue
            left = unlooked.get(each.name, _LOOKED_AT)
            if left:
                masker.learn_from(each.body)
                has_secret = masker.value(each.body) is not each.body
                if len(unlooked) < _MOST_NAMES:
                    unlooked[each.name] = _ALWAYS if has_secret else left - 1
            elif len(self._looked_at) < _MOST_NAMES:
                self._looked_at.add(each.name)

    def _whole(self, kept: Iterable[Any]) -> Iterator[Any]:
        """What is kept as a record of its own: with the run's beginning, and those of steps and waits that end in it.

        The end of a wait whose beginning cannot be told is left out.
        """
        kept = list(kept)
        begun = {id(each) for each in kept}
        waits = {each.order if isinstance(each, Wait) else each.number for each in kept if _begins_wait(each)}
        if self._first is not None and id(self._first) not in begun:
            started = written(self._first)  # a load puts it into words only where it is kept
            if isinstance(started, RunStarted):
                yield started
        over = [each[0] for each in kept if each.__class__ is tuple and id(each[0]) not in begun]
        beginnings = sorted(map(written, over), key=_by_moment)
        yield from beginnings
        waits |= {each.number for each in beginnings if isinstance(each, WaitStarted)}
        fallen = self._taken - len(self._ring)
        if fallen > 0:
            at_ns = max((each.at_ns for each in beginnings), default=0)
            told = "1 earlier entry is" if fallen == 1 else f"{fallen} earlier entries are"
            yield Note(at_ns=at_ns, text=f"{told} not kept: of each conversation the last {self.keep} are")
        yield from (each for each in kept if each.__class__ is not WaitEnded or each.number in waits)


def _begins_wait(recorded: Any) -> bool:
    return isinstance(recorded, (Wait, WaitStarted))


_MOST: Final = frozenset({Message, tuple, PerformedStep, Exchange, MessageWait})
_LOOKED_AT: Final = 16
_ALWAYS: Final = 1 << 62
_MOST_NAMES: Final = 1_000
_by_moment: Final = attrgetter("at_ns")
