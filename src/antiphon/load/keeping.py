"""Which conversations of a load are kept whole: a load is thousands of them, and a person looks at a handful."""

from __future__ import annotations

import heapq
import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal.figures import ConversationKept
from antiphon.journal.private_files import PRIVATE_DIRECTORY, make_private_directory
from antiphon.load.chance import draw

__all__ = ["CONVERSATIONS", "Keep", "Keeper", "conversation_name", "kept_directory", "parse_keep", "slowest_of_all"]

CONVERSATIONS: Final = "conversations"
"""The folder below a load's own in which each conversation that is kept has one."""


class Keep(msgspec.Struct, frozen=True):
    """So many of those that failed for one cause, so many of the slowest of each part, and such a share (0 to 1) of all
    of them, by lot. The lot falls by the load's seed and the conversation's number, so it is the same again."""

    failed_per_cause: int = 3
    slowest: int = 5
    share: float = 0.0

    def is_drawn(self, seed: int, part: str, number: int) -> bool:
        """Whether the lot falls on this conversation."""
        return self.share > 0 and draw(seed, "kept", part, number) < self.share

    def __str__(self) -> str:
        return f"failed:{self.failed_per_cause}-per-cause,slowest:{self.slowest},sample:{100 * self.share:g}%"


_WORDS: Final = "failed:3-per-cause,slowest:5,sample:0.1%"


def parse_keep(text: str) -> Keep:
    """What `--keep` says: `failed:3-per-cause,slowest:5,sample:0.1%`, each of them or none; "none" keeps nothing.

    Raises ScenarioError for anything else.
    """
    if text.strip() == "none":
        return Keep(0, 0, 0.0)
    said: dict[str, Any] = {"failed_per_cause": 0, "slowest": 0}
    for each in text.split(","):
        word = each.strip()
        if found := re.fullmatch(r"failed:(\d+)(-per-cause)?", word):
            said["failed_per_cause"] = int(found[1])
        elif found := re.fullmatch(r"slowest:(\d+)", word):
            said["slowest"] = int(found[1])
        elif (found := re.fullmatch(r"sample:(\d+(?:\.\d+)?)%", word)) and float(found[1]) <= 100:
            said["share"] = float(found[1]) / 100
        else:
            raise ScenarioError(f"--keep does not know {word!r}", hint=f"write it as {_WORDS}, or none")
    return Keep(**said)


class Keeper:
    """Writes the journals of the conversations that are to be kept below the load's directory.

    What cannot be written is counted, with its reason: the load goes on.
    """

    def __init__(self, keep: Keep, directory: Path) -> None:
        self.keep = keep
        self._kept: list[ConversationKept] = []
        self._unwritten: Counter[str] = Counter()
        self._directory = directory
        self._failed: Counter[tuple[str, str, str]] = Counter()
        self._slowest: dict[str, list[_Slow]] = {}  # by part, the least slow first

    def wants_failed(self, cause: tuple[str, str, str]) -> bool:
        """Whether one more that failed for this (part, error, text) is to be kept; then it counts as kept."""
        if self._failed[cause] >= self.keep.failed_per_cause:
            return False
        self._failed[cause] += 1
        return True

    def keep_now(self, kept: ConversationKept, write_to: Callable[[Path], None]) -> None:
        """Keep it, whatever else is kept."""
        if self._write(kept, write_to):
            self._kept.append(kept)

    def take(self, *, is_last: bool) -> list[ConversationKept]:
        """Those that were kept since the last call; at the end also the slowest, which are known only then."""
        kept, self._kept = self._kept, []
        return kept + (self._write_slowest() if is_last else [])

    def take_unwritten(self) -> dict[str, int]:
        """What could not be written since the last call, as sentences, and how often."""
        unwritten, self._unwritten = self._unwritten, Counter()
        return {f"a conversation could not be kept: {reason}": count for reason, count in unwritten.items()}

    def _write(self, kept: ConversationKept, write_to: Callable[[Path], None]) -> bool:
        """Make its directory, and have its journal written there; False if that cannot be done."""
        path = self._directory / kept.directory
        try:
            make_private_directory(path.parent)
            path.mkdir(PRIVATE_DIRECTORY)
        except OSError as error:
            return self._note(error)
        try:
            write_to(path)
        except (OSError, RecordingError) as error:
            shutil.rmtree(path, ignore_errors=True)  # the load's own record needs the room
            return self._note(error)
        return True

    def _note(self, error: OSError | RecordingError) -> bool:
        self._unwritten[str(getattr(error, "text", None) or getattr(error, "strerror", None) or error)] += 1
        return False

    def is_slow(self, part: str, took_us: int) -> bool:
        """Whether it is among the slowest of its part so far."""
        heap = self._slowest.get(part, ())
        return len(heap) < self.keep.slowest or bool(heap and took_us > heap[0].kept.took_us)

    def keep_slow(self, kept: ConversationKept, write_to: Callable[[Path], None]) -> None:
        """Keep it for now as one of the slowest, in the place of the least slow of them.

        In memory until the end: while a system becomes slower, each conversation is the slowest so far.
        """
        heap = self._slowest.setdefault(kept.part, [])
        heapq.heappush(heap, _Slow(kept, write_to))
        if len(heap) > self.keep.slowest:
            heapq.heappop(heap)

    def _write_slowest(self) -> list[ConversationKept]:
        slow = sorted((each for heap in self._slowest.values() for each in heap), reverse=True)
        self._slowest.clear()
        return [each.kept for each in slow if self._write(each.kept, each.write_to)]


def slowest_of_all(kept: Sequence[ConversationKept], keep: Keep, directory: Path) -> list[ConversationKept]:
    """Of what several processes kept as the slowest those that are; the others' directories are removed."""
    chosen: list[ConversationKept] = []
    counts: Counter[str] = Counter()
    for each in sorted(kept, key=lambda each: (-each.took_us, each.number)):
        if each.why == "slowest":
            counts[each.part] += 1
            if counts[each.part] > keep.slowest:
                shutil.rmtree(directory / each.directory, ignore_errors=True)
                continue
        chosen.append(each)
    return chosen


class _Slow:
    """A slow conversation, and what writes its journal; slower ones are greater."""

    __slots__ = ("kept", "write_to")

    def __init__(self, kept: ConversationKept, write_to: Callable[[Path], None]) -> None:
        self.kept = kept
        self.write_to = write_to

    def __lt__(self, other: _Slow) -> bool:
        return (self.kept.took_us, self.kept.number) < (other.kept.took_us, other.kept.number)


def conversation_name(part: str, number: int) -> str:
    """What a conversation is called: the part, and which of its conversations it is, counted from 0."""
    return f"{part}-{number}"


def kept_directory(part: str, number: int) -> str:
    """Where it is kept, relative to the load's directory."""
    return f"{CONVERSATIONS}/{conversation_name(part, number)}"
