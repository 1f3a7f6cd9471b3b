"""What goes over a desk's wire, in order: what the centre says, and what a fault has made of it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from antiphon_testbed.effects import Answer, Say

__all__ = ["Babble", "Delivery", "HalfSaid", "HungUp"]


class HalfSaid(msgspec.Struct, frozen=True):
    """Half of the message's frame, and silence."""

    item: Say | Answer


class Babble(msgspec.Struct, frozen=True):
    """A text that is no message."""

    text: str


class HungUp(msgspec.Struct, frozen=True):
    """The end of the connection, with this code and reason; 1006 without a goodbye."""

    code: int
    reason: str


Delivery: TypeAlias = Say | Answer | HalfSaid | Babble | HungUp
