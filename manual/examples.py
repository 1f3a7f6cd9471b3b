"""A page for each folder of examples: its README if it has one, and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from manual.markdown import slug
from manual.places import CODE_SUFFIXES, EXAMPLES, ROOT

__all__ = ["anchor_of", "example_pages", "language_of"]

_LONGEST_LINES: Final = 400


def example_pages() -> dict[str, str]:
    """The pages by their place in the repository."""
    return {
        f"{EXAMPLES}/{folder.name}/README.md": _page(folder)
        for folder in sorted((ROOT / EXAMPLES).iterdir())
        if folder.is_dir() and _shown(folder)
    }


def language_of(file: Path) -> str | None:
    """In which language a file is shown; None if it is not."""
    return CODE_SUFFIXES.get(file.suffix or file.name)


def anchor_of(file: Path) -> str:
    """Where in its folder's page a file is shown."""
    return slug(file.name)


def _shown(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.is_file() and language_of(file) is not None]


def _page(folder: Path) -> str:
    readme = folder / "README.md"
    head = readme.read_text(encoding="utf-8") if readme.is_file() else f"# Examples: {folder.name.replace('_', ' ')}\n"
    return "\n".join([head, *map(_section, _shown(folder))])


def _section(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    shown = lines if len(lines) <= _LONGEST_LINES else [*lines[:_LONGEST_LINES], "…"]
    return "\n".join([f"## {file.name}", "", f"````{language_of(file)}", *shown, "````", ""])
