"""A lock on one user of a stand, which all processes of one account on one machine respect.

It is an advisory lock of the operating system on a small file: it ends when the process ends, however that happens. The
file tells who has it, and is removed when it is freed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from antiphon.errors import ScenarioError

__all__ = ["Holder", "UserLock"]

_CONTENT_BYTES: Final = 4096
"""The content ends before this; the byte behind it is what is locked where a lock is on bytes and forbids reading."""


class Holder(msgspec.Struct, omit_defaults=True):
    """Who has a user: the process, the run (its directory, or its scenario), the actor there, since when (UTC)."""

    pid: int
    run: str
    actor: str
    since: str

    def __str__(self) -> str:
        whose = "this process" if self.pid == os.getpid() else f"process {self.pid}"
        return f"{self.actor} of {self.run} in {whose}, since {self.since}"


class UserLock:
    """The lock on the user `name` of the stand known as `stand` (any text, the same wherever it is the same stand)."""

    def __init__(self, stand: str, name: str) -> None:
        key = hashlib.sha256(f"{stand}\0{name}".encode()).hexdigest()[:32]
        self._path = _folder() / f"{key}.lock"
        self._file = -1

    def try_lock(self, holder: Holder) -> bool:
        """Take it if it is free; False if it is not. Raises ScenarioError if it cannot be known."""
        try:
            while (file := self._open()) >= 0 and not self._is_there(file):
                os.close(file)  # whoever had it has removed the file between our opening and our locking it
            if file < 0:
                return False
            # Only now that it is ours: until then it tells who has it.
            os.ftruncate(file, 0)
            os.write(file, msgspec.json.encode(holder)[:_CONTENT_BYTES])
        except OSError as error:
            raise ScenarioError(
                f"users cannot be kept apart from those of other processes: {error.strerror}", place=str(self._path)
            ) from error
        self._file = file
        return True

    def _open(self) -> int:
        """The file, locked; -1 if somebody else has it."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.open(self._path, flags, 0o600)
        if _lock(file):
            return file
        os.close(file)
        return -1

    def _is_there(self, file: int) -> bool:
        try:
            # The name may lead to another file by now, made and locked by somebody else.
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def free(self) -> None:
        """Let others have it."""
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):  # Windows removes no file that is open
                # Before it is unlocked. Whoever has it open already will see that it is gone (`_is_there`).
                self._path.unlink()
            os.close(file)

    def holder(self) -> Holder | None:
        """Who has it, or had it last; None if that is not known."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Holder)
        except (OSError, msgspec.DecodeError):
            return None


def _folder() -> Path:
    """Where the locks of this account are, made if need be; nobody else may write there."""
    account = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    folder = Path(tempfile.gettempdir()) / f"antiphon-{account}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat().st_uid
    except OSError as error:
        raise ScenarioError(f"there is no place for locks on users: {error.strerror}", place=str(folder)) from error
    if sys.platform != "win32" and owner != os.getuid():
        raise ScenarioError(
            "the place for locks on users belongs to someone else", place=str(folder), hint="set TMPDIR to another"
        )
    return folder


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        os.lseek(file, _CONTENT_BYTES, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
