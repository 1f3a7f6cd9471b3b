"""What it means, in words, that a TCP connection or its TLS could not be made."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import Final

import msgspec

__all__ = ["Destination"]

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})


class Destination(msgspec.Struct, frozen=True):
    """Where somebody wants to connect, over TLS if `secure` (the scheme that says so) is not "".

    `plain` is the scheme for the same without TLS; `trust` names what takes an `ssl.SSLContext`.
    """

    host: str
    port: int
    secure: str
    plain: str
    trust: str

    def words(self, error: OSError | ValueError) -> tuple[str, str | None]:
        """What the error means, and a hint; not for a time that is over, whose meaning is the transport's."""
        at = f"{self.host}:{self.port}"
        if isinstance(error, ssl.SSLError):
            return self._tls_words(error)
        if isinstance(error, socket.gaierror):
            return f"the name {self.host} does not resolve: {error.strerror}", "is it spelt right?"
        # Where a host has several addresses, asyncio raises one OSError whose text holds the errors of them all.
        if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
            return f"nobody listens at {at}", "is the system under test running there?"
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return "no more files can be opened, and a connection is one", "raise the limit, as with ulimit -n 65536"
        if self.secure and isinstance(error, (ConnectionError, EOFError)):
            text = f"{at} closed the connection during the TLS handshake"
            return text, f"does it speak TLS? If not, say {self.plain}://"
        return f"could not connect to {at}: {error}", None

    def _tls_words(self, error: ssl.SSLError) -> tuple[str, str | None]:
        if isinstance(error, ssl.SSLCertVerificationError):
            text = f"the certificate of {self.host} is not accepted: {error.verify_message}"
            return text, f"{self.trust}(…, tls=…) takes an ssl.SSLContext that trusts it"
        reason = re.sub("_", " ", error.reason or str(error)).lower()
        if error.reason in _NO_TLS:
            text = f"{self.host}:{self.port} does not speak TLS ({reason})"
            return text, f"say {self.plain}:// instead of {self.secure}://"
        text = f"TLS with {self.host}:{self.port} failed: {reason}"
        return text, "do both sides have a TLS version and cipher in common?"
