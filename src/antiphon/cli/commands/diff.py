"""`antiphon diff`: what differs between two recorded runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from antiphon.cli.app import Flag, OurScreen
from antiphon.cli.exit_codes import FAILED, PASSED
from antiphon.conversation.wording import visible_json
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.report.difference.compare import compare
from antiphon.report.difference.text import lines
from antiphon.report.runs import find_run

__all__ = ["command"]


def command(
    before: str,
    after: str,
    /,
    *,
    runs: Path = Path("runs"),
    ignore: Annotated[list[str] | None, Parameter(negative="")] = None,
    no_timings: Flag = False,
    json: Flag = False,
    screen: OurScreen,
) -> int:
    """Write what differs; the exit code, 0 if nothing does and 1 if something does.

    Both runs are what `antiphon.report.runs.find_run` takes. Raises RecordingError if one cannot be read.

    Args:
        before: last, the first run's directory, or its name or a part of it
        after: the second run
        runs: the directory that runs are recorded in
        ignore: the name of messages to leave out, as those of a heartbeat; may be given several times
        no_timings: do not compare how long things took
        json: write it as JSON
    """
    first, second = find_run(before, runs), find_run(after, runs)
    difference = compare(
        read_journal(first / FILE_NAME),
        read_journal(second / FILE_NAME),
        ignored=ignore or (),
        has_timings=not no_timings,
    )
    if json:
        screen.print(visible_json(msgspec.json.format(msgspec.json.encode(difference), indent=2).decode()))
    else:
        screen.print(*lines(difference, first.resolve().name, second.resolve().name, screen.signs))
    return PASSED if difference.is_same else FAILED
