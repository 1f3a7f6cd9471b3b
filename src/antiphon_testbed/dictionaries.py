"""The dictionaries that a desk can read: how a contact can end, and which states an agent can choose."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["DICTIONARIES", "items"]

DICTIONARIES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "dispositions": MappingProxyType(
            {
                "resolved": "Resolved",
                "callback": "Call back later",
                "refused": "The customer refused",
                "wrongNumber": "Wrong number",
                "busy": "Busy",
                "noAnswer": "No answer",
            }
        ),
        "states": MappingProxyType({"ready": "Ready", "notReady": "Not ready", "break": "Break"}),
    }
)
"""Each dictionary by its name: the title of each of its ids."""


def items(name: str) -> list[dict[str, str]]:
    """The dictionary's items as the wire has them, in order; KeyError for an unknown dictionary."""
    return [{"id": key, "title": title} for key, title in DICTIONARIES[name].items()]
