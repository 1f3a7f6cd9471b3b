"""How much memory this process has."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["resident_kib"]


def resident_kib() -> int:
    """What is resident now, in KiB; where the system does not tell, the most that there was, or 0."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        pass
    else:
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most  # bytes there, KiB elsewhere
