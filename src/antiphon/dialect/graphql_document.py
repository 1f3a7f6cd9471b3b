"""What a GraphQL document asks for (GraphQL, October 2021, section 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["is_subscription"]

_PIECES: Final = re.compile(
    r"""#[^\n\r]*|\"""(?:\\"|[^\\]|\\)*?\"""|"(?:\\.|[^"\\])*"|fragment\s+\w+|[][(){}]"""
    r"""|(?P<kind>\w+)(?:\s+(?P<name>[A-Za-z_]\w*))?"""
)
"""Comments, strings, brackets, and words with the word behind them."""


def is_subscription(payload: Mapping[str, Any]) -> bool:
    """Whether the operation that is meant by that payload is a subscription; False of a document that is none."""
    wanted, depth = payload.get("operationName"), 0
    for piece in _PIECES.finditer(str(payload.get("query", ""))):
        text = piece[0]
        if text in _OPEN:
            depth += 1
        elif text in _CLOSE:
            depth -= 1
        elif depth == 0 and piece["kind"] in _KINDS and wanted in (None, "", piece["name"]):
            return piece["kind"] == "subscription"
    return False


_OPEN: Final = frozenset("([{")
_CLOSE: Final = frozenset(")]}")
_KINDS: Final = frozenset(("query", "mutation", "subscription"))
