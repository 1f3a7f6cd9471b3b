"""What a stand says of its transports, by the scheme of an address, and of programs that are started as peers.

[stands.local]
server = ["python", "-m", "pylsp"]             # a program and its arguments: the address of a child process

[stands.local.transports.stdio]                # options of the transport that is registered for stdio:
cwd = "workspace"                              # a relative path begins beside the stand's file
env = { LOG_LEVEL = "debug" }
"""

from __future__ import annotations

import shlex
from typing import Any

from antiphon.stand.stand_file import StandFile

__all__ = ["command_address", "read_transports"]


def command_address(words: list[Any], key: str, file: StandFile) -> str:
    """The address of a program that is given as a list."""
    if not words or not all(isinstance(word, str) and word for word in words):
        raise file.wrong(key, 'a program and its arguments, as ["python", "-m", "pylsp"]')
    return f"stdio:{shlex.join(words)}"


def read_transports(given: Any, key: str, file: StandFile) -> dict[str, dict[str, Any]]:
    """Options by schemes, as the stand's `transports` takes them."""
    if not isinstance(given, dict) or not all(isinstance(options, dict) for options in given.values()):
        raise file.wrong(key, "tables of options by schemes, as [stands.local.transports.stdio]")
    return {scheme: _placed(options, file) for scheme, options in given.items()}


def _placed(options: dict[str, Any], file: StandFile) -> dict[str, Any]:
    if isinstance(options.get("cwd"), str):
        return {**options, "cwd": str(file.path.parent / options["cwd"])}
    return options
