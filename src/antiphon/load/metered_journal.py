"""The record of a conversation under load, measured as it grows: the whole of a short one, the last of a long one.

To record is to put into memory and to measure, in one call: see `antiphon.load.measuring`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.waits import Wait
from antiphon.journal import Note, RunStarted, WaitEnded, WaitStarted
from antiphon.journal.file import FILE_NAME, JournalWriter
from antiphon.journal.inlet import Inlet
from antiphon.journal.journal import KEEP, Journal
from antiphon.journal.masking import Masker
from antiphon.journal.outlet import Sink
from antiphon.journal.recordable import Recordable, entries_of, written
from antiphon.load.measuring import Measuring

__all__ = ["LASTING", "MeteredJournal"]

LASTING: Final = 64
"""So many of its latest entries are kept of a conversation that is too long to be kept whole."""


class MeteredJournal(Journal):
    """A journal that keeps a conversation whole up to `whole` entries, and of a longer one the last `keep`.

    What is let go of after a long time is in no cache any more: of a conversation that nobody can have whole less is
    kept than of others, which makes a round trip a tenth cheaper.

    It writes nothing while the run goes on, so nothing is put into words or masked then: `write_to` makes the run's own
    journal of it afterwards. A sink that is attached, at any time, gets all that is kept, and from then on what is
    recorded, as it happens; what it raises is raised there, when all is in its place.

    `soon` calls what it is given when there is time for it, None is at once.

    When its run is over it still leads to the run's actors and waits, unlike a `Journal`, because it may be written
    then: whoever has decided about that calls `forget`.
    """

    def __init__(
        self,
        measuring: Measuring,
        keep: int = KEEP,
        masker: Masker | None = None,
        *,
        whole: int | None = None,
        keep_bytes: int = 64 * 1024 * 1024,
        soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        super().__init__(keep, masker, keep_bytes=keep_bytes)
        self._whole = whole if whole is not None else keep
        # Without an end until there is too much: what falls out is to be looked at before.
        self._ring = deque()
        self._is_whole = True
        self._soon = soon
        self._first: Recordable | None = None
        self._watched: Journal | None = None
        self._unlooked: dict[str, int] = {}
        self._looked_at: set[str] = set()
        self._learnt_to: Any = None
        self._measure: Sink = measuring.add
        measuring.mask = self.masked
        self.record, self._inlet, self._record_into = measuring.recorder(
            self._ring.append, self._looked_at, self._hear, self._measure_rest
        )

    @property
    def entries(self) -> list[Any]:
        """The entries that are kept, oldest first."""
        return entries_of(deque(self._ring, self._whole))

    @property
    def inlet(self) -> Inlet:
        """See `Journal.inlet`."""
        return self._inlet

    @property
    def has_sinks(self) -> bool:
        """False: what is recorded goes into memory first, which cannot fail."""
        return False

    def _measure_rest(self, recorded: Any) -> None:
        """What the recorder does not measure itself was recorded."""
        self._measure(recorded)
        if isinstance(recorded, Message):
            if recorded.name not in self._looked_at:
                self._hear(recorded)
        elif len(self._ring) > self._whole:
            self._make_room()

    def _hear(self, message: Message) -> None:
        """A message of a name that may teach the masker something was recorded."""
        if not self._is_whole:
            self._learn_from(message)
        elif len(self._ring) > self._whole:
            self._make_room()

    def _make_room(self) -> None:
        """It is too long to be kept whole; to look at all that falls out takes as long as some answers do."""
        soon, self._soon = self._soon, _never
        if soon is None:
            self._shorten()
        else:
            soon(self._shorten)

    def _shorten(self) -> None:
        """Keep the last of it only. From now on what falls out is not looked at."""
        if not self._is_whole or not self._ring:  # it may have been forgotten meanwhile
            return
        self._is_whole = False
        before, self._first = self._ring, self._ring[0]
        self._ring = deque(before, self.keep)
        for each in before:
            if isinstance(each, Message):
                self._learn_from(each)
        before.clear()
        self._choose()

    def _choose(self) -> None:
        """Have what is recorded put where it belongs now."""
        self._record_into(self._ring.append if self._watched is None else self._put_and_tell)

    def _put_and_tell(self, recorded: Any) -> None:
        self._ring.append(recorded)
        assert self._watched is not None
        self._watched.record(recorded)

    def _lighten(self) -> None:
        if self._weight_bytes > self._keep_bytes:
            self._shorten()
        super()._lighten()

    def masked(self, text: str) -> str:
        """The text without secrets, also those that were heard and that nothing has been written of."""
        latest = self._ring[-1] if self._ring else None
        for each in reversed(self._ring):
            if each is self._learnt_to:
                break
            if isinstance(each, Message):
                self.masker.learn_from(each.body)
        self._learnt_to = latest
        return self.masker.text(text)

    def hand_over(self) -> list[Recordable]:
        """The run is over. What it recorded stays here until `forget`: whoever has the run has none of it."""
        return []

    def forget(self) -> None:
        """Keep nothing, and nothing that leads round in a circle: all that was wanted of it has been taken."""
        self._ring.clear()
        self._weights = self._watched = None
        self._weight_bytes = 0
        self._learnt_to = None
        self.record = self._record_into = self._measure = _nothing
        self._inlet = Inlet(_nothing, _nothing, _nothing, _nothing, _nothing)

    def attach(self, sink: Sink, *, with_protocol: bool = False) -> None:
        """Call `sink` with what is kept, and from now on with what is recorded."""
        watched = Journal(0, self.masker)
        watched.attach(sink, with_protocol=with_protocol)
        if self._watched is not None:  # a second one: both hear the rest
            self._watched.attach(sink, with_protocol=with_protocol)
        for each in self._complete(self._ring):
            watched.record(each)
        self._watched = self._watched or watched
        self._choose()

    def detach(self) -> None:
        """Nobody watches any more."""
        self._watched = None
        self._choose()

    def write_to(self, directory: Path) -> None:
        """Write the run's journal into the directory, as far as it is kept, and say if that is not all.

        It is masked, and entries are placed under their steps, as in a run that is recorded while it goes on. Raises
        RecordingError if it cannot be written.
        """
        writer = JournalWriter(directory / FILE_NAME)
        try:
            journal = Journal(0, self.masker)
            journal.attach(writer, with_protocol=True)
            for each in self._complete(self._ring):
                journal.record(each)
        finally:
            writer.close()

    def _learn_from(self, message: Message) -> None:
        """What falls out is not written, and so would teach the masker nothing of the secrets that it held.

        Of a message's name so many are looked at, and all if there was a secret in one of them: to look at each of
        millions would cost more than to measure them.
        """
        masker, unlooked, name = self.masker, self._unlooked, message.name
        left = unlooked.get(name, _LOOKED_AT)
        if left:
            masker.learn_from(message.body)
            has_secret = masker.value(message.body) is not message.body
            if len(unlooked) < _MOST_NAMES:
                unlooked[name] = _ALWAYS if has_secret else left - 1
        elif len(self._looked_at) < _MOST_NAMES:
            self._looked_at.add(name)

    def _complete(self, kept: Iterable[Any]) -> Iterator[Any]:
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
        if not self._is_whole:
            at_ns = max((each.at_ns for each in beginnings), default=0)
            told = f"of a conversation with more than {self._whole} the last {self.keep} are"
            yield Note(at_ns=at_ns, text=f"earlier entries are not kept: {told}")
        yield from (each for each in kept if each.__class__ is not WaitEnded or each.number in waits)


def _begins_wait(recorded: Any) -> bool:
    return isinstance(recorded, (Wait, WaitStarted))


_LOOKED_AT: Final = 16
_ALWAYS: Final = 1 << 62
_MOST_NAMES: Final = 1_000
_by_moment: Final = attrgetter("at_ns")


def _nothing(_recorded: Any) -> None:
    """The conversation is over."""


def _never(_function: Callable[[], None]) -> None:
    """It was asked for once."""
