"""How elements and attributes are called: by prefixes that a dialect has, or with their namespace, as `{uri}name`.

Namespaces in XML 1.0 (https://www.w3.org/TR/xml-names/); the second form is James Clark's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from antiphon.errors import ScenarioError

__all__ = ["XmlNames"]

_NAME: Final = re.compile(r"""(?:\{(?P<uri>[^{}]*)\}|(?P<prefix>[^\s:{}<>&"'/=#@]+):)?(?P<local>[^\s:{}<>&"'/=#@]+)""")
"""What cannot be taken for anything else in a tag; whether it is a name of XML its parser says."""
_PREFIX: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_LONGEST: Final = 1_000


class XmlNames:
    """The prefixes of a dialect; "" is that of elements without one, and attributes without one have no namespace.

    Raises ScenarioError for what is no prefix, for one that XML keeps for itself, and for a namespace without a name,
    or with two prefixes.
    """

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        for prefix, uri in namespaces.items():
            if prefix and (not _PREFIX.fullmatch(prefix) or prefix.lower().startswith("xml")):
                raise ScenarioError(f"{prefix!r} cannot be a prefix of XML", hint='namespaces={"o": "urn:orders"}')
            if not isinstance(uri, str) or not uri or any(each in uri for each in '{}"<>& \n'):
                raise ScenarioError(f"{uri!r} cannot be a namespace", hint='namespaces={"o": "urn:orders"}')
        self._uris = {"xml": _XML, **namespaces}
        self._prefixes = {uri: prefix for prefix, uri in self._uris.items()}
        if len(self._prefixes) < len(self._uris):
            raise ScenarioError("namespaces= has one namespace twice", hint="one prefix for each namespace")

    def of_element(self, expanded: str) -> str:
        """What an element is called that expat calls `uri}name`, or `name`. Raises ValueError if that is too long."""
        uri, _, local = _taken_apart(expanded)
        prefix = self._prefixes.get(uri)
        if prefix is None:
            return local if not uri and "" not in self._uris else f"{{{uri}}}{local}"
        return f"{prefix}:{local}" if prefix else local

    def of_attribute(self, expanded: str) -> str:
        """The same of an attribute."""
        uri, _, local = _taken_apart(expanded)
        if not uri:
            return local
        prefix = self._prefixes.get(uri)
        return f"{prefix}:{local}" if prefix else f"{{{uri}}}{local}"

    def resolve(self, name: str, *, is_attribute: bool = False) -> tuple[str | None, str, str]:
        """The prefix that such a name is to be written with, None if it needs one; its namespace, and its local name.

        Raises ValueError for what is no name, or has a prefix that nobody has said.
        """
        found = _NAME.fullmatch(name)
        if found is None or found["prefix"] == "xmlns" or found[0] == "xmlns":
            raise ValueError(f"{name!r} is no name of an {'attribute' if is_attribute else 'element'}")
        uri, prefix, local = found["uri"], found["prefix"], found["local"]
        if prefix is not None:
            if prefix not in self._uris:
                raise ValueError(f"the prefix of {name!r} is not one of namespaces=")
            return prefix, self._uris[prefix], local
        if uri is None:
            uri = "" if is_attribute else self._uris.get("", "")
            return "", uri, local
        if not uri:
            return "", "", local
        return self._prefixes.get(uri) or (None if is_attribute or uri not in self._prefixes else ""), uri, local

    def is_free(self, prefix: str) -> bool:
        """Whether the prefix stands for nothing yet."""
        return prefix not in self._uris


def _taken_apart(expanded: str) -> tuple[str, str, str]:
    if len(expanded) > _LONGEST:  # each element of a long namespace would have it in its name
        raise ValueError(f"a name of {len(expanded):,} characters; {_LONGEST:,} are the limit")
    return expanded.rpartition("}")
