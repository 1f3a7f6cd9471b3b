"""Gathers what engines on other machines measured, while the load goes on, into one load with a record and a verdict.

For whoever steers them otherwise than a `Director` does: it is told what arrives, when it arrives, and asks nobody.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from antiphon.errors import RecordingError
from antiphon.journal.figures import ConversationKept, LoadEnded, LoadStarted, ProcessLost, Second
from antiphon.journal.file import JournalWriter
from antiphon.journal.load_file import LOAD_FILE_NAME
from antiphon.journal.private_files import make_private_directory, open_private, reason
from antiphon.load.engine import Snapshot
from antiphon.load.judging import Judging, conclusion, with_one_about_errors
from antiphon.load.keeping import CONVERSATIONS, Keep, slowest_of_all
from antiphon.load.merging import beside, standing
from antiphon.load.thresholds import Threshold
from antiphon.load.trust import Trust
from antiphon.report.load.figures import LoadFigures

__all__ = ["Gathering", "files_of"]


class Gathering:
    """One load, recorded in `directory`, which is there; `started` is its first entry, time 0 is at `at`, in seconds
    since the epoch.

    What arrives is counted once, whatever arrives twice, and its order is that of `seq`: what is missing is a doubt. It
    is written down by `collect`; nothing else writes, so that who hears it waits for no disk.
    """

    def __init__(
        self,
        started: LoadStarted,
        at: float,
        directory: Path,
        *,
        thresholds: Sequence[Threshold],
        keep: Keep,
        baseline: LoadFigures | None = None,
    ) -> None:
        self.figures = LoadFigures(directory)
        self.trust = Trust()
        self._at = at
        self._directory = directory
        self._keep = keep
        self._judging = Judging(with_one_about_errors(thresholds), baseline)
        self._writer = JournalWriter(directory / LOAD_FILE_NAME)
        self._seen: dict[int, int] = {}  # the latest `seq` of each process
        self._latest: dict[int, Second] = {}  # and its interval
        self._arrived: list[Snapshot] = []
        self._files: dict[str, bytes] = {}
        self._slowest: list[ConversationKept] = []
        self._until_ns = 0
        self._record(started)

    def take(self, snapshots: Sequence[Snapshot], files: Mapping[str, bytes]) -> None:
        """What arrived: snapshots of one process each, and files of conversations that they kept, by their paths."""
        for snapshot in snapshots:
            figures = snapshot.second.generators[0]
            if figures.seq > self._seen.get(figures.process, 0):
                self._seen[figures.process] = figures.seq
                self._arrived.append(snapshot)
        self._files.update(files)

    def collect(self, *, may_end: bool = True) -> bool:
        """Write down what has arrived since the last time; whether a threshold says that the load is to end now.

        Raises RecordingError if the disk takes no more.
        """
        arrived, self._arrived = self._arrived, []
        files, self._files = self._files, {}
        for path, content in files.items():
            self._write_file(path, content)
        for snapshot in arrived:
            self.trust.look(snapshot.second.generators)
            for problem, count in snapshot.problems.items():
                self.trust.note(problem, count)
            self._take_kept(snapshot.kept)
        if not arrived:
            return False
        second = self._interval([snapshot.second for snapshot in arrived])
        self._record(second)
        return self._judging.look(second, self.figures, may_end=may_end)

    def lose(self, process: int, text: str, *, is_tolerated: bool = False) -> None:
        """A process is gone: what it measured since its latest snapshot is not known, which is a doubt unless it is
        tolerated."""
        latest = self._latest.pop(process, None)
        parts = latest.parts if latest is not None else {}
        lost = ProcessLost(
            at_ns=max(round((time.time() - self._at) * 1e9), 0),
            process=process,
            seen_ns=latest.at_ns if latest is not None else 0,
            live={name: part.live for name, part in parts.items() if part.live},
            text=text,
        )
        self._record(lost)
        if is_tolerated:
            unseen_s = (lost.at_ns - lost.seen_ns) / 1e9
            self.trust.note(f"process {process} was lost, and its last {unseen_s:.1f} s were not seen: {text}")
        else:
            self.trust.lost.append(lost)

    def finish(self, error: BaseException | None = None) -> LoadEnded:
        """Its end: what has arrived, the verdicts, whether they may be trusted. `error` is what has broken it off."""
        try:
            self.collect(may_end=False)
            for kept in slowest_of_all(self._slowest, self._keep, self._directory):
                self._record(kept)
            judged = self._judging.judge(self.figures) if error is None else []
            for verdict in judged:
                self._record(verdict)
            ended = conclusion(self.figures, self.trust, judged, doubts=self._judging.doubts, error=error)
            self._record(ended)
        except RecordingError as unwritten:
            ended = conclusion(self.figures, self.trust, [], error=error or unwritten)
            self.figures.add(ended)
        finally:
            self._writer.close()
        return ended

    def _record(self, entry: Any) -> None:
        try:
            self._writer(entry)
        finally:
            self.figures.add(entry)

    def _interval(self, seconds: Sequence[Second]) -> Second:
        """What they are together: since the last one, and of those who have told nothing since, as it was then."""
        of_process: dict[int, list[Second]] = {}
        for second in seconds:
            of_process.setdefault(second.generators[0].process, []).append(second)
        silent = [latest for process, latest in self._latest.items() if process not in of_process]
        self._latest |= {process: own[-1] for process, own in of_process.items()}
        own_ns = [second.at_ns for second in seconds]
        together = beside([*map(_in_a_row, of_process.values()), *(standing(each, max(own_ns)) for each in silent)])
        from_ns, self._until_ns = self._until_ns, max(self._until_ns, together.at_ns)
        return msgspec.structs.replace(together, from_ns=from_ns, at_ns=self._until_ns)

    def _take_kept(self, kept: Sequence[ConversationKept]) -> None:
        for each in kept:
            if not (self._directory / each.directory).is_dir():
                self.trust.note("a conversation was kept, and its files have not arrived")
            elif each.why == "slowest":
                self._slowest.append(each)  # of which engine they are shows at the end
            else:
                self._record(each)

    def _write_file(self, name: str, content: bytes) -> None:
        path = PurePosixPath(name)
        # It comes from another machine: it says no other place than below its own.
        if path.is_absolute() or ".." in path.parts or path.parts[:1] != (CONVERSATIONS,):
            self.trust.note("a conversation was kept in a directory that cannot be its own")
            return
        target = self._directory / path
        try:
            make_private_directory(target.parent)
            with os.fdopen(open_private(target, os.O_WRONLY | os.O_TRUNC), "wb") as file:
                file.write(content)
        except OSError as error:
            self.trust.note(f"a conversation could not be kept: {reason(error)}")


def _in_a_row(seconds: Sequence[Second]) -> Second:
    """The intervals of one process that follow each other, as one."""
    if len(seconds) == 1:
        return seconds[0]
    merged = beside(seconds)
    for name, part in merged.parts.items():
        each = [second.parts[name] for second in seconds if name in second.parts]
        part.asked, part.live = each[-1].asked, each[-1].live
        part.asking_ns = sum(own.asking_ns or 0 for own in each)
    return merged


def files_of(kept: Sequence[ConversationKept], directory: Path) -> dict[str, bytes]:
    """The files of conversations that were kept below `directory`, by their paths, for `Gathering.take`."""
    return {
        str(PurePosixPath(path.relative_to(directory))): path.read_bytes()
        for each in kept
        for path in sorted((directory / each.directory).rglob("*"))
        if path.is_file()
    }
