"""Where the site's pages come from, and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["ASSEMBLED", "CODE_SUFFIXES", "EXAMPLES", "REFERENCE", "ROOT", "page_files"]

ROOT: Final = Path(__file__).resolve().parents[1]
ASSEMBLED: Final = ROOT / ".manual"
"""It mirrors the repository, so that links between pages are the same on the site as on GitHub."""
EXAMPLES: Final = "examples"
REFERENCE: Final = "reference"

CODE_SUFFIXES: Final = {
    ".csv": "text",
    ".py": "python",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    "Dockerfile": "docker",
    "Jenkinsfile": "groovy",
    "crontab": "text",
}
"""Which files of an example are shown, by the end of their name, and in which language."""

_AT_THE_ROOT: Final = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
)


def page_files() -> list[Path]:
    """The pages that are written by hand: at the root, in docs/, and of each example."""
    return [
        *(ROOT / name for name in _AT_THE_ROOT),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / EXAMPLES).glob("*/README.md")),
    ]
