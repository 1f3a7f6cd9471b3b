"""The values that an expression read, looked at again without running anything of the author's.

Only what cannot do anything is looked at: names, attributes that are plain data, items of Python's own containers and
of messages. What was called is not called again, properties are not asked, no comparison is made: of those their parts
are shown. All that is called is `repr`, of what is shown.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterator, Mapping
from enum import Enum
from types import MemberDescriptorType, ModuleType
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.source_code import text_of
from antiphon.conversation.wording import beginning, cut, one_line

__all__ = ["UNKNOWN", "look_at", "values_read", "values_told"]

UNKNOWN: Final = object()
"""What cannot be looked at without running something."""


def values_told(expression: ast.expr, names: Mapping[str, Any]) -> list[str]:
    """The values that the expression read, a line for each, `desk.state = 'busy'`; at most 8.

    Equals signs, for that is how a text is looked through for secrets: `token = '…'`.
    """
    try:
        lines = [f"{text} = {_shown(value)}" for text, value in values_read(expression, names).items()]
    except Exception:  # a foreign object that says what it is in a way of its own: a failure must be told all the same
        return []
    return lines if len(lines) <= MOST_TOLD else [*lines[:MOST_TOLD], f"and {len(lines) - MOST_TOLD} more"]


def values_read(expression: ast.expr, names: Mapping[str, Any]) -> dict[str, Any]:
    """The values by the source of the parts that had them, in its order; of `desk.state` it is one."""
    found: dict[str, Any] = {}
    for part in _parts(expression, names):
        text = text_of(part)
        value = look_at(part, names)
        if value is not UNKNOWN and _says_something(value):
            found.setdefault(text, value)
    return found


def look_at(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a part, UNKNOWN if it cannot be had without running something."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return names.get(name, vars(builtins).get(name, UNKNOWN))
        case ast.NamedExpr(target):
            return look_at(target, names)
        case ast.Attribute(inner, name):
            return _attribute(look_at(inner, names), name)
        case ast.Subscript(inner, index):
            return _item(look_at(inner, names), look_at(index, names))
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
        case _:
            return UNKNOWN


def _parts(node: ast.AST, names: Mapping[str, Any]) -> Iterator[ast.expr]:
    """The largest parts of an expression that can be looked at."""
    if isinstance(node, ast.NamedExpr):
        yield node.target
        yield from _parts(node.value, names)
    elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        if look_at(node, names) is not UNKNOWN:
            yield node
            yield from _indexes(node, names)
        elif not isinstance(node, ast.Name):
            yield from _parts(node.value, names)
            if isinstance(node, ast.Subscript):
                yield from _parts(node.slice, names)
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        # What else is in it has names of its own, which had a value for each item.
        yield from _parts(node.generators[0].iter, names)
    elif not isinstance(node, ast.Lambda):
        for inner in ast.iter_child_nodes(node):
            yield from _parts(inner, names)


def _indexes(node: ast.expr, names: Mapping[str, Any]) -> Iterator[ast.expr]:
    """What stands in the brackets of a part that is told as a whole, from the left."""
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        yield from _indexes(node.value, names)
        if isinstance(node, ast.Subscript):
            yield from _parts(node.slice, names)


def _attribute(value: Any, name: str) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    try:
        found = inspect.getattr_static(value, name)
    except AttributeError:
        return UNKNOWN
    if isinstance(found, MemberDescriptorType):  # of a class with slots
        try:
            return found.__get__(value, type(value))
        except AttributeError:  # it has no value yet
            return UNKNOWN
    if isinstance(value, Enum) and name in ("name", "value"):
        return getattr(value, f"_{name}_")
    # A property, or anything else that runs when it is read.
    return UNKNOWN if hasattr(type(found), "__get__") else found


def _item(value: Any, index: Any) -> Any:
    if isinstance(value, _SEQUENCES) and value.__class__ in _SEQUENCES:
        is_there = index.__class__ is int and -len(value) <= index < len(value)
        return value[index] if is_there else UNKNOWN
    fields: Any = value
    if isinstance(value, Message):
        if isinstance(value.body, (list, tuple)):
            return _item(value.body, index)
        fields = named_fields(value.body)
    # By its own key alone: a foreign one may do anything when it is hashed, and a dict of a class when it has none.
    if not isinstance(fields, dict) or index.__class__ not in _KEYS or not dict.__contains__(fields, index):
        return UNKNOWN
    return dict.__getitem__(fields, index)


def _says_something(value: Any) -> bool:
    """Classes, modules and functions are the same at any time; an object may have no text of its own."""
    return not (isinstance(value, ModuleType) or callable(value) or type(value).__repr__ is _NO_TEXT)


def _shown(value: Any) -> str:
    if isinstance(value, Message):
        return one_line(f"the message {cut(value.name, LONGEST_VALUE)} {beginning(value.body, LONGEST_VALUE)}", None)
    return one_line(beginning(value, LONGEST_VALUE), None)


_NO_TEXT: Final[Any] = object.__repr__
MOST_TOLD: Final = 8
LONGEST_VALUE: Final = 160
_SEQUENCES: Final = (list, tuple, str, bytes)
_KEYS: Final = frozenset({str, int, bool, float, bytes, type(None)})
