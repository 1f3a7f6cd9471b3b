"""The one record of a run: what happened, in order, kept in memory and passed on, masked, as it happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from antiphon.conversation.waits import Wait
from antiphon.errors import RecordingError
from antiphon.journal.entries import Recorded
from antiphon.journal.inlet import Inlet
from antiphon.journal.masking import Masker
from antiphon.journal.outlet import Outlet, Sink
from antiphon.journal.recordable import Recordable, at_ns, entries_of, write_down_in

__all__ = ["KEEP", "Journal", "Report"]

KEEP: Final = 10_000
"""So many entries stay in memory if nobody says otherwise."""


class Report(Protocol):
    """Something that is made of a run's journal. It is given the run's directory, and then every entry in order.

    It may also take `target`, a text: the place that was chosen for it, "" for none.
    """

    def __call__(self, directory: Path) -> Sink:
        """A sink for one run; its `close`, if it has one, is called at the run's end.

        If it writes later than it is called, it may have `tell_failures`, which is given a function that is to be
        called, in the run's event loop, with an error that ends the run.

        Raises OSError if the directory cannot be written.
        """
        ...


class Journal:
    """Collects the entries of one run.

    `record` puts an entry in, or what is `Deferred`, or what has a beginning and an end, a channel's wait or a step:
    itself where it begins, and in a tuple of its own where it has ended. Without sinks the entries are made of it when
    somebody reads `entries`. The last `keep` stay in memory, as they were, and of large messages fewer: those with the
    last `keep_bytes` of raw data. Sinks get them masked. A run under load has no sinks. An entry that one sink cannot
    write is given to the others before `record` raises what that sink raised.
    """

    seed: str = ""
    """What chance goes by in the run."""

    def __init__(self, keep: int = KEEP, masker: Masker | None = None, *, keep_bytes: int = 64 * 1024 * 1024) -> None:
        self._ring: deque[Any] = deque(maxlen=keep)
        self.keep = keep
        self._keep_bytes = keep_bytes
        # Made when the first is put in: an empty one takes as much memory as sixty entries would, in each of all runs.
        self._weights: deque[tuple[Recorded, int]] | None = None
        self._weight_bytes = 0
        self.masker = masker if masker is not None else Masker()
        # Not a method that asks whether there are sinks: a load records millions of entries into memory only.
        self.record: Sink = self._ring.append
        self._outlet: Outlet | None = None

    @property
    def entries(self) -> list[Any]:
        """The entries that are kept, oldest first."""
        return entries_of(self._ring)

    @property
    def inlet(self) -> Inlet:
        """What records what there is most of; to be asked for when all sinks are attached."""
        record = self.record
        return Inlet(record, record, record, record, record)

    @property
    def has_sinks(self) -> bool:
        """False while entries go into memory only, which cannot fail."""
        return self._outlet is not None

    def tell_failures(self, on_failure: Callable[[RecordingError], None]) -> None:
        """Call this with what a sink cannot write, from now on, instead of raising it from `record`."""
        if self._outlet is not None:
            self._outlet.on_failure = on_failure

    def fail(self, error: RecordingError) -> None:
        """A sink that writes later than it is called could not: tell whoever is told of failures."""
        if self._outlet is not None and self._outlet.on_failure is not None:
            self._outlet.on_failure(error)

    def weigh(self, message: Recorded, size_bytes: int) -> None:
        """So much raw data has been recorded up to this entry: let go of the oldest entries if it is too much.

        Told by who records messages, of large ones only or every so many bytes: to look at each costs more than to
        record it.
        """
        if self._weights is None:
            self._weights = deque()
        self._weights.append((message, size_bytes))
        self._weight_bytes += size_bytes
        self._lighten()

    def _lighten(self) -> None:
        """Let go of the oldest entries while there is too much raw data in them."""
        entries, weights = self._ring, self._weights
        while (
            weights is not None
            and len(weights) > 1
            and (self._weight_bytes > self._keep_bytes or (entries and weights[0][0].at_ns < at_ns(entries[0])))
        ):
            oldest, weight_bytes = weights.popleft()
            self._weight_bytes -= weight_bytes
            # It may have fallen out by itself.
            while entries and at_ns(entries[0]) <= oldest.at_ns and entries.popleft() is not oldest:
                pass

    def write_down(self, wait: Wait[Any]) -> None:
        """Keep what is recorded of the wait as it is now, instead of the wait."""
        if self._outlet is None:  # with sinks it was written when it happened
            write_down_in(self._ring, wait)

    def hand_over(self) -> list[Recordable]:
        """The run is over: what was kept, for whoever has the run; `entries_of` makes entries of it.

        Here nothing of it stays: it leads to actors and waits, and those to this.
        """
        kept = list(self._ring)
        self._ring.clear()
        self._weights = None
        return kept

    def attach(self, sink: Sink, *, with_protocol: bool = False) -> None:
        """Call `sink` with every entry from now on; sinks are attached before the run's engine is made.

        What protocols said by themselves is left out unless `with_protocol` asks for it, as by `read_journal`.
        """
        if self._outlet is None:
            self._outlet = Outlet(self._ring, self.masker)
            self.record = self._outlet.record
        self._outlet.add(sink, with_protocol=with_protocol)
