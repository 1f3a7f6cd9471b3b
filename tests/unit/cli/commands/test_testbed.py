"""`antiphon testbed`: which hosts nobody but this machine can reach."""

from __future__ import annotations

import pytest

from antiphon.cli.commands.testbed import is_loopback


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"),
        *("localhost", "LocalHost", "localhost.", "desk.localhost"),
    ],
)
def test_a_loopback_address(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("0.0.0.0", "::", "192.0.2.7", "128.0.0.1", "2001:db8::1", "::ffff:192.0.2.7"),
        *("", "example.com", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com"),
    ],
)
def test_an_address_that_others_may_reach(host: str) -> None:
    assert not is_loopback(host)
