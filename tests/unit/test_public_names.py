"""What `antiphon` offers: every name is there, imported when it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import antiphon
from antiphon import plugins
from antiphon.dialect import codec, meeting, notation
from antiphon.transport import interface
from antiphon.transport.stream import byte_stream

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", antiphon.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(antiphon, name) is not None


def test_what_type_checkers_see_is_what_there_is() -> None:
    tree = ast.parse(Path(antiphon.__file__).read_text())
    declared = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared - {"import_module", "TYPE_CHECKING", "Any"} == set(antiphon.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no 'Aktor'"):
        antiphon.Aktor


def test_importing_antiphon_imports_no_wire() -> None:
    code = "import sys, antiphon; print(*{'aiohttp', 'picows', 'uvloop', 'asyncio'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


WORDS = sorted(
    name
    for name, word in vars(antiphon.Actor).items()
    if inspect.isroutine(word) and not name.startswith("_") and hasattr(antiphon.Channel, name)
)


@pytest.mark.parametrize("name", WORDS)
def test_a_word_says_the_same_on_an_actor_as_on_a_channel(name: str) -> None:
    """Each in full: an editor shows what stands there."""
    assert getattr(antiphon.Actor, name).__doc__ == getattr(antiphon.Channel, name).__doc__


def test_the_words_of_an_actor_are_many() -> None:
    assert {"send", "ask", "expect", "expect_none", "until", "forbid", "drain", "mark", "close"} <= {*WORDS}


def test_all_names_of_the_seams_are_in_one_place() -> None:
    inner = {"namer_of", "KEYS"}
    for module in (interface, byte_stream, codec, meeting, notation):
        assert {*module.__all__} - inner <= {*plugins.__all__}, module.__name__
    assert all(hasattr(plugins, name) for name in plugins.__all__)


@pytest.mark.parametrize("path", ["examples/own_dialect/lines.py", "tests/harness/club.py"])
def test_a_dialect_of_ones_own_needs_nothing_else(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    used = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert {module for module in used if module.startswith("antiphon")} == {"antiphon.plugins"}
