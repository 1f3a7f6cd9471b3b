"""Every built-in framing keeps the contract, and a framing that breaks it is found out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import pytest

from antiphon.conversation.message import Data
from antiphon.dialect.event_stream import Events
from antiphon.dialect.framing import ContentLength, Framing, LengthPrefix, Lines, NulTerminated
from antiphon.testing import framings
from antiphon.testing.framings import CHECKS, Check, Frames

SAID = ["hello", "", "gr\u00fc\u00df \U0001f600", '{"a": 1}']
FRAMINGS = {
    "lines": Lines(limit_bytes=100),
    "nul": NulTerminated(limit_bytes=100),
    "length": LengthPrefix(limit_bytes=100),
    "length of text": LengthPrefix(2, is_text=True, limit_bytes=100),
    "head": ContentLength(limit_bytes=100),
    "events": Events(limit_bytes=100),
}


@pytest.mark.parametrize("check", CHECKS, ids=framings.name_of)
@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS)
def test_contract(framing: Framing, check: Check) -> None:
    check(Frames(framing, SAID, too_long="x" * 200))


class Whole(Lines):
    """Takes each piece for whole lines."""

    def feed(self, data: bytes) -> Iterator[Data]:
        yield from data.decode(errors="replace").splitlines()


class Late(Lines):
    """Gives a line with the beginning of the next."""

    def feed(self, data: bytes) -> Iterator[Data]:
        self._rest += data
        while b"\n" in self._rest[:-1]:
            line, _, rest = bytes(self._rest).partition(b"\n")
            self._rest[:] = rest
            yield line


class Blind(Lines):
    """Does not know that it holds a part."""

    holds_part = False  # type: ignore[assignment]


class Shared(Lines):
    """Is the same for all connections."""

    def framing(self) -> Self:
        return self


class Patient(Lines):
    """Waits for the end of a line, however long it is."""

    def _check_size(self, size_bytes: int) -> None:
        """Any will do."""


@pytest.mark.parametrize(
    ("framing", "found_by"),
    [
        (Whole(), framings.check_cut_at_every_byte),
        (Late(), framings.check_each_as_soon_as_it_is_whole),
        (Blind(), framings.check_part_is_held),
        (Shared(), framings.check_each_connection_has_its_own),
        (Patient(limit_bytes=100), framings.check_too_long),
    ],
)
def test_a_broken_framing_is_found_out(framing: Framing, found_by: Check) -> None:
    with pytest.raises(AssertionError, match="the framing does not keep the contract"):
        found_by(Frames(framing, SAID, too_long="x" * 200))
