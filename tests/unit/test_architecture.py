"""The house: arrows point down only, no module is large, and nothing hides behind a name that says nothing."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import antiphon

ROOT = Path(antiphon.__file__).parent

FLOORS = [
    {"clock", "ending", "errors", "message"},
    {
        *(
            "checks",
            "dialect",
            "explain",
            "misfits",
            "clue",
            "exchanges",
            "excuses",
            "expectations",
            "journal",
            "journal_file",
            "kept",
            "mailbox",
            "mask",
        ),
        *("match", "waits"),
    },
    {"transport"},
    {
        *(
            "acting",
            "actor",
            "channel",
            "checking",
            "consequences",
            "deadlines",
            "declaration",
            "duties",
            "engine",
            "environment",
            "handling",
        ),
        *("http_channel", "leftovers", "listener", "logs", "moments"),
        *("pending", "recording", "references", "rendezvous", "run", "runner", "scenarios", "signals", "source"),
        *("speech", "stand", "standstill", "step", "user_lock", "users", "users_file", "waiting", "workflow"),
    },
]
"""Values, language, wire, drive: each may use its own floor and those before it."""

REPORTS = {"report"}  # may use values and language
FACES = {"cli", "__main__", "exit_codes", "pytest_plugin", "testing", "__init__"}  # may use all of these
APPLICATIONS = {"testbed"}  # may use everything, and nothing uses them

MODULES = sorted(path for path in ROOT.rglob("*.py") if "example" not in path.relative_to(ROOT).parts)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


ROOMS = {room_of(path) for path in MODULES}


@cache
def imported_rooms(path: Path) -> set[str]:
    """The rooms that a module imports, wherever in it: at the top, for types only, or in a function."""
    package = ("antiphon", *path.relative_to(ROOT).with_suffix("").parts)[:-1]
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            origin = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*origin, alias.name] for alias in node.names] if len(origin) == 1 else [origin]
        ours = [parts for parts in names if parts[0] == "antiphon"]
        rooms |= {parts[1] if len(parts) > 1 and parts[1] in ROOMS else "__init__" for parts in ours}
    return rooms


def allowed(room: str) -> set[str]:
    everything = set().union(*FLOORS)
    if room in REPORTS:
        return FLOORS[0] | FLOORS[1] | REPORTS
    if room in FACES:
        return everything | REPORTS | FACES
    if room in APPLICATIONS:
        return everything | FACES | APPLICATIONS
    height = next(index for index, floor in enumerate(FLOORS) if room in floor)
    return set().union(*FLOORS[: height + 1])


def test_arrows_point_down() -> None:
    for path in MODULES:
        assert imported_rooms(path) <= allowed(room_of(path)), path


def test_every_module_has_a_room() -> None:
    assert set().union(*FLOORS, REPORTS, FACES, APPLICATIONS) >= ROOMS


def test_no_rooms_import_each_other_in_a_circle() -> None:
    arrows = {room: set() for room in ROOMS}
    for path in MODULES:
        arrows[room_of(path)] |= imported_rooms(path) - {room_of(path)}
    while settled := {room for room, used in arrows.items() if not used}:
        arrows = {room: used - settled for room, used in arrows.items() if room not in settled}
    assert not arrows


def test_language_and_values_do_no_io() -> None:
    quiet = [path for path in MODULES if room_of(path) in FLOORS[0] | FLOORS[1] - {"journal_file"}]
    for path in quiet:
        imports = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imports |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imports.add((node.module or "").split(".")[0])
        assert not imports & {"asyncio", "socket", "ssl", "threading", "picows", "aiohttp", "uvloop"}, path


def test_modules_are_small_and_say_what_they_are() -> None:
    for path in MODULES:
        text = path.read_text()
        assert text.count("\n") <= 500, path
        assert ast.get_docstring(ast.parse(text)), path
        assert path.stem not in {"utils", "helpers", "base", "common", "manager", "misc"}, path
