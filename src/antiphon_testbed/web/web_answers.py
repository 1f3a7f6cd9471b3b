"""What the centre answers over HTTP: JSON, and problems with their code and message."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

__all__ = ["Problem", "in_json"]


class Problem(Exception):
    """What is wrong with a request, as it is answered: an HTTP status, a code for programs, a message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def in_json(body: Any, status: int = 200) -> web.Response:
    """An answer whose body is JSON."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
