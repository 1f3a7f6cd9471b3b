"""What every framing must do, as checks to run on one's own: functions that raise AssertionError.

    @pytest.mark.parametrize("check", framings.CHECKS, ids=framings.name_of)
    def test_contract(check):
        check(Frames(MyFraming(), ["hello", '{"a": 1}']))

They cut what was wrapped at every byte, and join it: where a stream is cut says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from antiphon.conversation.message import Data
from antiphon.dialect.framing import Framing
from antiphon.errors import DialectError

__all__ = [
    "CHECKS",
    "Check",
    "Frames",
    "check_cut_at_every_byte",
    "check_each_as_soon_as_it_is_whole",
    "check_each_connection_has_its_own",
    "check_part_is_held",
    "check_too_long",
    "name_of",
]


class Frames(msgspec.Struct, frozen=True):
    """A framing, and what can be said in it: two frames at least, of which the first is not empty.

    `too_long` is a frame over the limit of the framing, "" for one without a limit.
    """

    framing: Framing
    said: Sequence[Data]
    too_long: Data = ""


Check = Callable[[Frames], None]
"""A check of a framing: called with `Frames`, it raises AssertionError."""


def name_of(check: Check) -> str:
    """A check's name in few words, as an id for pytest."""
    name: str = getattr(check, "__name__", repr(check))
    return name.removeprefix("check_")


def _heard(framing: Framing, *pieces: bytes) -> list[bytes]:
    return [_bytes(frame) for piece in pieces for frame in framing.feed(piece)]


def _bytes(data: Data) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def _require(is_so: bool, what: str) -> None:
    if not is_so:
        raise AssertionError(f"the framing does not keep the contract: {what}")


def check_cut_at_every_byte(frames: Frames) -> None:
    """What was wrapped is heard again, in order: whole, byte by byte, and cut once at every byte."""
    said = [_bytes(data) for data in frames.said]
    whole = b"".join(map(frames.framing.framing().wrap, frames.said))
    _require(_heard(frames.framing.framing(), whole) == said, "frames that come in one piece are heard")
    pieces = [whole[place : place + 1] for place in range(len(whole))]
    _require(_heard(frames.framing.framing(), *pieces) == said, "frames that come byte by byte are heard")
    for cut in range(len(whole) + 1):
        heard = _heard(frames.framing.framing(), whole[:cut], whole[cut:])
        _require(heard == said, f"frames are heard that were cut at byte {cut}: {heard}")


def check_each_as_soon_as_it_is_whole(frames: Frames) -> None:
    """A frame is given with its last byte, and not with the next one's first."""
    framing = frames.framing.framing()
    for data in frames.said:
        heard = _heard(framing, framing.wrap(data))
        _require(heard == [_bytes(data)], f"a frame is heard as soon as it is whole: {heard}")


def check_part_is_held(frames: Frames) -> None:
    """`holds_part` tells that a frame has begun and has not ended."""
    framing = frames.framing.framing()
    whole = framing.wrap(frames.said[0])
    _require(not framing.holds_part, "nothing has come, and no part is held")
    for byte in whole[:-1]:
        _heard(framing, bytes([byte]))
    _require(framing.holds_part, "a part is held before its last byte")
    _heard(framing, whole[-1:])
    _require(not framing.holds_part, "nothing is held when the frame is whole")


def check_each_connection_has_its_own(frames: Frames) -> None:
    """What has come on one connection is not on another."""
    one, other = frames.framing.framing(), frames.framing.framing()
    whole = one.wrap(frames.said[0])
    _heard(one, whole[:-1])
    _require(not other.holds_part, "a part of one connection is not held by another")
    _require(_heard(other, whole) == [_bytes(frames.said[0])], "what comes on another connection is its own")
    _require(_heard(one, whole[-1:]) == [_bytes(frames.said[0])], "and the first one goes on")


def check_too_long(frames: Frames) -> None:
    """A frame over the limit raises DialectError, also before its end is there, and what came before counts."""
    if not frames.too_long:
        return
    first = frames.said[0]
    whole = frames.framing.framing().wrap(frames.too_long)
    for data in (whole, whole[:-1]):
        framing, heard = frames.framing.framing(), []
        try:
            for frame in framing.feed(framing.wrap(first) + data):
                heard.append(_bytes(frame))  # noqa: PERF401 - what is given before an error counts
        except DialectError:
            _require(heard == [_bytes(first)], f"what came before a frame over the limit counts: {heard}")
        else:
            _require(False, "a frame over the limit raises DialectError")


CHECKS: Final[tuple[Check, ...]] = (
    check_cut_at_every_byte,
    check_each_as_soon_as_it_is_whole,
    check_part_is_held,
    check_each_connection_has_its_own,
    check_too_long,
)
"""Each is called with `Frames`, and raises AssertionError where the framing does not keep the contract."""
