"""Several watchers as one: each is told everything, and one that fails holds up nobody."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.load.watchers import Watchers


class Noting:
    def __init__(self, fails_at: str = "") -> None:
        self.told: list[Any] = []
        self._fails_at = fails_at

    def begin(self, director: Any, /) -> None:
        self._note("begin")

    def see(self, entry: Any, /) -> None:
        self._note(entry)

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what == self._fails_at:
            raise ValueError(what)


@pytest.mark.parametrize(
    ("fails_at", "told"),
    [
        ("", ["begin", "one", "two", "close"]),
        ("begin", ["begin", "close"]),
        ("one", ["begin", "one", "close"]),
        ("close", ["begin", "one", "two", "close"]),
    ],
)
def test_one_that_fails_sees_no_more_but_its_close(fails_at: str, told: list[str]) -> None:
    failing, other = Noting(fails_at), Noting()
    watchers = Watchers(failing, other)
    watchers.begin(None)  # type: ignore[arg-type]
    watchers.see("one")
    watchers.see("two")
    watchers.close()
    assert failing.told == told
    assert other.told == ["begin", "one", "two", "close"]
    assert [str(error) for error in watchers.errors] == ([fails_at] if fails_at else [])
