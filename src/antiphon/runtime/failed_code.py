"""What the author's code had before it when it failed: the values of an `assert`, the fields around a missing one.

pytest rewrites the modules of tests so that an `assert` keeps its values. That would have to be done to each module of
scenarios before it is imported, by whatever imports it, and costs each `assert` that holds. So the values are looked at
in the frame where it failed, as soon as that is known, as far as nothing has to be run for it (`values_read`). What is
lost by that: what a call returned, and a value that somebody else has changed in the same turn of the event loop.

Relied upon: a traceback's frame keeps its names as long as the traceback is there; `co_positions` has the place of its
instruction (`tb_lasti`). A module that pytest has rewritten knows a name `@pytest_ar`, and is left alone.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import TracebackType
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
        waiting += [each.__cause__, *(each.exceptions if isinstance(each, BaseExceptionGroup) else ())]


def _tell_assertion(error: AssertionError) -> None:
    where = _author_place(error)
    if where is None or "@pytest_ar" in where.tb_frame.f_globals:
        return
    statement = _around(where, ast.Assert)
    if statement is None or (error.args and statement.msg is None):  # raised by hand, or told already
        return
    first = str(error.args[0]) if error.args else f"assert {text_of(statement.test)}"
    told = values_told(statement.test, _names(where))
    if not error.args or told:
        error.args = ("\n".join([first, *(f"  {line}" for line in told)]), *error.args[1:])


def _tell_missing(error: KeyError) -> None:
    where = _author_place(error)
    subscript = _around(where, ast.Subscript) if where is not None and where.tb_next is None else None
    if where is None or subscript is None or not error.args or getattr(error, "__notes__", None):
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
    place = next(islice(code.co_positions(), where.tb_lasti // 2, None), (None,))
    found = _part_at(code.co_filename, place, kind.__name__) if None not in place else None
    return found if isinstance(found, kind) else None


@lru_cache(maxsize=1024)  # under load the same line fails again and again
def _part_at(file: str, place: tuple[int, ...], kind: str) -> ast.stmt | ast.expr | None:
    """`place` is where it begins and ends: the lines, then the columns."""
    tree = tree_of(file)
    line, end_line, column, end_column = place
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
