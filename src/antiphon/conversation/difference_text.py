"""Differences as lines for a person: a field on a line, what is long in a layout that shows where it differs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from antiphon.conversation.match import ABSENT, Difference, describe, matches
from antiphon.conversation.wording import counted, cut, one_line, shorten
from antiphon.errors import Line, plain_line

__all__ = ["difference_lines", "kind_of_difference"]

MOST_TOLD: Final = 6
"""So many differences are told of a body, and so many items of a list."""

LONGEST_LINE: Final = 120
LONGEST_SHORT: Final = 400
"""A line that is longer than others, because there is nothing to be shown below it, is cut at this."""

LONGEST_LIST: Final = 40
_LONG_TEXT: Final = 60

_KINDS: Final[dict[str, Callable[[str, str], bool]]] = {
    "a blank at the end": lambda wanted, found: found.rstrip() == wanted,
    "a blank at the beginning": lambda wanted, found: found.lstrip() == wanted,
    "no blank at the end": lambda wanted, found: wanted.rstrip() == found,
    "no blank at the beginning": lambda wanted, found: wanted.lstrip() == found,
    "differs in blanks": lambda wanted, found: wanted.split() == found.split() and bool(found.split()),
    "differs in case": lambda wanted, found: wanted.casefold() == found.casefold(),
    "the same words in another order": lambda wanted, found: sorted(wanted.split()) == sorted(found.split()) != [],
    "reversed": lambda wanted, found: wanted[::-1] == found and len(found) > 1,
    "the same to the eye, in other characters": lambda wanted, found: (
        unicodedata.normalize("NFKC", wanted) == unicodedata.normalize("NFKC", found)
    ),
}
"""By what is looked at first."""

_BEFORE, _AFTER = 12, 60
"""How much of a long text is shown around the place where it begins to differ."""


def difference_lines(found: Sequence[Difference], mask: Callable[[str], str] | None = None) -> list[Line]:
    """The differences, each on one line or, if it is long, with its parts on lines below it; at most some 16 lines.

    Long texts are shown from where they begin to differ, if there is a `mask`: a secret that is cut on both sides could
    not be masked afterwards.
    """
    found = [each for group in _grouped(found) for each in _in_one(group)]
    lines: list[Line] = []
    for number, difference in enumerate(found):
        if number == MOST_TOLD or len(lines) > MOST_TOLD:
            return [*lines, ((f"and {len(found) - number} more differences", ""),)]
        lines += _told(difference, mask)
    return lines


def _grouped(found: Sequence[Difference]) -> list[list[Difference]]:
    """Those of the items of one list together."""
    groups: dict[str, list[Difference]] = {}
    for difference in found:
        list_path, is_item, _ = difference.path.rpartition("[") if difference.path.endswith("]") else ("", "", "")
        groups.setdefault(list_path if is_item else f"{difference.path}=", []).append(difference)
    return list(groups.values())


def _in_one(group: list[Difference]) -> list[Difference]:
    """Of items that are only in another order one difference."""
    wanted, found = [each.wanted for each in group], [each.found for each in group]
    unpaired = list(found)
    for pattern in wanted:
        pair = next((index for index, item in enumerate(unpaired) if matches(pattern, item)), None)
        if pair is None:
            return group
        del unpaired[pair]
    path, _, _ = group[0].path.rpartition("[")
    return [Difference(path, wanted, found, "the same items in another order")]


def _told(difference: Difference, mask: Callable[[str], str] | None) -> Iterator[Line]:
    path, wanted, found = one_line(difference.path or "the body", None), difference.wanted, difference.found
    items = _odd_items(wanted, found)
    if items:
        yield _short(path, f"has {counted(len(found), 'item')}", f"wanted {len(wanted)}")
        yield from items[:MOST_TOLD]
        if len(items) > MOST_TOLD:
            yield ((f"  and {len(items) - MOST_TOLD} more that do not fit", ""),)
        return
    because = difference.because or kind_of_difference(wanted, found)
    because = f" ({one_line(because, None)})" if because else ""
    if mask is not None and _are_long_texts(wanted, found):
        start = _first_difference(wanted, found)
        yield ((path, "name"), (f" differs from character {start} on{because}", ""))
        # Masked before it is cut, and measured anew: the mask has another length than the secret.
        found, wanted = mask(found), mask(wanted)
        start = _first_difference(wanted, found)
        yield from _below(_around(found, start), _around(wanted, start))
        return
    is_there = "is not there" if found is ABSENT else f"is {one_line(shorten(found), None)}"
    line = _short(path, is_there, f"wanted {one_line(describe(wanted), None)}{because}")
    if len(plain_line(line)) <= LONGEST_LINE or found is ABSENT:
        yield line if len(plain_line(line)) <= LONGEST_SHORT else ((cut(plain_line(line), LONGEST_SHORT), ""),)
    else:
        yield ((cut(path + because, LONGEST_SHORT), "name"),)
        yield from _below(one_line(shorten(found, LONGEST_LINE), None), one_line(describe(wanted), None))


def kind_of_difference(wanted: Any, found: Any) -> str:
    """In what way a value is not the wanted one, where that is easily overlooked; "" where both say it themselves."""
    if isinstance(wanted, str) and isinstance(found, str):
        return next((kind for kind, is_so in _KINDS.items() if is_so(wanted, found)), "")
    for text, other, told in ((found, wanted, "text, not {}"), (wanted, found, "{}, not text")):
        if isinstance(text, str) and (other is None or isinstance(other, (bool, int, float))):
            kind = "null" if other is None else "a boolean" if isinstance(other, bool) else "a number"
            return told.format(kind) if _is_same_value(text, other) else ""
    return ""


def _is_same_value(text: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return text.casefold() in (str(value).casefold(), "null" if value is None else "")
    try:
        return bool(float(text) == value)
    except ValueError:
        return False


def _short(path: str, found: str, wanted: str) -> Line:
    return ((path, "name"), (" ", ""), (found, "found"), (", ", ""), (wanted, "wanted"))


def _below(found: str, wanted: str) -> Iterator[Line]:
    yield (("  ", ""), (f"is      {found}", "found"))
    yield (("  ", ""), (f"wanted  {wanted}", "wanted"))


def _odd_items(wanted: Any, found: Any) -> list[Line]:
    """Of two lists that are not of one length: what is too many, and what is missing."""
    if not isinstance(wanted, (list, tuple)) or not isinstance(found, (list, tuple)) or len(wanted) == len(found):
        return []
    # The table below grows with the square of it.
    if max(len(wanted), len(found)) > LONGEST_LIST:
        return []
    paired = _paired(wanted, found)
    taken = set(paired.values())
    missing = (f"missing   {one_line(describe(item), None)}" for i, item in enumerate(wanted) if i not in paired)
    odd = (f"too many  [{i}] {one_line(shorten(item), None)}" for i, item in enumerate(found) if i not in taken)
    return [*((("  ", ""), (item, "wanted")) for item in missing), *((("  ", ""), (item, "found")) for item in odd)]


def _paired(wanted: Sequence[Any], found: Sequence[Any]) -> dict[int, int]:
    """Which item fits which, in their order: as many as possible (the longest common subsequence)."""
    fits = [[matches(pattern, item) for item in found] for pattern in wanted]
    # Not by place: one item too many at the front would make all behind it differ.
    longest = [[0] * (len(found) + 1) for _ in range(len(wanted) + 1)]
    for i in range(len(wanted) - 1, -1, -1):
        for j in range(len(found) - 1, -1, -1):
            skipped = max(longest[i + 1][j], longest[i][j + 1])
            longest[i][j] = max(skipped, longest[i + 1][j + 1] + 1) if fits[i][j] else skipped
    paired, i, j = {}, 0, 0
    while i < len(wanted) and j < len(found):
        if fits[i][j] and longest[i][j] == longest[i + 1][j + 1] + 1:
            paired[i] = j
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return paired


def _are_long_texts(wanted: Any, found: Any) -> bool:
    return isinstance(wanted, str) and isinstance(found, str) and min(len(wanted), len(found)) > _LONG_TEXT


def _first_difference(one: str, other: str) -> int:
    """The index at which they begin to differ."""
    low, high = 0, min(len(one), len(other))
    # By halves: a mebibyte compared character by character would hold up the run.
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[:middle]):
            low = middle
        else:
            high = middle - 1
    return low


def _around(text: str, start: int) -> str:
    begin = max(start - _BEFORE, 0)
    rest = "…" if len(text) > start + _AFTER else ""
    return repr(f"{'…' if begin else ''}{text[begin : start + _AFTER]}{rest}")
