"""One public thing as Markdown: how it is called, what its docstring says, its members."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec

import antiphon
from manual.docstrings import as_markdown, field_texts, own_docstring, value_texts

__all__ = ["anchor", "described", "heading", "members", "parameters"]

_WIDEST: Final = 100
_OF_SEAMS: Final = ("blank", "codec", "framing", "name_of")
"""Members by which a channel uses what an author only makes."""
_QUALIFIED: Final = re.compile(
    r"\b(?:antiphon(?:_testbed)?|collections\.abc|typing|types)\.(?:[a-z_0-9]+\.)*(?=[A-Za-z])"
)


def described(name: str, thing: Any, home: str, hidden: Collection[str]) -> str:
    """The entry of a name; `home` is the module in which it stands, `hidden` members are for those who build on it."""
    if inspect.isclass(thing):
        return _class(name, thing, hidden)
    if inspect.isroutine(thing):
        return "\n\n".join([heading(name), _call(name, thing), as_markdown(own_docstring(thing), parameters(thing))])
    return "\n\n".join([heading(name), _text_behind(name.rpartition(".")[2], thing, home)])


def _text_behind(name: str, thing: Any, home: str) -> str:
    """What stands behind a value, in its module or in that from which it was taken."""
    modules = [sys.modules[home], *(module for key, module in sys.modules.items() if key.startswith("antiphon."))]
    texts = (value_texts(module).get(name) for module in modules if vars(module).get(name) is thing and module.__file__)
    return next(filter(None, texts), "")


def anchor(name: str, member: str = "") -> str:
    """Where the entry is on its page; by case, for there are `Scenario` and `scenario`."""
    return (f"{name}-{member}" if member else name).replace(".", "-")


def heading(name: str, member: str = "") -> str:
    """The heading of a name, or of a member of it."""
    return f"{'###' if member else '##'} {name}{'.' if member else ''}{member} {{#{anchor(name, member)}}}"


def members(kind: type, hidden: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The public members of a class with a docstring, in the order in which they are written.

    Inherited ones are behind them, but for those of a public class, which has an entry of its own.
    """
    seen = {*hidden, *(() if kind in (antiphon.Codec, antiphon.Dialect) else _OF_SEAMS)}
    for base in kind.__mro__:
        if not base.__module__.startswith("antiphon") or (base is not kind and base.__name__ in antiphon.__all__):
            continue
        for name, member in vars(base).items():
            if name in seen or name.startswith("_") or inspect.isclass(member):
                continue
            plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
            if (inspect.isroutine(plain) or isinstance(plain, property)) and own_docstring(plain):
                seen.add(name)
                yield name, plain


def parameters(thing: Any) -> list[str]:
    """What it is called with; [] where that cannot be told."""
    try:
        return [name for name in inspect.signature(thing).parameters if name != "self"]
    except (TypeError, ValueError):
        return []


def _class(name: str, kind: type, hidden: Collection[str]) -> str:
    parts = [heading(name)]
    if _is_made_by_users(kind) and "__init__" not in hidden:
        parts.append(_call(name, kind))
    fields = getattr(kind, "__struct_fields__", ()) or tuple(getattr(kind, "__annotations__", ()))
    parts.append(as_markdown(own_docstring(kind), {*parameters(kind), *fields}))
    made = _init_of(kind)
    if "__init__" not in hidden and made is not None and (how := own_docstring(made)):
        parts.append(as_markdown(how, parameters(kind)))
    public = [base.__name__ for base in kind.__mro__[1:] if base.__name__ in antiphon.__all__]
    parts += [f"It has what `{public[0]}` has, too."] if public else []
    parts += [f"- `{field}`: {text}" for field, text in field_texts(kind).items() if not field.startswith("_")]
    for member, function in members(kind, hidden):
        parts.append(heading(name, member))
        if not isinstance(function, property):
            parts.append(_call(member, function))
        parts.append(as_markdown(own_docstring(function), parameters(function)))
    return "\n\n".join(part for part in parts if part)


def _init_of(kind: type) -> Any:
    """Our function that makes one, unless it is that of a public class, which has an entry of its own."""
    for base in kind.__mro__:
        if base is not kind and base.__name__ in antiphon.__all__:
            return None
        if "__init__" in vars(base):
            made = vars(base)["__init__"]
            return made if str(getattr(made, "__module__", "")).startswith("antiphon") else None
    return None


def _is_made_by_users(kind: type) -> bool:
    if getattr(kind, "_is_protocol", False) or inspect.isabstract(kind):
        return False
    return issubclass(kind, msgspec.Struct) or _init_of(kind) is not None


def _call(name: str, thing: Any) -> str:
    """How it is called, a parameter a line where one line would be too long."""
    signature = inspect.signature(thing)
    given = [parameter for key, parameter in signature.parameters.items() if key != "self"]
    signature = signature.replace(parameters=given)
    if inspect.isclass(thing):
        signature = signature.replace(return_annotation=inspect.Signature.empty)
    text = _plain(f"{name}{signature}")
    if inspect.iscoroutinefunction(thing):
        text = f"await {text}"
    if len(text) > _WIDEST:
        begin, end = text.index("("), _plain(str(signature.return_annotation))
        returns = f" -> {end}" if signature.return_annotation is not inspect.Signature.empty else ""
        text = "\n".join([text[: begin + 1], *(f"    {line}," for line in _lines(given)), f"){returns}"])
    return f"```python\n{text}\n```"


def _lines(given: list[inspect.Parameter]) -> Iterator[str]:
    is_positional = any(each.kind is each.POSITIONAL_ONLY for each in given)
    for each in given:
        if is_positional and each.kind is not each.POSITIONAL_ONLY:
            is_positional = False
            yield "/"
        if each.kind is each.KEYWORD_ONLY and not any(one.kind is one.VAR_POSITIONAL for one in given):
            first = next(one for one in given if one.kind is one.KEYWORD_ONLY)
            if each is first:
                yield "*"
        yield _plain(str(each))


def _plain(text: str) -> str:
    """Without the quotes of annotations and the modules in them."""
    text = re.sub(r"(: |-> )'([^']*)'(?=[,)=]|$| =)", r"\1\2", text)
    text = re.sub(r"(: |-> )\"([^\"]*)\"(?=[,)=]|$| =)", r"\1\2", text)
    return _QUALIFIED.sub("", text)
