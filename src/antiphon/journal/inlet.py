"""Where what is recorded enters a journal, by what it is: so nobody who measures has to ask that again."""

from __future__ import annotations

import msgspec

from antiphon.journal.outlet import Sink

__all__ = ["Inlet"]


class Inlet(msgspec.Struct, frozen=True):
    """What records what there is most of; all that is recorded otherwise goes to `Journal.record`, as these may, too.

    `begun` takes a step or a wait that begins; `sent` a message of one frame, which its own text is; `received` a
    message that no protocol said by itself; `satisfied` a wait in a tuple of its own that got what it was for, neither
    failed nor given up; `done` a step in a tuple of its own that has passed.
    """

    begun: Sink
    sent: Sink
    received: Sink
    satisfied: Sink
    done: Sink
