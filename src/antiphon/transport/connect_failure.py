"""What it means, in words, that a TCP connection or its TLS could not be made."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import Final

import msgspec

__all__ = ["Destination", "ProxyFailed", "alert_of", "broken_off"]

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})


class ProxyFailed(OSError):
    """A proxy did not give us the way; `text` and `hint` say why."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class Destination(msgspec.Struct, frozen=True):
    """Where somebody wants to connect, over TLS if `secure` (the scheme that says so) is not "".

    `plain` is the scheme for the same without TLS; `trust` names what takes `tls=`.
    """

    host: str
    port: int
    secure: str
    plain: str
    trust: str

    def words(self, error: OSError | ValueError) -> tuple[str, str | None]:
        """What the error means, and a hint; not for a time that is over, whose meaning is the transport's."""
        at = f"{self.host}:{self.port}"
        if isinstance(error, ProxyFailed):
            return error.text, error.hint
        if isinstance(error, ssl.SSLError):
            return self._tls_words(error)
        if isinstance(error, socket.gaierror):
            return f"the name {self.host} does not resolve: {error.strerror}", "is it spelt right?"
        # Where a host has several addresses, asyncio raises one OSError whose text holds the errors of them all.
        if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
            return f"no server is listening on {at}", "is the system under test running there?"
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return "no more files can be opened, and a connection is one", "raise the limit, as with ulimit -n 65536"
        if self.secure and isinstance(error, (ConnectionError, EOFError)):
            text = f"{at} closed the connection during the TLS handshake"
            return text, f"does it speak TLS? If not, say {self.plain}://"
        return f"could not connect to {at}: {error}", None

    def _tls_words(self, error: ssl.SSLError) -> tuple[str, str | None]:
        if isinstance(error, ssl.SSLCertVerificationError):
            text = f"the certificate of {self.host} is not accepted: {error.verify_message}"
            return text, f"{self.takes}: {_mend(error)}"
        reason = re.sub("_", " ", error.reason or str(error)).lower()
        if error.reason in _NO_TLS:
            text = f"{self.host}:{self.port} does not speak TLS ({reason})"
            return text, f"say {self.plain}:// instead of {self.secure}://"
        if alert := alert_of(error):
            return f"{self.host}:{self.port} broke TLS off: {alert[0]}", f"{self.takes}: {alert[1]}"
        text = f"TLS with {self.host}:{self.port} failed: {reason}"
        return text, "do both sides have a TLS version and cipher in common?"

    @property
    def takes(self) -> str:
        """What of the author's takes the settings."""
        return f"{self.trust}(…, tls=…)"


_ANOTHER_NAME: Final = frozenset({62, 63, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH, its kin for e-mail, and for an address."""

_TIMES: Final = {
    9: "is it this machine's clock that is wrong?",
    10: "it wants a new one, or is this machine's clock wrong?",
}
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def _mend(error: ssl.SSLCertVerificationError) -> str:
    """The setting that would have a certificate be accepted."""
    if error.verify_code in _ANOTHER_NAME:
        return "server_name= says for whom it is, if that is another than the address's host"
    if error.verify_code in _TIMES:
        return f"{_TIMES[error.verify_code]} verify=False minds neither"
    return "ca= names the file of whoever signed it, or of itself if it did that; verify=False trusts anybody"


_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": ("it wants a certificate of ours", "certificate= and key= name ours"),
    "HANDSHAKE_FAILURE": ("handshake failure", "no version or cipher in common, or it wants a certificate of ours"),
    "NO_APPLICATION_PROTOCOL": ("it speaks no protocol that we offered", "alpn= lists them"),
    "PROTOCOL_VERSION": ("it speaks no version of TLS that we do", "min_version= says the oldest that we do"),
    "UNKNOWN_CA": ("it does not know who signed our certificate", "certificate= names ours, with the chain behind it"),
    "UNRECOGNIZED_NAME": ("nobody there has that name", "server_name= says another"),
}


def alert_of(error: BaseException | None) -> tuple[str, str] | None:
    """What the peer said when it broke TLS off (RFC 8446 section 6.2), and the setting that may mend it.

    It may do so after the handshake, as it does where it wants a certificate and gets none or a wrong one.
    """
    reason = getattr(error, "reason", None)
    if not isinstance(error, ssl.SSLError) or not isinstance(reason, str) or "_ALERT_" not in reason:
        return None
    alert = reason.partition("_ALERT_")[2]
    if alert in _ALERTS:
        return _ALERTS[alert]
    words = alert.replace("_", " ").lower()
    return (
        words,
        "certificate= and key= name ours" if "CERTIFICATE" in alert else "do both sides have a version in common?",
    )


def broken_off(error: Exception | None) -> str:
    """How a connection broke, in words, "" if nobody knows."""
    if alert := alert_of(error):
        return f"TLS was broken off: {alert[0]} ({alert[1]})"
    return str(error) if error is not None else ""
