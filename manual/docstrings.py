"""What is written beside the code, as Markdown: docstrings, and the texts behind values and fields."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Collection
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final

__all__ = ["as_markdown", "field_texts", "own_docstring", "value_texts"]

_NAMED: Final = re.compile(r"^(?P<names>\w+(?:, \w+)*): (?P<text>.*)$")
_CLASS: Final = re.compile(r"`antiphon\.([\w.]+)`")


def own_docstring(thing: Any) -> str:
    """Its docstring, cleaned; "" if it has none of its own, as a struct's that is made for it."""
    text = inspect.cleandoc(thing.__doc__ or "")
    return "" if text.startswith(f"{getattr(thing, '__name__', '')}(") else text


def as_markdown(docstring: str, names: Collection[str]) -> str:
    """The docstring, in which lines that begin with one of these names and a colon are items of a list."""
    return "\n\n".join(_listed(block, names) for block in _blocks(docstring) if block.strip() != "Args:")


def _blocks(docstring: str) -> list[str]:
    """The paragraphs; what is indented is one piece of code, with its empty lines."""
    blocks: list[str] = []
    for block in re.split(r"\n{2,}", docstring):
        if blocks and block.startswith("    ") and blocks[-1].startswith("    "):
            blocks[-1] += f"\n\n{block}"
        else:
            blocks.append(block)
    return blocks


def _listed(block: str, names: Collection[str]) -> str:
    if block.startswith("    ") and not _NAMED.match(block.strip()):
        return "```text\n" + textwrap.dedent(block) + "\n```"
    lines: list[str] = []
    is_in_list, may_begin = False, True
    for line in block.removeprefix("Args:\n").split("\n"):
        found = _NAMED.match(line.strip())
        if found and may_begin and set(found["names"].split(", ")) <= set(names):
            if not is_in_list and lines:
                lines.append("")
            lines.append(f"- {', '.join(f'`{name}`' for name in found['names'].split(', '))}: {found['text']}")
            is_in_list = True
        else:
            lines.append(f"  {line.strip()}" if is_in_list else line)
        may_begin = is_in_list or line.rstrip().endswith((".", ":", ";"))
    return "\n".join(lines)


@cache
def _tree(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


@cache
def value_texts(module: ModuleType) -> dict[str, str]:
    """The texts that stand behind a module's values, by their names."""
    return _behind(_tree(module).body)


@cache
def field_texts(kind: type) -> dict[str, str]:
    """The texts that stand behind a class's fields."""
    for node in ast.walk(_tree(sys.modules[kind.__module__])):
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            return _behind(node.body)
    return {}


def _behind(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement, text in pairwise(body):
        if not (
            isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
        ):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        found |= {target.id: inspect.cleandoc(text.value.value) for target in targets if isinstance(target, ast.Name)}
    return found
