"""Where a refusal sends us, if it is a redirect, and what of the opening may go there (RFC 9110 section 15.4)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec

from antiphon.errors import UpgradeRefused
from antiphon.journal.masking import Masker
from antiphon.transport.interface import Opening
from antiphon.transport.tls import Tls
from antiphon.transport.websocket.address import WebSocketAddress

__all__ = ["MOST_REDIRECTS", "basic", "redirected"]

MOST_REDIRECTS: Final = 10
"""How many are followed if nobody says how many."""

_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_HARMLESS: Final = frozenset({"origin", "user-agent", "accept-language"})
"""The headers that everybody may see. Of the others nobody knows which are credentials."""


def redirected(refused: UpgradeRefused, where: WebSocketAddress, opening: Opening) -> tuple[str, Opening] | None:
    """The next address, and the opening for it; None if this is no redirect, or one that is not followed.

    Another host, port or scheme gets no credentials: no headers but a harmless few, no user of the address, no
    certificate of ours. The same host over TLS is no other, at the usual ports. From TLS nothing leads away.
    """
    location = refused.headers.get("Location", "")
    if refused.status not in _STATUSES or not location:
        return None
    try:
        there = _resolved(where, location)
    except ValueError:
        return None
    if where.is_secure and not there.is_secure:
        return None
    if _is_same(where, there):
        if where.credentials and "authorization" not in {name.lower() for name in opening.headers}:
            opening = msgspec.structs.replace(
                opening, headers={**opening.headers, "Authorization": basic(where.credentials)}
            )
        return there.bare, opening
    return there.bare, _without_credentials(opening)


def basic(credentials: str) -> str:
    """The value of an Authorization header for `user:password` (RFC 7617)."""
    return "Basic " + b64encode(credentials.encode()).decode()


def _resolved(where: WebSocketAddress, location: str) -> WebSocketAddress:
    base = f"{'https' if where.is_secure else 'http'}://{where.authority}{where.target}"
    parts = urlsplit(urljoin(base, location))
    if where.socket and not urlsplit(location).netloc:
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        return WebSocketAddress.parse(where.up_to_path + target)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return WebSocketAddress.parse(parts._replace(scheme=scheme, fragment="").geturl())


def _is_same(here: WebSocketAddress, there: WebSocketAddress) -> bool:
    if (here.host, here.socket) != (there.host, there.socket):
        return False
    is_upgraded = not here.is_secure and there.is_secure and (here.port, there.port) == (80, 443)
    return is_upgraded or (here.is_secure, here.port) == (there.is_secure, there.port)


def _without_credentials(opening: Opening) -> Opening:
    headers: Mapping[str, str] = {name: value for name, value in opening.headers.items() if name.lower() in _HARMLESS}
    masker = Masker()
    return msgspec.structs.replace(
        opening,
        headers=headers,
        # Some carry a token there.
        subprotocols=[name for name in opening.subprotocols if masker.text(name) == name],
        tls=opening.tls.without_identity() if isinstance(opening.tls, Tls) else opening.tls,
    )
