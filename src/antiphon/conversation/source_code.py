"""The author's source: the line at a place, and the expression that a function is.

Read when something has failed, and kept, a file at a time. Relied upon: `co_positions` (PEP 657, from 3.11 on) says
where the instructions of a lambda are written. A file that was changed since, or that cannot be read, has no source
here: then there is less to tell, and nothing wrong. Whether it was changed is found by compiling it again: code is
equal only to what is made of the same text at the same place.
"""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Iterator, Mapping
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any, Final
from warnings import catch_warnings

from antiphon.conversation.wording import one_line

__all__ = ["expression_of", "line_at", "names_of", "remember_file", "text_of", "tree_of"]


def tree_of(code: CodeType, *, is_rewritten: bool = False) -> ast.Module | None:
    """The syntax tree of the file that the code was made of; None for one that cannot be read, or that has changed.

    is_rewritten: whether something between the file and the code, as pytest, has made other instructions of it, so that
    it cannot be told whether it has changed.
    """
    file = code.co_filename
    linecache.checkcache(file)  # a module may have been loaded again since it was read
    source = "".join(linecache.getlines(file))
    return _tree(source) if is_rewritten or code in _codes(source, code.co_flags & _FUTURES) else None


@lru_cache(maxsize=32)
def _tree(source: str) -> ast.Module | None:
    try:
        with catch_warnings(action="ignore"):  # it was compiled before, and whatever was to be said of it, was said
            return ast.parse(source)
    except _UNREADABLE:
        return None


@lru_cache(maxsize=32)
def _codes(source: str, flags: int) -> frozenset[CodeType]:
    """All code that is made of a text, but for that of the text as a whole."""
    try:
        with catch_warnings(action="ignore"):
            # A cell of a notebook may await as it is.
            whole = compile(source, "", "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except _UNREADABLE:
        return frozenset()
    return frozenset(_codes_in(whole))


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes_in(inner)


def remember_file(told: str, file: str) -> None:
    """A place is told with that path, which is the file's only as long as the process stays in its directory."""
    if _FILES.setdefault(told, file) != file:
        _FILES[told] = ""  # there is one of that path in another directory, too, and nobody can say which is meant


_FILES: Final[dict[str, str]] = {}


def line_at(place: str) -> str:
    """The line of source at a place, FILE:LINE, on one line; "" where there is none, as at an address.

    That of a function with decorators is the first of those, and says nothing: it has none either.
    """
    file, _, line = place.rpartition(":")
    if not file.endswith(".py") or not line.isdecimal():
        return ""
    # As a whole path: else another file of that name is looked for where modules are.
    whole = _FILES.get(file, str(Path(file).absolute()))
    found = one_line(linecache.getline(whole, int(line)), LONGEST_LINE)
    return "" if found.startswith("@") else found


def text_of(node: ast.AST) -> str:
    """A part of the source as Python would write it, on one line; without notes and parentheses that are not needed."""
    return one_line(ast.unparse(node), LONGEST_LINE)


def expression_of(function: Any) -> ast.expr | None:
    """What a function gives: of a lambda its body, of a function that only returns something, that; else None."""
    plain = _plain(function)
    return _expression_of(plain.__code__) if plain is not None else None


def names_of(function: Any, *arguments: Any) -> Mapping[str, Any] | None:
    """What the names in a function stand for when it is called with these arguments; None if that cannot be told."""
    plain = _plain(function)
    if plain is None:
        return None
    if isinstance(function, MethodType):
        arguments = (function.__self__, *arguments)
    code = plain.__code__
    taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if len(arguments) > code.co_argcount or code.co_flags & _STARRED:
        return None
    missing = taken[len(arguments) : code.co_argcount]
    defaults = dict(zip(reversed(missing), reversed(plain.__defaults__ or ()), strict=False))
    names = {
        **plain.__globals__,
        **(plain.__kwdefaults__ or {}),
        **defaults,
        **dict(zip(taken, arguments, strict=False)),
    }
    for name, cell in zip(code.co_freevars, plain.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # it has no value yet
            names.pop(name, None)
    return names


def _plain(function: Any) -> FunctionType | None:
    function = function.__func__ if isinstance(function, MethodType) else function
    return function if isinstance(function, FunctionType) else None


@lru_cache(maxsize=256)
def _expression_of(code: CodeType) -> ast.expr | None:
    tree = tree_of(code)
    if tree is None:
        return None
    found: ast.expr | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            found = _returned(node, code) or found
        # Of several on a line, or one in another, it is the smallest that all its instructions are in.
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and _holds(node.body, code):
            found = node.body  # of one that is in another, which comes first in the walk
    return found


def _returned(node: ast.FunctionDef, code: CodeType) -> ast.expr | None:
    """What the function gives, if it is that of the code and does nothing else."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if first != code.co_firstlineno or len(body) != 1 or not isinstance(body[0], ast.Return):
        return None
    return body[0].value


def _holds(node: ast.expr, code: CodeType) -> bool:
    positions = [each for each in code.co_positions() if None not in each and each[2:] != (0, 0)]
    begin, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    return bool(positions) and all(
        begin <= (line, column) and (end_line, end_column) <= end for line, end_line, column, end_column in positions
    )


LONGEST_LINE: Final = 160
_UNREADABLE: Final = (SyntaxError, ValueError, RecursionError, MemoryError, SystemError)
_FUTURES: Final = reduce(or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
"""What `from __future__ import …` may have said where the text was compiled, of which code knows."""
_STARRED: Final = 0x04 | 0x08
"""`CO_VARARGS` and `CO_VARKEYWORDS` of `inspect`."""
