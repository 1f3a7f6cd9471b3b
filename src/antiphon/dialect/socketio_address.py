"""Where Engine.IO listens: a path and a query of its own (https://socket.io/docs/v4/engine-io-protocol/)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["address_of_engine"]


def address_of_engine(address: str) -> str:
    """The address as Engine.IO wants it: with a path, if it has none, and what the query must say."""
    place = _PLACE.match(address)
    if place is None:
        return address
    path, _, query = address[place.end() :].partition("?")
    names = {each.partition("=")[0] for each in query.split("&")}
    added = [f"{name}={value}" for name, value in (("EIO", "4"), ("transport", "websocket")) if name not in names]
    colon = ":" if place["unix"] is not None and not place[0].endswith(":") else ""
    return f"{place[0]}{colon}{path if path.strip('/') else _PATH}?{'&'.join([*filter(None, [query]), *added])}"


_PATH: Final = "/socket.io/"
_PLACE: Final = re.compile(r"(?:ws|http)s?://[^/?#]*|(?P<unix>ws\+unix)://[^:]*:?")
