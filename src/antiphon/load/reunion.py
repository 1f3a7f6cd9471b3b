"""Shards that were performed apart become one load: with a record of its own, a verdict, and reports."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from antiphon.errors import RecordingError
from antiphon.journal.figures import ConversationKept, LoadEnded, Second
from antiphon.journal.file import JournalWriter
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.journal.private_files import PRIVATE_DIRECTORY, make_private_directory, reason
from antiphon.journal.recording import new_run_directory
from antiphon.load.judging import Judging, conclusion, with_one_about_errors
from antiphon.load.merged_table import merge_tables
from antiphon.load.shards import Shard, doubts_of, require_one_load, side_by_side, started_of
from antiphon.load.thresholds import Threshold, parse
from antiphon.load.trust import Trust
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.reports import check_names

__all__ = ["reunite"]


def reunite(
    directories: Sequence[Path],
    *,
    into: Path | None = None,
    runs: Path = Path("runs"),
    thresholds: Sequence[str] = (),
    baseline: Path | None = None,
    reports: Sequence[str] = (),
) -> LoadFigures:
    """Make one load of the shards in these directories, which stay as they are; what it measured.

    into: its directory, which must be new or empty; None for a new one below `runs`.
    thresholds: what must hold beside what the shards' own plan says, all of it judged of the whole.
    baseline: the directory of an earlier load to compare with. reports: those that are to be made of it afterwards.

    Raises ScenarioError if they are not shards of one load, RecordingError if a record cannot be read or written; then
    nothing has been made, unless the disk was full.
    """
    check_names(spec.partition("=")[0] for spec in reports)
    compared = read_figures(baseline) if baseline is not None else None
    shards = [Shard(directory, read_load(directory / LOAD_FILE_NAME)) for directory in directories]
    require_one_load(shards, time.time_ns())
    shards.sort(key=lambda shard: shard.share.index)
    judged_by = _thresholds(shards, thresholds)
    directory = _made(into) if into is not None else new_run_directory(runs, _name(shards[0].figures))
    with closing(_Reunion(directory, shards)) as reunion:
        reunion.record(started_of(shards, [str(each) for each in judged_by]))
        reunion.take_all(Judging(with_one_about_errors(judged_by), compared))
    return reunion.figures


def _name(figures: LoadFigures) -> str:
    return "+".join(figures.planned[:3]) + "-merged"


def _thresholds(shards: Iterable[Shard], more: Sequence[str]) -> list[Threshold]:
    """Those of the shards' plans, and more, each once."""
    said = [text for shard in shards for text in shard.started.plan.get("thresholds") or ()]
    return list(dict.fromkeys([*map(parse, said), *(parse(text, place="--threshold") for text in more)]))


def _made(into: Path) -> Path:
    """The directory that the load gets."""
    try:
        if into.is_dir() and any(into.iterdir()):
            raise RecordingError(
                "there is something in this directory already", place=str(into), hint="--into A-NEW-ONE"
            )
        make_private_directory(into)
    except OSError as error:
        raise RecordingError(f"no load can be written there: {reason(error)}", place=str(into)) from error
    return into


class _Reunion:
    """The load that is being put together."""

    def __init__(self, directory: Path, shards: Sequence[Shard]) -> None:
        self.figures = LoadFigures(directory)
        self._directory = directory
        self._shards = shards
        self._trust = Trust()
        self._write = JournalWriter(directory / LOAD_FILE_NAME)

    def record(self, entry: Any) -> None:
        """Write an entry down, and count it."""
        self._write(entry)
        self.figures.add(entry)

    def take_all(self, judging: Judging) -> LoadEnded:
        """Put the shards side by side, and judge what came of it."""
        records = [read_load(shard.directory / LOAD_FILE_NAME) for shard in self._shards]
        for entry in side_by_side(self._shards, records):
            if isinstance(entry, ConversationKept) and not self._bring(entry):
                continue
            self.record(entry)
            if isinstance(entry, Second):
                self._trust.look(entry.generators)
                judging.look(entry, self.figures, may_end=False)
        merge_tables(self._shards, self._directory, self._trust.note)
        # What an ended shard has lost, and whatever else it doubts, it says itself.
        self._trust.lost += [loss for shard in self._shards if (loss := shard.loss) is not None]
        judged = judging.judge(self.figures)
        for verdict in judged:
            self.record(verdict)
        ended = conclusion(self.figures, self._trust, judged, doubts=[*doubts_of(self._shards), *judging.doubts])
        self.record(ended)
        return ended

    def _bring(self, kept: ConversationKept) -> bool:
        """Copy a conversation that was kept whole; what cannot be is told."""
        named = PurePosixPath(kept.directory)
        target = self._directory / named
        # A record comes from elsewhere: it says no other place than below its own.
        if named.is_absolute() or ".." in named.parts or target.exists():
            self._trust.note(f"{kept.conversation} was kept in a directory that cannot be its own")
            return False
        source = next((path for shard in self._shards if (path := shard.directory / named).is_dir()), None)
        if source is None:
            self._trust.note("a conversation was kept, and was not copied with its shard")
            return False
        try:
            target.parent.mkdir(PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            shutil.copytree(source, target, symlinks=True)
        except OSError as error:
            raise RecordingError(f"a conversation cannot be copied: {reason(error)}", place=str(target)) from error
        return True

    def close(self) -> None:
        """Nothing more comes."""
        self._write.close()
