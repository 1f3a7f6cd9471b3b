"""Files and directories that only their owner may read, whatever the umask: a run holds what was said to whom.

And why one could not be written.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import resource

__all__ = ["PRIVATE_DIRECTORY", "PRIVATE_FILE", "make_private_directory", "open_private", "reason", "why_unwritable"]

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700


def make_private_directory(path: Path) -> None:
    """Make it, and those above it that are not there; raises OSError."""
    if path.is_dir():
        return
    make_private_directory(path.parent)
    try:
        path.mkdir(PRIVATE_DIRECTORY)
        path.chmod(PRIVATE_DIRECTORY)  # a umask may have taken even the owner's rights
    except FileExistsError:
        if not path.is_dir():  # else another process was faster
            raise


def open_private(path: str | Path, flags: int) -> int:
    """Open a file that is made by that, and give its descriptor; bytes stay as they are on Windows too."""
    file = os.open(path, flags | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
    if hasattr(os, "fchmod"):
        os.fchmod(file, PRIVATE_FILE)
    return file


def reason(error: OSError) -> str:
    """Why a file could not be written; where that is a limit of this process, the limit, and what sets it."""
    told = error.strerror or str(error)
    if error.errno == errno.EFBIG and sys.platform != "win32":
        limit_bytes = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if limit_bytes != resource.RLIM_INFINITY:
            return f"{told}; the limit is {limit_bytes} bytes (ulimit -f)"
    return told


def why_unwritable(path: Path) -> str:
    """Why no file of that name can be written, as far as one can tell without doing it; "" if it can."""
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    if place != path and not place.is_dir():
        return os.strerror(errno.ENOTDIR)
    if os.access(place, os.W_OK):
        return ""
    is_read_only = hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY
    return os.strerror(errno.EROFS if is_read_only else errno.EACCES)
