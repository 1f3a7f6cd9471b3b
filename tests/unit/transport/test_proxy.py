"""Addresses of proxies, and which connections go through the environment's."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import Proxy, ScenarioError
from antiphon.transport.proxy import ProxyChoice


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets variables, where none are left of whoever runs the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def set_all(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://proxy", "http://proxy:80"),
        ("https://proxy/", "https://proxy:443"),
        ("socks5://[::1]", "socks5://[::1]:1080"),
        ("http://tester:s3cr3t@proxy:3128", "http://proxy:3128"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert Proxy(address).shown == shown
    assert repr(Proxy(address)) == f"<Proxy {shown}>"


def test_user_and_password_are_decoded() -> None:
    proxy = Proxy("http://a%40b:p%3Aw@proxy")
    assert (proxy.user, proxy.password) == ("a@b", "p:w")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("proxy:3128", "it begins with none of http://"),
        ("ftp://tester:s3cr3t@proxy", "it begins with none of"),
        ("http://:3128", "the host is missing"),
        ("http://tester:s3cr3t@proxy:port", "'port' is not made of digits only"),
        ("http://proxy:99999", "'99999' is more than 65535"),
        ("http://proxy/path", "no path"),
        ("http://[proxy", "Invalid IPv6"),
        (3128, ""),
    ],
)
def test_an_address_that_is_none(address: Any, told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Proxy(address)
    assert caught.value.text.startswith("proxy= is no address of a proxy: ")
    assert told in caught.value.text
    assert "s3cr3t" not in str(caught.value)


def through(host: str, port: int = 80, *, is_secure: bool = False) -> str | None:
    proxy = ProxyChoice(True).of(host, port, is_secure=is_secure)
    return proxy.host if proxy is not None else None


def test_without_variables_there_is_none() -> None:
    assert through("example.com") is None


def test_each_kind_of_connection_has_its_own(environment: Any) -> None:
    environment(HTTP_PROXY="http://plain", HTTPS_PROXY="http://secure")
    assert through("example.com") == "plain"
    assert through("example.com", is_secure=True) == "secure"


def test_one_for_all_is_for_those_that_have_none(environment: Any) -> None:
    environment(ALL_PROXY="socks5://all", https_proxy="http://secure")
    assert through("example.com") == "all"
    assert through("example.com", is_secure=True) == "secure"


def test_an_empty_variable_is_none(environment: Any) -> None:
    environment(HTTP_PROXY="")
    assert through("example.com") is None


def test_a_header_of_a_cgi_request_is_no_proxy(environment: Any) -> None:
    environment(HTTP_PROXY="http://evil", REQUEST_METHOD="GET")
    assert through("example.com") is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine_is_reached_directly(environment: Any, host: str) -> None:
    environment(ALL_PROXY="http://all")
    assert through(host) is None


def test_a_given_one_is_for_everything(environment: Any) -> None:
    environment(NO_PROXY="*", ALL_PROXY="http://all")
    given = ProxyChoice("http://given").of("127.0.0.1", 80, is_secure=False)
    assert given is not None
    assert given.host == "given"
    assert ProxyChoice(None).of("example.com", 80, is_secure=False) is None


@pytest.mark.parametrize(
    ("exceptions", "host", "port", "is_excepted"),
    [
        ("*", "example.com", 80, True),
        ("example.com", "example.com", 80, True),
        ("example.com", "a.b.example.com", 80, True),
        (".example.com", "a.example.com", 80, True),
        (".example.com", "example.com", 80, True),
        ("*.example.com", "a.example.com", 80, True),
        ("EXAMPLE.com", "Example.COM.", 80, True),
        ("example.com", "notexample.com", 80, False),
        ("a.example.com", "example.com", 80, False),
        ("other, example.com ,", "example.com", 80, True),
        ("example.com:8080", "example.com", 8080, True),
        ("example.com:8080", "example.com", 80, False),
        ("10.0.0.7", "10.0.0.7", 80, True),
        ("0.0.7", "10.0.0.7", 80, False),
        ("10.0.0.7:81", "10.0.0.7", 80, False),
        ("10.0.0.0/8", "10.9.9.9", 80, True),
        ("10.0.0.0/8", "11.0.0.1", 80, False),
        ("10.0.0.0/8", "example.com", 80, False),
        ("10.0.0.0/x", "10.0.0.1", 80, False),
        ("fd00::1", "fd00::1", 80, True),
        ("[fd00::1]:80", "fd00::1", 80, True),
        ("[fd00::1]:81", "fd00::1", 80, False),
        ("fd00::/8", "fd00::1", 80, True),
        ("fd00::/8", "10.0.0.1", 80, False),
        (".", "example.com", 80, False),
        ("", "example.com", 80, False),
    ],
)
def test_exceptions(environment: Any, exceptions: str, host: str, port: int, is_excepted: bool) -> None:
    environment(ALL_PROXY="http://all", NO_PROXY=exceptions)
    assert (through(host, port) is None) == is_excepted
