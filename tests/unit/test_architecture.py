"""The house: arrows point down, nothing goes in a circle, no module is large, and every room says what it is."""

from __future__ import annotations

import ast
import statistics
from functools import cache
from pathlib import Path

import pytest

import antiphon
import antiphon_testbed

ROOT = Path(antiphon.__file__).parent
TESTBED = Path(antiphon_testbed.__file__).parent

MAY_USE = {
    "errors": set(),
    "conversation": {"errors"},
    "dialect": {"conversation", "errors"},
    "journal": {"conversation", "errors"},
    "report": {"conversation", "errors", "journal"},
    "transport": {"conversation", "errors", "journal.masking"},
    "runtime": {"conversation", "errors", "journal"},
    "stand": {"conversation", "errors", "transport.interface", "transport.tls"},
    "actor": {"conversation", "dialect", "errors", "journal", "runtime", "stand", "transport"},
    "testing": {"actor", "conversation", "dialect", "errors", "journal", "runtime", "stand", "transport"},
    "scenarios": {"actor", "conversation", "errors", "journal", "runtime", "stand"},
    "load": {
        *("actor", "conversation", "dialect", "errors", "journal"),
        *("report", "runtime", "scenarios", "stand", "transport"),
    },
}
"""What each package may import of ours, from the ground up: each stands below its users, so there is no circle."""

FACES = {"cli", "locust", "pytest", "plugins", "__main__", "__init__"}  # may use all of these, and nobody uses them
QUIET = {"errors", "conversation", "dialect", "journal"}  # what is said, apart from how it travels
IO = {"asyncio", "socket", "ssl", "threading", "picows", "aiohttp", "uvloop"}
TESTBED_MAY_USE = {
    *("antiphon", "antiphon.errors", "antiphon.conversation"),
    # Its faults break frames on purpose, below what a public name can do.
    *("antiphon.transport.websocket.connection", "antiphon.transport.websocket.rfc6455"),
}

MODULES = sorted(ROOT.rglob("*.py"))
TESTBED_MODULES = sorted(
    path for path in TESTBED.rglob("*.py") if not {"example", "project"} & {*path.relative_to(TESTBED).parts}
)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imported(path: Path) -> frozenset[str]:
    """What a module imports, wherever in it: at the top, for types only, or in a function."""
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def module_of(name: str) -> str:
    """The module that an imported dotted name stands in, or is."""
    parts = name.split(".")
    while parts and not (ROOT.parent.joinpath(*parts).with_suffix(".py").is_file() or is_package(parts)):
        parts.pop()
    return ".".join(parts)


def is_package(parts: list[str]) -> bool:
    return ROOT.parent.joinpath(*parts, "__init__.py").is_file()


def used_modules(path: Path, package: str = "antiphon") -> set[str]:
    return {module for name in imported(path) if (module := module_of(name)).split(".")[0] == package}


def is_within(module: str, rooms: set[str]) -> bool:
    return any(f"{module}.".startswith(f"antiphon.{room}.") for room in rooms)


def test_arrows_point_down() -> None:
    for path in MODULES:
        room = room_of(path)
        if room not in FACES:
            wrong = {module for module in used_modules(path) if not is_within(module, MAY_USE[room] | {room})}
            assert not wrong, f"{path.relative_to(ROOT)} may not import {wrong}"


def test_the_rule_has_no_circle() -> None:
    known: set[str] = set()
    for room, used in MAY_USE.items():
        assert {name.split(".")[0] for name in used} <= known, room
        known.add(room)


def test_every_module_has_a_room() -> None:
    assert {room_of(path) for path in MODULES} == {*MAY_USE, *FACES}


def dotted(path: Path) -> str:
    return module_of(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))


def circles(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is left once whatever uses nothing, or only what is gone already, has been taken away."""
    arrows = {user: {used for used in all_used if used in arrows and used != user} for user, all_used in arrows.items()}
    while settled := {user for user, used in arrows.items() if not used}:
        arrows = {user: used - settled for user, used in arrows.items() if user not in settled}
    return arrows


@pytest.mark.parametrize("package", ["antiphon", "antiphon_testbed"])
def test_no_files_import_each_other_in_a_circle(package: str) -> None:
    paths = {"antiphon": MODULES, "antiphon_testbed": TESTBED_MODULES}[package]
    arrows = {dotted(path): used_modules(path, package) for path in paths if path.stem != "__init__"}
    assert len(arrows) > 20
    assert any(arrows.values())
    assert not circles(arrows)


def test_the_testbeds_rooms_do_not_use_each_other_in_a_circle() -> None:
    def testbed_room(module: str) -> str:
        return module.split(".")[1]

    arrows: dict[str, set[str]] = {}
    for path in TESTBED_MODULES:
        if path.stem != "__init__":
            used = {testbed_room(module) for module in used_modules(path, "antiphon_testbed")}
            arrows.setdefault(testbed_room(dotted(path)), set()).update(used)
    assert {"floor", "faults", "web", "desk"} <= set(arrows)
    assert not circles(arrows)


def test_what_is_said_is_kept_apart_from_how_it_travels() -> None:
    for path in MODULES:
        if room_of(path) in QUIET:
            assert not {name.split(".")[0] for name in imported(path)} & IO, path


def test_the_testbed_is_an_application_that_nobody_imports() -> None:
    for path in MODULES:
        assert "antiphon_testbed" not in path.read_text(), path  # the command finds it by its entry point
    for path in TESTBED_MODULES:
        wrong = {
            module
            for module in used_modules(path)
            if module not in TESTBED_MAY_USE and not module.startswith("antiphon.conversation.")
        }
        assert not wrong, f"{path.name} may not import {wrong}"


def test_modules_are_small_and_say_what_they_are() -> None:
    sizes = []
    for path in [*MODULES, *TESTBED_MODULES]:
        sizes.append(path.read_text().count("\n"))
        assert sizes[-1] <= 500, path
        assert ast.get_docstring(tree_of(path)), path
        assert path.stem not in {"utils", "helpers", "base", "common", "manager", "misc"}, path
    assert statistics.median(sizes) < 200


def test_the_root_is_a_short_list() -> None:
    hidden = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}
    assert len({path.name for path in ROOT.iterdir()} - hidden) <= 16


def test_a_package_init_is_a_docstring_unless_it_is_a_face() -> None:
    faces = {"antiphon", "antiphon_testbed", "dialect", "journal", "masking", "testing"}
    for path in [*MODULES, *TESTBED_MODULES]:
        is_face = path.parent.name in faces or (path.is_relative_to(ROOT) and room_of(path) in FACES)
        if path.stem == "__init__" and not is_face:
            assert len(tree_of(path).body) == 1, path
