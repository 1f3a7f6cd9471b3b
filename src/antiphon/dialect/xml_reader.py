"""XML as objects, lists and texts, without what makes XML dangerous (XML 1.0, https://www.w3.org/TR/xml/)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final
from xml.parsers import expat

from antiphon.conversation.message import Data
from antiphon.dialect.xml_names import XmlNames

__all__ = ["NAME", "TEXT", "XmlReader", "is_known_encoding"]

NAME: Final = "#name"
TEXT: Final = "#text"

_ENCODING: Final = re.compile(
    r"utf-8|utf-16|us-ascii|iso-8859-([1-9]|1[013-6])|windows-125[0-8]|koi8-[ru]", re.IGNORECASE
)
_DEEPEST: Final = 200


class XmlReader:
    """Reads documents. No document type is read, so there are no entities but XML's own, and nothing from elsewhere.

    An element without attributes and elements is its text; any other an object, with attributes under `@name`, elements
    under their names (several of a name as a list), and text under `#text`. The root is an object with its own name
    under `#name`. White space between elements, comments and processing instructions are not kept, and neither is where
    in its text an element stood.
    """

    def __init__(self, names: XmlNames, lists: Collection[str], limit_elements: int) -> None:
        self._names = names
        self._lists = frozenset(lists)
        self._limit_elements = limit_elements

    def read(self, data: Data) -> dict[str, Any]:
        """The document. Raises ExpatError or ValueError, whose texts say what is wrong with it."""
        return _Tree(self._names, self._lists, self._limit_elements, is_text=isinstance(data, str)).parse(data)


class _Tree:
    """One document, while it is read."""

    def __init__(self, names: XmlNames, lists: frozenset[str], limit_elements: int, *, is_text: bool) -> None:
        self._names = names
        self._lists = lists
        self._limit_elements = limit_elements
        self._left = limit_elements
        self._known: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._root: dict[str, Any] = {}
        self._pieces: list[str] = []
        parser = self._parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text
        parser.StartDoctypeDeclHandler = self._refuse
        if not is_text:  # a text has been decoded already, whatever it says
            parser.XmlDeclHandler = self._hear_encoding

    def parse(self, data: Data) -> dict[str, Any]:
        parser = self._parser
        try:
            parser.Parse(data, True)
        finally:  # they lead from the parser to here, and from here to the parser
            parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
            parser.StartDoctypeDeclHandler = parser.XmlDeclHandler = None
        return self._root

    def _begin(self, expanded: str, attributes: list[str]) -> None:
        self._left -= 1 + len(attributes) // 2
        if self._left < 0:
            raise ValueError(f"more than {self._limit_elements:,} elements and attributes")
        if len(self._open) == _DEEPEST:
            raise ValueError(f"elements are nested more than {_DEEPEST} deep")
        known = self._known
        name = known.get(expanded)
        if name is None:
            name = known[expanded] = self._names.of_element(expanded)
        node: dict[str, Any] = {} if self._open else {NAME: name}
        for place in range(0, len(attributes), 2):
            node[f"@{self._names.of_attribute(attributes[place])}"] = attributes[place + 1]
        self._pieces = []
        self._open.append((name, node, self._pieces))

    def _add_text(self, text: str) -> None:
        self._pieces.append(text)

    def _end(self, _expanded: str) -> None:
        name, node, pieces = self._open.pop()
        text = "".join(pieces)
        if any(key[0] not in "@#" for key in node):
            text = text.strip()
        if text:
            node[TEXT] = text
        if not self._open:
            self._root = node
            return
        _, parent, self._pieces = self._open[-1]
        value = node if node.keys() - {TEXT} else text
        if name not in parent:
            parent[name] = [value] if name in self._lists else value
        elif parent[name].__class__ is list:
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    def _hear_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and not is_known_encoding(encoding):
            # Else the parser would ask Python for whatever codec a peer names.
            raise ValueError(f"the encoding {encoding!r:.80} is not read")

    def _refuse(self, *_declared: Any) -> None:
        raise ValueError(f"a document type (DOCTYPE) in line {self._parser.CurrentLineNumber}, which is not read")


def is_known_encoding(encoding: str) -> bool:
    """Whether XML in this encoding is read."""
    return _ENCODING.fullmatch(encoding) is not None
