"""What a user reads has one name for whoever we speak with: the server, the client, or the other side."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import antiphon

ROOT = Path(antiphon.__file__).parent
WRONG = re.compile(r"\b(the|a) peer\b")


def texts_of(tree: ast.AST) -> Iterator[ast.Constant]:
    """The texts of a module but for its docstrings, which are read by who writes a plug-in."""
    documented = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node


def test_no_text_calls_the_other_side_a_peer() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for file in sorted(ROOT.rglob("*.py"))
        for node in texts_of(ast.parse(file.read_text(encoding="utf-8")))
        if WRONG.search(node.value)
    ]
    assert found == []


def test_nor_does_the_trace() -> None:
    found = [
        f"{file.name}: {text}"
        for file in sorted((ROOT / "report/formats/html/static").glob("*.js"))
        for text in re.findall(r"'[^'\n]*'|`[^`\n]*`", re.sub(r"//.*|/\*.*?\*/", "", file.read_text(encoding="utf-8")))
        if WRONG.search(text)
    ]
    assert found == []
