"""`antiphon new`: a small project to begin with, which is green as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from antiphon.cli.app import OurScreen
from antiphon.cli.commands.testbed import testbed_entry
from antiphon.cli.copying import brought_along, copy_files, require_no_link
from antiphon.cli.exit_codes import PASSED
from antiphon.errors import ScenarioError

__all__ = ["command"]

_LEFT_BY_PYTHON: Final = frozenset({"__pycache__", "runs", ".pytest_cache"})


def command(folder: Path, /, *, screen: OurScreen) -> int:
    """Make a project: a stand file, an actor with an action, a scenario, a test, files for CI, a README.

    Raises ScenarioError for a folder that is not empty, RecordingError if it cannot be written.

    Args:
        folder: where; it is made, or is empty
    """
    _require_empty(folder)
    with brought_along(testbed_entry(), "project") as project:
        names = sorted(
            path.relative_to(project)
            for path in project.rglob("*")
            if path.is_file() and not _LEFT_BY_PYTHON.intersection(path.relative_to(project).parts)
        )
        copy_files(project, names, folder, "the project")
    for name in names:
        screen.print(f"{folder / name}")
    screen.print("", "Try:", f"  cd {folder}", "  antiphon run calls.py:greet", "  pytest", "", "Then read README.md.")
    return PASSED


def _require_empty(folder: Path) -> None:
    require_no_link(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ScenarioError(f"{folder} is a file", hint="name a folder that is not there yet")
    if found := sorted(path.name for path in folder.iterdir()):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ScenarioError(
            f"{folder} is not empty: there is {found[0]}{more}",
            hint=f"name a folder that is not there yet, as {folder / 'calls'}; nothing was written",
        )
