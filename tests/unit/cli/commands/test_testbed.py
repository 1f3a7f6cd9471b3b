"""`antiphon testbed`: which hosts nobody but this machine can reach, and what it tells while it runs."""

from __future__ import annotations

import asyncio
import errno
import signal
from typing import Any

import pytest

from antiphon.cli.commands import testbed
from antiphon.cli.commands.testbed import is_loopback
from antiphon.cli.screen import Screen


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


class Crowded:
    """A contact centre that finds no room for connections again and again, and a bug once, until it is told to end."""

    address, users, failures = "http://127.0.0.1:8765", (), ()

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            full = OSError(errno.EMFILE, "Too many open files")
            loop.call_soon(loop.call_exception_handler, {"message": "no connection can be accepted", "exception": full})
        loop.call_soon(loop.call_exception_handler, {"message": "something else", "exception": KeyError("x")})
        # Not SIGINT: whoever runs the tests with `&` has that ignored.
        loop.call_soon(signal.raise_signal, signal.SIGTERM)

    async def __aexit__(self, *_: Any) -> None: ...


def test_a_machine_without_room_for_connections_is_told_once_with_the_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class Entry:
        def load(self) -> Any:
            return lambda **_: Crowded()

    monkeypatch.setattr(testbed, "testbed_entry", Entry)
    assert testbed.command(screen=Screen()) == 0
    told = capsys.readouterr().err
    assert told.count("no connection can be accepted: this process may not open more files and connections") == 1
    assert "hint: raise the limit first: ulimit -n" in told
    assert [record.message.split("\n")[0] for record in caplog.records] == ["something else"]
