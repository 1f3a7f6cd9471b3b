"""TLS as data: what a link, a listener or a stand file says of it, and the contexts that come of that."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ScenarioError

__all__ = ["PLAIN", "ClientTls", "Tls", "client_tls", "server_context"]

_VERSIONS: Final = {"": None, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_KEY: Final = "PRIVATE KEY-----"


@dataclass(frozen=True, init=False, repr=False)
class Tls:
    """How a connection is secured (RFC 8446). Files are PEM; a relative path begins in the working directory, in a
    stand file beside that. They are read once, when they are first needed.

    ca: a file of certificates, or a folder that `openssl rehash` has prepared: whoever they have signed is trusted, and
        nobody else; "" for the system's. On a listener: whose certificate a client must show, "" for none (and with
        `verify=False` it may).
    certificate, key: ours, with the chain behind it; the key may stand in the certificate's file. `password`: the
        key's, which is in no text and no record.
    server_name: whom the certificate must be for, and is asked for (SNI, RFC 6066), where that is not the address's
        host.
    verify: False trusts anybody, which a run's record says.
    alpn: protocols to offer, the best first (RFC 7301). min_version: "1.2" or "1.3"; "" for what Python has, 1.2.
    place: where it was said, as errors tell it. folder: where relative paths begin.

    Raises ScenarioError for values that are none of these; `context` and `server_context` for files that are not there,
    or do not fit.
    """

    ca: str | PathLike[str]
    certificate: str | PathLike[str]
    key: str | PathLike[str]
    password: str
    server_name: str
    verify: bool
    alpn: Sequence[str]
    min_version: str
    place: str
    folder: str

    # By hand: the code of one that is generated stands in no file, and would be taken for the author's.
    def __init__(
        self,
        *,
        ca: str | PathLike[str] = "",
        certificate: str | PathLike[str] = "",
        key: str | PathLike[str] = "",
        password: str = "",
        server_name: str = "",
        verify: bool = True,
        alpn: Sequence[str] = (),
        min_version: str = "",
        place: str = "",
        folder: str = "",
    ) -> None:
        given = locals()
        object.__setattr__(self, "place", place)  # first, since errors tell it
        for field in fields(self):
            object.__setattr__(self, field.name, self._checked(field.name, given[field.name]))
        if self.key and not self.certificate:
            hint = "tls.certificate names the file of the key's certificate"
            raise self._wrong("key is given, and no certificate", hint)
        if self.min_version not in _VERSIONS:
            raise self._wrong(f"min_version is {self.min_version!r}", 'tls.min_version is "1.2" or "1.3"')

    def __repr__(self) -> str:
        said = ((field.name, getattr(self, field.name)) for field in fields(self) if field.name not in _UNSHOWN)
        return f"Tls({', '.join(f'{name}={value!r}' for name, value in said if value != _USUAL.get(name, ''))})"

    def context(self) -> ssl.SSLContext:
        """The context of a client; the same each time."""
        return self._client_context

    def server_context(self) -> ssl.SSLContext:
        """The context of a server, which needs a certificate; the same each time."""
        return self._server_context

    def pem(self, setting: str) -> bytes | None:
        """What is in the file of `ca`, `certificate` or `key` (of a folder: in all of them), None if none is named.

        For a wire whose TLS is not Python's. Raises ScenarioError for a file that cannot be read, or holds none.
        """
        named = self.certificate if setting == "key" and not self.key else getattr(self, setting)
        if not named:
            return None
        path = self._path(named)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        wanted = _KEY if setting == "key" else _CERTIFICATE
        return "\n".join(self._read(setting, each, wanted) for each in files).encode("latin-1")

    def without_identity(self) -> Tls:
        """The same towards somebody else: our certificate is not for them, and the server's name is not theirs."""
        return replace(self, certificate="", key="", password="", server_name="")

    @cached_property
    def _client_context(self) -> ssl.SSLContext:
        context = self._trusting(ssl.Purpose.SERVER_AUTH)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return self._completed(context)

    @cached_property
    def _server_context(self) -> ssl.SSLContext:
        if not self.certificate:
            raise self._wrong("a server needs a certificate", "tls.certificate and tls.key name its files")
        if self.ca:
            context = self._trusting(ssl.Purpose.CLIENT_AUTH)
            context.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_OPTIONAL
        else:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        return self._completed(context)

    # -- its parts ----------------------------------------------------------------------------------------------------

    def _trusting(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        if not self.ca:
            return ssl.create_default_context(purpose)
        path = self._path(self.ca)
        if path.is_dir():
            return ssl.create_default_context(purpose, capath=str(path))
        self._read("ca", path, _CERTIFICATE)
        try:
            return ssl.create_default_context(purpose, cafile=str(path))
        except ssl.SSLError as error:
            raise self._unfit("ca", path, "has a certificate that cannot be read") from error

    def _completed(self, context: ssl.SSLContext) -> ssl.SSLContext:
        version = _VERSIONS[self.min_version]
        if version is not None:
            context.minimum_version = version
        if self.alpn:
            context.set_alpn_protocols(list(self.alpn))
        if self.certificate:
            self._load_own(context)
        return context

    def _load_own(self, context: ssl.SSLContext) -> None:
        certificate = self._path(self.certificate)
        text = self._read("certificate", certificate, _CERTIFICATE)
        if self.key:
            key = self._path(self.key)
            self._read("key", key, _KEY)
        elif _KEY in text:
            key = certificate
        else:
            raise self._unfit("certificate", certificate, "holds no key", "tls.key names the file of its key")
        asked: list[None] = []

        def password() -> str:
            asked.append(None)
            return self.password

        try:
            context.load_cert_chain(certificate, key, password)
        except (ssl.SSLError, ValueError) as error:  # ValueError: longer than OpenSSL takes
            raise self._bad_pair(error, certificate, key, is_encrypted=bool(asked)) from error

    def _bad_pair(
        self, error: ssl.SSLError | ValueError, certificate: Path, key: Path, *, is_encrypted: bool
    ) -> ScenarioError:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            hint = "tls.key is the key of another certificate, or tls.certificate does not begin with ours"
            return self._unfit("key", key, f"does not belong to the certificate {certificate}", hint)
        if is_encrypted and not self.password:
            return self._unfit(
                "key", key, "is encrypted, and there is no password", "tls.password takes it, as ${NAME}"
            )
        if is_encrypted:
            return self._unfit("key", key, "does not open with this password", "tls.password is not that of tls.key")
        return self._unfit("certificate", certificate, f"and the key {key} cannot be used: {_reason(error)}")

    # -- what may be wrong --------------------------------------------------------------------------------------------

    def _checked(self, name: str, value: Any) -> Any:
        if name == "verify":
            if not isinstance(value, bool):
                raise self._wrong(f"verify is {value!r}", "tls.verify is true or false")
            return value
        if name == "alpn":
            if not isinstance(value, (list, tuple)) or not all(map(_is_protocol, value)):
                raise self._wrong(f"alpn is {value!r}", 'tls.alpn is a list of protocols, as ["http/1.1"]')
            return tuple(value)
        if isinstance(value, PathLike):
            return fspath(value)
        if not isinstance(value, str):
            shown = f"{name} is of type {type(value).__name__}"  # not itself: it may be a password
            raise self._wrong(shown, f"tls.{name} is a text")
        return value

    def _path(self, given: str | PathLike[str]) -> Path:
        return Path(self.folder, given).expanduser()

    def _read(self, setting: str, path: Path, wanted: str) -> str:
        """The text of a file in which there must be such a part."""
        try:
            text = path.read_text(encoding="latin-1")
        except OSError as error:
            raise self._unfit(setting, path, f"cannot be read: {error.strerror}") from error
        if wanted not in text:
            what = "key" if wanted == _KEY else "certificate"
            hint = f"tls.{setting} is a file with …{wanted}; openssl makes one of other forms"
            raise self._unfit(setting, path, f"holds no {what} in PEM", hint)
        return text

    def _unfit(self, setting: str, path: Path, what: str, hint: str | None = None) -> ScenarioError:
        return self._wrong(f"the file {path} {what}", hint or f"tls.{setting} names it", place=str(path))

    def _wrong(self, text: str, hint: str, place: str | None = None) -> ScenarioError:
        return ScenarioError(f"tls: {text}", place=self.place or place, hint=hint)


_USUAL: Final = {"verify": True, "alpn": ()}
_UNSHOWN: Final = frozenset({"password", "place", "folder"})


def _is_protocol(name: object) -> bool:
    return isinstance(name, str) and name.isascii() and 0 < len(name) < 256


def _reason(error: ssl.SSLError | ValueError) -> str:
    return (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()


class ClientTls:
    """What a connection is made with: the context, None for no TLS; the name to verify, None for the host's."""

    __slots__ = ("context", "server_name")

    def __init__(self, context: ssl.SSLContext | None = None, server_name: str | None = None) -> None:
        self.context = context
        self.server_name = server_name


PLAIN: Final = ClientTls()
"""No TLS."""


def client_tls(*given: Tls | ssl.SSLContext | None) -> ClientTls:
    """Of the first that is given; if none is, the system's certificates decide."""
    for each in given:
        if isinstance(each, Tls):
            return ClientTls(each.context(), each.server_name or None)
        if each is not None:
            return ClientTls(each)
    return ClientTls(_default())


def server_context(given: Tls | ssl.SSLContext | None) -> ssl.SSLContext | None:
    """A listener's context, None if it has none."""
    return given.server_context() if isinstance(given, Tls) else given


@cache
def _default() -> ssl.SSLContext:
    """Made once: reading the system's certificates takes as long as a handshake."""
    return ssl.create_default_context()
