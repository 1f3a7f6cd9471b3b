"""TLS settings as gRPC wants them: the files themselves, since its TLS is its own and takes no context of Python's."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from antiphon.errors import ScenarioError
from antiphon.transport.grpc.address import library
from antiphon.transport.tls import Tls

__all__ = ["channel_credentials", "server_credentials"]


def channel_credentials(tls: Tls | ssl.SSLContext | None) -> Any:
    """A client's; where none are given the system's certificates decide. Raises ScenarioError for what it cannot do."""
    settings = _able(tls)
    if not settings.verify:
        hint = "tls.ca names the server's own certificate, or whoever signed it"
        raise ScenarioError("gRPC verifies certificates always: tls says verify=False", place=settings.place, hint=hint)
    settings.context()  # which says what does not fit
    trusted = settings.pem("ca") or _of_the_system()
    return library().ssl_channel_credentials(trusted, settings.pem("key"), settings.pem("certificate"))


def server_credentials(tls: Tls | ssl.SSLContext | None) -> Any:
    """A server's, which asks for a client's certificate if it says whom to trust. Raises ScenarioError likewise."""
    settings = _able(tls)
    settings.server_context()
    ours = [(settings.pem("key"), settings.pem("certificate"))]
    trusted = settings.pem("ca")
    return library().ssl_server_credentials(ours, trusted, trusted is not None and settings.verify)


def _able(tls: Tls | ssl.SSLContext | None) -> Tls:
    if isinstance(tls, ssl.SSLContext):
        raise ScenarioError("gRPC has a TLS of its own, and takes no ssl.SSLContext", hint="give it a Tls(ca=…, …)")
    settings = tls if tls is not None else Tls()
    if settings.min_version or settings.password:
        what = "min_version" if settings.min_version else "an encrypted key"
        hint = "its versions are 1.2 and 1.3" if settings.min_version else "openssl pkey -in KEY writes one without"
        raise ScenarioError(f"gRPC's own TLS knows no {what}", place=settings.place or None, hint=hint)
    return settings


def _of_the_system() -> bytes | None:
    """The file of certificates that Python would trust; None for gRPC's own, where there is none."""
    named = ssl.get_default_verify_paths().cafile
    return Path(named).read_bytes() if named is not None else None
