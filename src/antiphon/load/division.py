"""How the time of a step divides over what it awaited: at each moment it is that of the wait that is settled next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["OTHERS", "Division", "Settled", "divide"]

Settled = tuple[str, int, int]
"""A wait that is over: its name, when it was made and when it was settled."""


def divide(waits: Sequence[Settled]) -> Mapping[str, int]:
    """How much of the time each name has got, in the order in which the waits were settled; see `Division`."""
    gained_ns: dict[str, int] = {}
    last_ns = waits[0][1]
    for name, made_ns, settled_ns in waits:
        if made_ns < last_ns:  # not one after the other, as most are
            return Division().add_all(waits).gained_ns
        last_ns = settled_ns
        gained_ns[name] = gained_ns.get(name, 0) + settled_ns - made_ns
    return gained_ns


class Division:
    """The waits of one step, given as they are settled; `gained_ns` is what each name has got of the time so far.

    A wait gets of its time what none that was settled before has got. So the sums of all names are the time in which
    anything was awaited, and what is left of the step is nobody's. However many waits there are, it stays small.
    """

    __slots__ = ("_spans", "gained_ns")

    def __init__(self) -> None:
        self.gained_ns: dict[str, int] = {}
        # Spans of time that do not touch, oldest first: begin, end, and how much between them was got by somebody.
        self._spans: list[list[int]] = []

    def add_all(self, waits: Sequence[Settled]) -> Division:
        """All of these were settled, in this order."""
        for each in waits:
            self.add(*each)
        return self

    def add(self, name: str, made_ns: int, settled_ns: int) -> None:
        """A wait of that name was settled, not before those that were added before."""
        spans = self._spans
        begin_ns, got_ns, before_ns = made_ns, 0, 0
        while spans and spans[-1][1] > made_ns:
            first_ns, last_ns, span_got_ns = spans.pop()
            if first_ns < made_ns:  # it reaches into this one, of which the part before stays as it is
                inside_ns = min(span_got_ns, last_ns - made_ns)
                begin_ns, before_ns = first_ns, span_got_ns - inside_ns
                got_ns += inside_ns
            else:
                got_ns += span_got_ns
        gain_ns = max(settled_ns - made_ns - got_ns, 0)
        spans.append([begin_ns, settled_ns, before_ns + max(settled_ns - made_ns, 0)])
        if len(spans) > _MOST_SPANS:
            # Of waits that began between these two we only know then how much was got, and not when.
            first, second = spans[:2]
            spans[:2] = [[first[0], second[1], first[2] + second[2]]]
        if name not in self.gained_ns and len(self.gained_ns) >= _MOST_NAMES:
            name = OTHERS
        self.gained_ns[name] = self.gained_ns.get(name, 0) + gain_ns


OTHERS: Final = "others"
"""What is awaited under ever new names is told as this."""

_MOST_NAMES: Final = 100
_MOST_SPANS: Final = 256
