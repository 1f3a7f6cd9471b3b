"""Which of several names somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["nearest_name"]


def nearest_name(name: Any, names: Iterable[Any]) -> str | None:
    """The one of the names that is this one but for its case, or nearly this one; None if none is, or it is no text."""
    if not isinstance(name, str):
        return None
    folded = {other[:_LONGEST_NAME].casefold(): other for other in names if isinstance(other, str)}
    found = difflib.get_close_matches(name[:_LONGEST_NAME].casefold(), folded, n=1, cutoff=0.8)
    return folded[found[0]] if found else None


_LONGEST_NAME: Final = 80
