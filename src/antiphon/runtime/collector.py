"""The garbage collector of a process that is ours alone, and holds conversations by the thousand."""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["collect_seldom"]

YOUNG: Final = 50_000
"""So many more objects are made than let go of before the collector looks at them."""

OLDER: Final = 20
"""Of so many such looks one is at those that were there at the last one, too, and of as many of these one at all."""


def collect_seldom() -> None:
    """Have the collector leave what is there now alone for ever, and look at the rest seventy times as seldom.

    Records are kept for a while and let go of without it: whenever it looks it finds nothing, and meanwhile a message
    lies there. Not for a process in which anybody else's code runs that may count on the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)
