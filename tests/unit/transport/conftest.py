"""What several modules of this folder use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reading import Reading, reader


@pytest.fixture(scope="module")
def reading() -> Iterator[Reading]:
    """Either side of a connection without a wire, which reads the same bytes in different pieces."""
    with reader() as reads:
        yield reads
