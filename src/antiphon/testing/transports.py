"""What every transport must do, as checks to run on one's own: each is awaited with `Wires`, and raises AssertionError.

    @pytest.mark.parametrize("check", transports.CHECKS, ids=transports.name_of)
    def test_contract(check):
        wires = Wires(MyListener(), MyTransport(), "my://127.0.0.1:0")
        if missing := check.missing(wires):
            pytest.skip(f"this wire lacks {' and '.join(missing)}")
        asyncio.run(check(wires))

A `Wires` says what is checked and what it can do. A check does nothing where the wire lacks one of its `needs`:
`check.missing(wires)` says so. A client without a listener of its own is tried with a `peer` that echoes. The event
loops differ: try a transport on asyncio and on uvloop.
"""

from __future__ import annotations

from typing import Final

from antiphon.testing import (
    transport_data,
    transport_echoes,
    transport_endings,
    transport_openings,
    transport_pressure,
)
from antiphon.testing.transport_check import Check
from antiphon.testing.wires import Hearing, Wires

__all__ = ["CHECKS", "Check", "Hearing", "Wires", "name_of"]


def name_of(check: Check) -> str:
    """A check's name in few words, as an id for pytest."""
    return check.__name__.removeprefix("check_")


CHECKS: Final[tuple[Check, ...]] = tuple(
    getattr(group, name)
    for group in (transport_data, transport_endings, transport_pressure, transport_openings, transport_echoes)
    for name in group.__all__
)
"""Each is awaited with `Wires`, and raises AssertionError where the transport does not keep the contract."""
