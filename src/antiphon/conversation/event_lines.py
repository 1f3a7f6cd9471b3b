r"""The lines of Server-Sent Events, which may end with `\n`, `\r\n` or `\r` (HTML Standard, section 9.2.5)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["EventLines"]

_END: Final = re.compile(rb"\r\n|\r|\n")
_BOM: Final = b"\xef\xbb\xbf"


class EventLines:
    """Cuts what comes in pieces into lines, without their ends. `rest` is what of the latest has come."""

    def __init__(self) -> None:
        self.rest = b""
        self._has_begun = False
        self._after_return = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that this completes."""
        if self._after_return and data:
            data = data.removeprefix(b"\n")  # it belongs to the end that was seen already
            self._after_return = False
        if not data:
            return []
        self._after_return = data.endswith(b"\r")
        # Most pieces end no line of a long one: then nothing is searched twice.
        if not _END.search(data):
            self.rest += data
            return []
        *lines, self.rest = _END.split(self.rest + data)
        if not self._has_begun:
            self._has_begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        return lines
