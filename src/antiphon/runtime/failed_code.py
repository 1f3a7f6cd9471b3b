"""What the author's code had before it when it failed: the values of an `assert`, the fields around a missing one.

pytest rewrites the modules of tests so that an `assert` keeps its values. That would have to be done to each module of
scenarios before it is imported, by whatever imports it, and costs each `assert` that holds. So the values are looked at
in the frame where it failed, as soon as that is known, as far as nothing has to be run for it (`values_read`). What is
lost by that: what a call returned, and a value that somebody else has changed in the same turn of the event loop.

Relied upon: a traceback's frame keeps its names as long as the traceback is there; `co_positions` has the place of its
instruction (`tb_lasti`). A module that pytest has rewritten knows a name `@pytest_ar`; its asserts are left alone.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import CodeType, TracebackType
from typing import Any, Final, TypeVar

from antiphon.conversation.likeness import nearest_name
from antiphon.conversation.message import Message, describe_fields
from antiphon.conversation.source_code import text_of, tree_of
from antiphon.conversation.values_read import look_at, values_told
from antiphon.runtime.tracebacks import owner_of

_Node = TypeVar("_Node", ast.Assert, ast.Subscript)

__all__ = ["tell_values"]


def tell_values(error: BaseException | None) -> None:
    """Have an AssertionError of the author's say what it asserted, and of what values; a KeyError, what there is.

    Of a group all that are in it, and what led to them. Each is told once.
    """
    for each in _involved(error):
        if type(each) is AssertionError:
            _tell_assertion(each)
        elif type(each) is KeyError:
            _tell_missing(each)


def _involved(error: BaseException | None) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [
            each.__cause__,
            each.__context__,
            *(each.exceptions if isinstance(each, BaseExceptionGroup) else ()),
        ]


def _tell_assertion(error: AssertionError) -> None:
    where = _author_place(error)
    if where is None or _is_rewritten(where):
        return
    statement = _around(where, ast.Assert)
    if statement is None or (error.args and statement.msg is None):  # raised by hand, or told already
        return
    told = values_told(statement.test, _names(where))
    if error.args and not isinstance(error.args[0], str):  # the author's own object, which stays what it is
        _add_notes(error, told)
        return
    first = error.args[0] if error.args else f"assert {text_of(statement.test)}"
    values = "".join(f"\n  {line}" for line in told)
    if not error.args or not first.endswith(values):
        error.args = (first + values, *error.args[1:])


def _add_notes(error: BaseException, lines: Iterable[str]) -> None:
    for line in lines:
        if line not in getattr(error, "__notes__", ()):
            error.add_note(line)


def _tell_missing(error: KeyError) -> None:
    where = _author_place(error)
    subscript = _around(where, ast.Subscript) if where is not None and where.tb_next is None else None
    if where is None or subscript is None or not error.args or getattr(error, "__notes__", None):
        return
    if not _is_at(where, subscript):  # of something within its brackets
        return
    holder = look_at(subscript.value, _names(where))
    fields = holder.body if isinstance(holder, Message) else holder
    if fields.__class__ is not dict or error.args[0] in fields:  # those of a class may do anything
        return
    meant = nearest_name(error.args[0], fields)
    hint = f"; did you mean {meant!r}?" if meant is not None else ""
    error.add_note(
        f"in {text_of(subscript.value)}: {describe_fields(dict(islice(fields.items(), _MOST_FIELDS)))}{hint}"
    )


def _author_place(error: BaseException) -> TracebackType | None:
    """The innermost frame of the author's that it went through."""
    found, entry = None, error.__traceback__
    while entry is not None:
        if owner_of(entry.tb_frame.f_code.co_filename) == "author":
            found = entry
        entry = entry.tb_next
    return found


def _names(where: TracebackType) -> Mapping[str, Any]:
    frame = where.tb_frame
    return {**vars(builtins), **frame.f_globals, **frame.f_locals}


def _around(where: TracebackType, kind: type[_Node]) -> _Node | None:
    """The innermost part of the source of that kind in which the frame's instruction stands."""
    code = where.tb_frame.f_code
    found = _part_at(code, code.co_filename, where.tb_lasti, kind.__name__, _is_rewritten(where))
    return found if isinstance(found, kind) else None


def _is_at(where: TracebackType, part: ast.expr) -> bool:
    """Whether the frame's instruction is what the part as a whole does."""
    place = part.lineno, part.end_lineno, part.col_offset, part.end_col_offset
    return _position(where.tb_frame.f_code, where.tb_lasti) == place


def _position(code: CodeType, instruction: int) -> tuple[int | None, int | None, int | None, int | None]:
    """Where it is written: its lines, then its columns."""
    return next(islice(code.co_positions(), instruction // 2, None), (None, None, None, None))


def _is_rewritten(where: TracebackType) -> bool:
    return "@pytest_ar" in where.tb_frame.f_globals


@lru_cache(maxsize=1024)  # under load the same line fails again and again
def _part_at(code: CodeType, _file: str, instruction: int, kind: str, is_rewritten: bool) -> ast.stmt | ast.expr | None:
    """The file is there because code of another one may be equal."""
    line, end_line, column, end_column = _position(code, instruction)
    if line is None or end_line is None or column is None or end_column is None:
        return None
    tree = tree_of(code, is_rewritten=is_rewritten)
    around = [
        node
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, (ast.stmt, ast.expr))
        and type(node).__name__ == kind
        and (node.lineno, node.col_offset) <= (line, column)
        and (end_line, end_column) <= (node.end_lineno or 0, node.end_col_offset or 0)
    ]
    return max(around, key=lambda node: (node.lineno, node.col_offset), default=None)


_MOST_FIELDS: Final = 30
