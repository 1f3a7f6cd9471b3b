"""What tests of conversations share: a measure of work, and numbers out of order."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest


def count_calls(action: Callable[[], object]) -> int:
    """How many calls, of Python and of C, the action takes: a measure of its work that no busy machine disturbs."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    gc.disable()  # what a collection calls is not the action's
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


@pytest.fixture
def calls_in() -> Callable[[Callable[[], object]], int]:
    """How many calls an action takes."""
    return count_calls


@pytest.fixture
def shuffled() -> Callable[[range], list[int]]:
    """The numbers in an order that is nobody's, but always the same."""
    return lambda numbers: random.Random(7).sample(numbers, len(numbers))
