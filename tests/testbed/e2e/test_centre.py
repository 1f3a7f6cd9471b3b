"""A contact centre starts and stops."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from antiphon import RecordingError, ScenarioError, TransportError
from antiphon_testbed import ContactCentre


@pytest.mark.parametrize(
    "options",
    [
        {"answer_after_s": -1},
        {"release_s": float("nan")},
        {"give_up_after_s": float("inf")},
        {"offer_timeout_s": -1},
        {"offer_timeout_s": 0},
        {"ping_interval_s": 0},
        {"latency_s": (0.2, 0.1)},
        {"latency_s": (-0.2, 0.1)},
        {"users": 0},
        {"users": [{"name": "alice"}]},
    ],
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=f"{next(iter(options))}"):
        ContactCentre(**options)


def test_a_centre_that_is_not_running_has_no_address() -> None:
    centre = ContactCentre()
    with pytest.raises(ScenarioError, match="not running"):
        _ = centre.address
    assert centre.users[0] == {"name": "alice", "password": "looking-glass"}


def test_a_centre_can_run_again_but_not_twice_at_once() -> None:
    async def main() -> None:
        centre = ContactCentre()
        for _ in range(2):
            async with centre:
                assert centre.addresses == {"centre": centre.address}
                with pytest.raises(ScenarioError, match="running already"):
                    await centre.__aenter__()

    asyncio.run(main())


def test_a_port_that_is_taken() -> None:
    async def main() -> None:
        async with ContactCentre() as centre:
            port = int(centre.address.rpartition(":")[2])
            with pytest.raises(TransportError):
                await ContactCentre(port=port).__aenter__()

    asyncio.run(main())


def test_a_database_that_cannot_be_used(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(RecordingError):
            await ContactCentre(database=tmp_path / "nowhere" / "records.sqlite").__aenter__()

    asyncio.run(main())
