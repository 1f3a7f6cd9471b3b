"""Objects, lists and texts as XML: the way back of `xml_reader`."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Final
from xml.parsers import expat

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.typed import plain_value
from antiphon.conversation.wording import shorten
from antiphon.dialect.xml_names import XmlNames
from antiphon.dialect.xml_reader import NAME, TEXT

__all__ = ["NOT_WRITABLE", "XmlWriter", "texts"]

NOT_WRITABLE: Final = (
    *(expat.ExpatError, TypeError, ValueError, OverflowError, RecursionError),
    msgspec.MsgspecError,
)
"""What is raised for what XML cannot hold."""

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_TEXT: Final = str.maketrans(_ESCAPES)
_IN_ATTRIBUTE: Final = str.maketrans({**_ESCAPES, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def texts(value: Any) -> Any:
    """The value in what XML knows: objects, lists and texts; None is the empty text.

    Raises what NOT_WRITABLE lists for what is none of it, and for numbers that are not finite.
    """
    return _texts(msgspec.to_builtins(value, enc_hook=plain_value))


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _texts(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_texts(each) for each in value]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value} is no number that every reader knows")
    return str(value)


class XmlWriter:
    """Writes documents as `XmlReader` gives them: as text, or with an encoding as bytes with a declaration.

    Prefixes are declared where they are used first at the root; a namespace without one gets `ns1` and so on.
    """

    def __init__(self, names: XmlNames, encoding: str | None) -> None:
        self._names = names
        self._encoding = encoding

    def write(self, document: Any) -> Data:
        """The document. Raises what NOT_WRITABLE lists."""
        root = texts(document)
        name = root.pop(NAME, None)
        if not isinstance(name, str):
            raise ValueError(f"there is no name of the root element, {NAME!r}")
        data: Data = _Document(self._names).write(name, root)
        if self._encoding is not None:
            text = f'<?xml version="1.0" encoding="{self._encoding}"?>{data!s}'
            data = text.encode(self._encoding, "xmlcharrefreplace")
        # To read it over is how to know that all names are names, which no simple pattern tells.
        expat.ParserCreate(namespace_separator="}").Parse(data, True)
        return data


class _Document:
    """One document, while it is written."""

    def __init__(self, names: XmlNames) -> None:
        self._names = names
        self._declared: dict[str, str] = {}
        """Namespaces by the prefixes that they are written with."""

    def write(self, name: str, root: dict[str, Any]) -> str:
        tag, default, attributes, inside = self._element(name, root, "")
        declared = "".join(
            f' xmlns:{prefix}="{_escaped(uri, _IN_ATTRIBUTE)}"' for prefix, uri in self._declared.items()
        )
        return _joined(tag, f"{declared}{default}{attributes}", inside)

    def _element(self, name: str, value: Any, default: str) -> tuple[str, str, str, str]:
        """Its tag, what it declares, its attributes, and what is inside; `default` is the namespace around it."""
        prefix, uri, local = self._names.resolve(name)
        declaration = ""
        if prefix == "" and uri != default:
            default, declaration = uri, f' xmlns="{_escaped(uri, _IN_ATTRIBUTE)}"'
        attributes, inside = [], []
        for key, each in value.items() if isinstance(value, dict) else ((TEXT, value),):
            if not isinstance(key, str):
                raise TypeError(f"{key!r} is no name of an element")
            if key == TEXT:
                inside.append(_escaped(_text(key, each), _IN_TEXT))
            elif key.startswith("@"):
                attributes.append(f' {self._attribute(key[1:])}="{_escaped(_text(key, each), _IN_ATTRIBUTE)}"')
            else:
                inside += [self._inner(key, item, default) for item in (each if isinstance(each, list) else (each,))]
        return self._tag(prefix, uri, local), declaration, "".join(attributes), "".join(inside)

    def _inner(self, name: str, value: Any, default: str) -> str:
        if isinstance(value, list):
            raise TypeError(f"{name} has a list in a list")
        tag, declaration, attributes, inside = self._element(name, value, default)
        return _joined(tag, declaration + attributes, inside)

    def _attribute(self, name: str) -> str:
        return self._tag(*self._names.resolve(name, is_attribute=True))

    def _tag(self, prefix: str | None, uri: str, local: str) -> str:
        if prefix is None:
            prefix = next((known for known, each in self._declared.items() if each == uri), None)
        number = 0
        while prefix is None:
            number += 1
            if f"ns{number}" not in self._declared and self._names.is_free(f"ns{number}"):
                prefix = f"ns{number}"
        if not prefix:
            return local
        if prefix != "xml":
            self._declared[prefix] = uri
        return f"{prefix}:{local}"


def _joined(tag: str, attributes: str, inside: str) -> str:
    return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{key} is a text or number, not {shorten(value)}")
    return value


def _escaped(text: str, escapes: dict[int, str]) -> str:
    odd = _FORBIDDEN.search(text)
    if odd is not None:
        raise ValueError(f"the character {odd[0]!a} cannot stand in XML, in any form")
    return text.translate(escapes)
