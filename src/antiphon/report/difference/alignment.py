"""Which members of two sequences correspond: a longest common subsequence, in time that grows with what differs.

E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986). Where two sequences differ by
more than `MOST_EDITS`, which would take that many squared, the n-th member of each name corresponds to the n-th of that
name, as far as their order is the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

__all__ = ["aligned", "moved"]

MOST_EDITS: Final = 1_000

Pair = tuple[int, int]
"""The place of a member in the first sequence, and of its counterpart in the second."""


def aligned(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Pair]:
    """The places that correspond, both ascending."""
    shorter = min(len(before), len(after))
    # Two runs of one scenario begin and end alike: what is in between is short, and Myers' cost is that of its square.
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    room = shorter - start
    end = next((at for at in range(room) if before[-1 - at] != after[-1 - at]), room)
    middle = before[start : len(before) - end], after[start : len(after) - end]
    found = _shortest_edits(*middle)
    if found is None:
        found = _longest_ascending(_by_occurrence(*middle))
    pairs = [(at, at) for at in range(start)]
    pairs += [(first + start, second + start) for first, second in found]
    return pairs + [(len(before) - at, len(after) - at) for at in range(end, 0, -1)]


def moved(
    before: Sequence[Hashable], after: Sequence[Hashable], pairs: Sequence[Pair]
) -> tuple[list[Pair], list[int], list[int]]:
    """Of the members without a counterpart: those that stand elsewhere, those that are gone, those that are new."""
    taken_before, taken_after = {first for first, _ in pairs}, {second for _, second in pairs}
    waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
    gone = [at for at in range(len(before)) if at not in taken_before]
    # Reversed, so that `pop` gives the first of them.
    for at in reversed(gone):
        waiting[before[at]].append(at)
    elsewhere, new = [], []
    for at in range(len(after)):
        if at in taken_after:
            continue
        if waiting[after[at]]:
            elsewhere.append((waiting[after[at]].pop(), at))
        else:
            new.append(at)
    found = {first for first, _ in elsewhere}
    return elsewhere, [at for at in gone if at not in found], new


def _shortest_edits(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Pair] | None:
    """The pairs of a shortest edit; None if it has more than `MOST_EDITS` edits.

    `furthest[k]` is how far in `before` one gets on the diagonal k = x - y; `history` has it for each number of edits.
    """
    furthest: dict[int, int] = {}
    history: list[dict[int, int]] = []
    for edits in range(min(len(before) + len(after), MOST_EDITS) + 1):
        reached = {}
        # Every other one: an edit changes the diagonal by one, so its parity is that of their number.
        for diagonal in range(-edits, edits + 1, 2):
            x = _step(furthest, diagonal, edits)
            y = x - diagonal
            while x < len(before) and 0 <= y < len(after) and before[x] == after[y]:
                x, y = x + 1, y + 1
            reached[diagonal] = x
            if x >= len(before) and y >= len(after):
                return _pairs(history, diagonal, x)
        # The way back is read from these; to keep them is the square of the edits, and so they are bounded.
        history.append(reached)
        furthest = reached
    return None


def _step(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """Where the next edit on that diagonal leads: down from the one above, or to the right from the one below."""
    if edits == 0:
        return 0
    return furthest[diagonal + 1] if _is_down(furthest, diagonal, edits) else furthest[diagonal - 1] + 1


def _is_down(furthest: dict[int, int], diagonal: int, edits: int) -> bool:
    return diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])


def _pairs(history: list[dict[int, int]], diagonal: int, x: int) -> list[Pair]:
    """The way back from the end."""
    pairs: list[Pair] = []
    for edits in range(len(history), 0, -1):
        furthest = history[edits - 1]
        start = _step(furthest, diagonal, edits)
        pairs += [(at - 1, at - 1 - diagonal) for at in range(x, start, -1)]
        diagonal, x = (diagonal + 1, start) if _is_down(furthest, diagonal, edits) else (diagonal - 1, start - 1)
    pairs += [(at - 1, at - 1) for at in range(x, 0, -1)]
    return pairs[::-1]


def _by_occurrence(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Pair]:
    """The n-th member of each name with the n-th of that name, in the order of the first sequence."""
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    # Backwards, so that `pop` gives the first that is left.
    for at in range(len(after) - 1, -1, -1):
        places[after[at]].append(at)
    return [(at, places[name].pop()) for at, name in enumerate(before) if places[name]]


def _longest_ascending(pairs: Sequence[Pair]) -> list[Pair]:
    """As many of the pairs as can be kept with both places ascending (patience sorting)."""
    tops: list[int] = []
    owners: list[int] = []
    previous: list[int] = []
    for index, (_, second) in enumerate(pairs):
        pile = bisect_left(tops, second)
        previous.append(owners[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(second)
            owners.append(index)
        else:
            # A lower top is never worse: whatever fits behind the old one fits behind this one too.
            tops[pile], owners[pile] = second, index
    chosen: list[Pair] = []
    at = owners[-1] if owners else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = previous[at]
    return chosen[::-1]
