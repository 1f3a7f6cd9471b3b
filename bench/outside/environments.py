"""The environments of other people's tools, below `.bench/` in this project; made once, removed by `make clean`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["ToolMissing", "artillery", "locust"]

_ROOT = Path(__file__).resolve().parents[2]
_PLACE = _ROOT / ".bench"


class ToolMissing(Exception):
    """A tool cannot be had; the text says why."""


def locust() -> Path:
    """A Python that has Locust, websocket-client, and msgspec: what everybody reads and writes JSON with here."""
    place = _PLACE / "locust"
    python = place / "bin" / "python"
    ready = place / ".ready"
    if not ready.exists():
        _make([sys.executable, "-m", "venv", str(place)], "an environment for Locust")
        _make([str(python), "-m", "pip", "install", "--quiet", "locust", "websocket-client", "msgspec"], "Locust")
        ready.touch()
    return python


def artillery() -> Path:
    """Artillery's command."""
    place = _PLACE / "artillery"
    command = place / "node_modules" / ".bin" / "artillery"
    ready = place / ".ready"
    if not ready.exists():
        place.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(place), "artillery@2"]
        _make(npm, "Artillery")
        ready.touch()
    return command


def _make(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise ToolMissing(f"{what} cannot be installed: {error}") from error
    if done.returncode:
        last = next(reversed(done.stderr.strip().splitlines()), "")
        raise ToolMissing(f"{what} cannot be installed, {command[0]} ended with code {done.returncode}: {last}")
