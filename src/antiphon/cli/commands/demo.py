"""`antiphon demo`: an outgoing call at a contact centre that runs in the same process, and the example to take away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from antiphon.cli.app import Flag, OurScreen, ShowsTraceback
from antiphon.cli.commands.testbed import testbed_entry
from antiphon.cli.copying import brought_along, copy_files, require_no_link
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.play import play_on_screen
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.scenarios.scenario import find_scenario
from antiphon.stand.stand import Stand

__all__ = ["command"]

_SUFFIXES: Final = frozenset({".py", ".toml", ".md"})


def command(
    *,
    runs: Path = Path("runs"),
    no_record: Flag = False,
    copy_to: Path | None = None,
    screen: OurScreen,
    shows_traceback: ShowsTraceback,
) -> int:
    """Play the example's outgoing call and show it, or copy the example; the exit code.

    Args:
        runs: the directory in which the run gets one of its own
        no_record: write nothing to disk
        copy_to: instead of that, copy the example into this folder
    """
    if copy_to is not None:
        return _copy_example(copy_to, screen)
    return _demo(None if no_record else runs, screen, shows_traceback=shows_traceback)


def _demo(runs: Path | None, screen: Screen, *, shows_traceback: bool) -> int:
    screen.print_prose("A contact centre starts in this process. An operator's desk calls a customer through it.", "")
    testbed = testbed_entry()
    stand = Stand("demo", start=testbed.value)
    with brought_along(testbed, "example") as example:
        scenario = find_scenario(f"{example / 'calls.py'}:outgoing")
        code = play_on_screen(scenario, {}, screen, stand=stand, runs=runs, shows_traceback=shows_traceback)
    screen.print(
        "",
        "To go on:",
        "  antiphon demo --copy-to my_calls                  take the example",
        "  cd my_calls",
        "  antiphon run calls.py:outgoing --telephone busy   see a call that fails",
        "  pytest                                            the same as tests",
        "  antiphon new my_project                           begin one of your own",
    )
    return code


def _copy_example(folder: Path, screen: Screen) -> int:
    """Copy the example into the folder, which is made; the exit code.

    Raises ScenarioError rather than overwrite a file or follow a link, RecordingError if the folder cannot be written.
    """
    require_no_link(folder)
    with brought_along(testbed_entry(), "example") as example:
        names = sorted(path.relative_to(example) for path in example.iterdir() if path.suffix in _SUFFIXES)
        for name in names:
            if os.path.lexists(folder / name):  # a link that leads nowhere yet would be written through
                raise ScenarioError(
                    f"{folder / name} is there already", hint="choose another folder; nothing was overwritten"
                )
        copy_files(example, names, folder, "the example")
    for name in names:
        screen.print(f"{folder / name}")
    screen.print("", "Try:", f"  antiphon run {folder / 'calls.py'}:outgoing --help")
    return PASSED
