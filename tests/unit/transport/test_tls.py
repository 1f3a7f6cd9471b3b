"""TLS as data: what may stand in it, and what is said of files that do not fit."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from antiphon import ScenarioError, Tls


def wrong(**settings: Any) -> ScenarioError:
    """The error of settings whose files are needed."""
    with pytest.raises(ScenarioError) as caught:
        Tls(**settings).context()
    assert caught.value.hint
    return caught.value


def test_the_systems_certificates_are_trusted_if_nothing_is_said() -> None:
    context = Tls().context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.create_default_context().minimum_version


def test_a_context_is_made_once(certificates: Path) -> None:
    tls = Tls(ca=certificates / "ca.pem", certificate=certificates / "server.pem", key=certificates / "server.key")
    assert tls.context() is tls.context()
    assert tls.server_context() is tls.server_context()
    assert tls.server_context() is not tls.context()


def test_an_own_authority_is_trusted_instead_of_the_systems(certificates: Path) -> None:
    assert len(Tls(ca=certificates / "ca.pem").context().get_ca_certs()) == 1


def test_the_oldest_version() -> None:
    assert Tls(min_version="1.3").context().minimum_version == ssl.TLSVersion.TLSv1_3


def test_relative_paths_begin_in_the_folder(certificates: Path) -> None:
    assert len(Tls(ca="ca.pem", folder=str(certificates)).context().get_ca_certs()) == 1


def test_a_key_may_stand_in_the_certificates_file(certificates: Path) -> None:
    assert Tls(certificate=certificates / "both.pem").context()


def test_an_encrypted_key_opens_with_its_password(certificates: Path) -> None:
    pair = {"certificate": certificates / "client.pem", "key": certificates / "encrypted.key"}
    assert Tls(**pair, password="open sesame").context()


def test_whoever_serves_with_an_authority_asks_for_certificates(certificates: Path) -> None:
    pair = {"certificate": certificates / "server.pem", "key": certificates / "server.key"}
    ca = certificates / "ca.pem"
    assert Tls(**pair).server_context().verify_mode == ssl.CERT_NONE
    assert Tls(**pair, ca=ca).server_context().verify_mode == ssl.CERT_REQUIRED
    assert Tls(**pair, ca=ca, verify=False).server_context().verify_mode == ssl.CERT_OPTIONAL


def test_a_server_needs_a_certificate() -> None:
    with pytest.raises(ScenarioError, match="a server needs a certificate"):
        Tls().server_context()


def test_a_password_is_not_shown() -> None:
    shown = repr(Tls(ca="ca.pem", password="open sesame", verify=False))
    assert shown == "Tls(ca='ca.pem', verify=False)"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"verify": "no"}, "verify is 'no'"),
        ({"alpn": "h2"}, "alpn is 'h2'"),
        ({"alpn": ["x" * 256]}, "alpn is"),
        ({"alpn": 5}, "alpn is 5"),
        ({"min_version": "1.1"}, "min_version is '1.1'"),
        ({"ca": b"pem"}, "ca is of type bytes"),
        ({"password": 4711}, "password is of type int"),
        ({"key": "client.key"}, "key is given, and no certificate"),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], told: str) -> None:
    error = wrong(**settings)
    assert told in error.text
    assert f"tls.{'certificate' if 'key' in settings else next(iter(settings))}" in error.hint
    assert "4711" not in str(error)


@pytest.mark.parametrize("setting", ["ca", "certificate", "key"])
def test_a_file_that_is_not_there(certificates: Path, setting: str) -> None:
    files = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
    missing = certificates / "nowhere.pem"
    error = wrong(**{**files, setting: missing})
    assert error.text == f"tls: the file {missing} cannot be read: No such file or directory"
    assert error.place == str(missing)
    assert f"tls.{setting}" in error.hint


@pytest.mark.parametrize("setting", ["ca", "certificate", "key"])
def test_a_file_of_something_else(certificates: Path, tmp_path: Path, setting: str) -> None:
    files = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
    other = tmp_path / "notes.txt"
    other.write_bytes(b"\xff\x00 nothing of the kind")
    error = wrong(**{**files, setting: other})
    assert f"holds no {'key' if setting == 'key' else 'certificate'} in PEM" in error.text
    assert f"tls.{setting}" in error.hint


@pytest.mark.parametrize("setting", ["ca", "certificate"])
def test_a_certificate_that_is_broken(certificates: Path, tmp_path: Path, setting: str) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    files = {"certificate": certificates / "client.pem", "key": certificates / "client.key"}
    error = wrong(**{**files, setting: broken})
    assert str(broken) in error.text
    assert f"tls.{setting}" in error.hint


def test_a_certificate_without_its_key(certificates: Path) -> None:
    error = wrong(certificate=certificates / "client.pem")
    assert "holds no key" in error.text
    assert "tls.key" in error.hint


def test_a_key_that_does_not_belong(certificates: Path) -> None:
    error = wrong(certificate=certificates / "client.pem", key=certificates / "server.key")
    assert f"server.key does not belong to the certificate {certificates}/client.pem" in error.text
    assert "tls.key" in error.hint


@pytest.mark.parametrize(
    ("password", "told"), [("", "is encrypted, and there is no password"), ("sesame", "does not open with this")]
)
def test_an_encrypted_key_that_does_not_open(certificates: Path, password: str, told: str) -> None:
    error = wrong(
        certificate=certificates / "client.pem", key=certificates / "encrypted.key", password=password, place="here:7"
    )
    assert told in error.text
    assert error.place == "here:7"
    assert "tls.password" in error.hint
    assert "sesame" not in str(error)


def test_a_password_that_is_too_long_for_openssl(certificates: Path) -> None:
    files = {"certificate": certificates / "client.pem", "key": certificates / "encrypted.key"}
    assert "does not open with this" in wrong(**files, password="x" * 5000).text
