"""The pages of the reference that are no docstrings of names: commands, exit codes, entries, options."""

from __future__ import annotations

import inspect
import io
import os
from contextlib import redirect_stdout
from typing import Any, Final

import msgspec
from _pytest.config.argparsing import Parser

from antiphon import journal
from antiphon.cli import _HELP, main
from antiphon.cli import exit_codes as codes
from antiphon.pytest import plugin
from manual.docstrings import as_markdown, field_texts, own_docstring, value_texts

__all__ = ["command_line", "exit_codes", "journal_entries", "pytest_options"]

_WIDTH: Final = "100"


def command_line() -> str:
    """The help of each command, as a terminal shows it."""
    parts = ["```text", _shown("--help"), "```"]
    for name in _HELP:
        parts += ["", f"## antiphon {name}", "", "```text", _shown(name, "--help"), "```"]
    return "\n".join(parts)


def _shown(*arguments: str) -> str:
    usual, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), _WIDTH
    shown = io.StringIO()
    try:
        with redirect_stdout(shown):
            main(arguments)
    finally:
        if usual is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = usual
    return shown.getvalue().strip()


def exit_codes() -> str:
    """Each code with what it says."""
    texts = {"PASSED": "Everything was as it should be.", **value_texts(codes)}
    known = {name: getattr(codes, name) for name in codes.__all__ if isinstance(getattr(codes, name), int)}
    rows = [f"| {code} | {_line(texts[name])} |" for name, code in sorted(known.items(), key=lambda each: each[1])]
    return "\n".join(["| code | |", "|---|---|", *rows])


def journal_entries() -> str:
    """Each kind with its fields."""
    about = (
        "`journal.jsonl` has a line for each: `kind`, and the fields below; what is empty or 0 is left out. Times are "
        "nanoseconds since the run began. `antiphon.journal.file.read_journal(path)` gives them as these classes."
    )
    parts = [about]
    kinds = [getattr(journal, name) for name in journal.__all__]
    for kind in kinds:
        if not inspect.isclass(kind) or not issubclass(kind, journal.Entry) or kind is journal.Entry:
            continue
        config: Any = kind.__struct_config__
        fields = msgspec.structs.fields(kind)
        parts += [f"## {config.tag}", f"`antiphon.journal.{kind.__name__}`", own_docstring(kind)]
        texts = field_texts(kind)
        parts.append("\n".join(f"- `{each.encode_name}`{_behind(texts.get(each.name))}" for each in fields))
    return "\n\n".join(part for part in parts if part)


def _behind(text: str | None) -> str:
    return f": {_line(text)}" if text else ""


def pytest_options() -> str:
    """The fixtures, the options and the settings of the plugin."""
    parser = Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    parts = [as_markdown(own_docstring(plugin), ())]
    for name in ("stand", "play", "perform", "play_load"):
        fixture = getattr(plugin, name)
        parts += [f"## {name}", as_markdown(own_docstring(getattr(fixture, "__wrapped__", fixture)), ())]
    options = [
        f"| `{option.names()[0]}` | {option.attrs().get('help', '')} |"
        for option in parser.getgroup("antiphon").options
    ]
    settings = [f"| `{name}` | {told[0]} |" for name, told in parser._inidict.items()]
    parts += ["## Options", "\n".join(["| option | |", "|---|---|", *options])]
    parts += ["## Settings", "\n".join(["| in the ini file | |", "|---|---|", *settings])]
    return "\n\n".join(parts)


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
