"""A time in which a channel had no connection, while another one was to follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange, Wait
from antiphon.conversation.wording import counted, one_line, seconds

__all__ = ["MOST_GAPS", "Gap", "gaps_within"]

MOST_GAPS: Final = 8
"""So many gaps of a channel are remembered for explanations."""

_MOST_MET: Final = 8
"""So many different things that attempts met are remembered, the latest."""


class Gap(msgspec.Struct, eq=False):
    """One such time, from `from_ns` on; `to_ns` is when the next connection was open, or nobody tried any more to have
    one, below 0 until then.

    ending: how the connection before ended. attempt: the number of the attempt to open the next one that is under way
    or to come, from 1, and `next_ns` when it begins. met: what the attempts before it met, as first and last attempt
    and text. is_given_up: no attempt follows. carried: the requests whose replies may come on the next connection.
    """

    ending: Ending
    from_ns: int
    to_ns: int = -1
    attempt: int = 0
    next_ns: int = 0
    met: list[tuple[int, int, str]] = []
    is_given_up: bool = False
    carried: Sequence[Exchange] = ()

    def meet(self, text: str) -> None:
        """The attempt has failed, with that."""
        first = self.attempt
        if self.met and self.met[-1][2] == text:
            first, _, _ = self.met.pop()
        self.met = [*self.met, (first, self.attempt, text)][-_MOST_MET:]

    def carries(self, request: Message) -> bool:
        """Whether it is one of those whose replies may come on the next connection."""
        return any(each.request is request for each in self.carried)

    def is_within(self, from_ns: int, to_ns: int) -> bool:
        """Whether part of it was in that time."""
        return self.from_ns <= to_ns and (self.to_ns < 0 or self.to_ns > from_ns)

    @property
    def outcome(self) -> Ending:
        """How the connection ended of which no other one followed."""
        attempts = counted(self.attempt, "attempt")
        last = f", the last of which met: {one_line(self.met[-1][2])}" if self.met else ""
        text = f"it could not be opened again in {attempts}{last}"
        return msgspec.structs.replace(self.ending, detail="; ".join(filter(None, (self.ending.detail, text))))

    @property
    def outlook(self) -> str:
        """What is done about it, in words."""
        return f"it is being opened again, attempt {self.attempt} at {seconds(self.next_ns)} of the run"

    def lines(self) -> Iterator[str]:
        """It in words, for whoever waited meanwhile."""
        begun = f"since {seconds(self.from_ns)} of the run" if self.to_ns < 0 else f"from {seconds(self.from_ns)}"
        until = "" if self.to_ns < 0 else f" to {seconds(self.to_ns)} of the run"
        yield f"there was no connection {begun}{until}, and nothing could come: {one_line(str(self.ending))}"
        for first, last, text in self.met:
            which = f"attempt {first}" if first == last else f"attempts {first} to {last}"
            yield f"  {which} to open it again met: {one_line(text)}"
        if self.to_ns < 0 and self.attempt:
            yield f"  {self.outlook}"


def gaps_within(gaps: tuple[Gap, ...], wait: Wait[Any], at_ns: int) -> tuple[Gap, ...]:
    """Those of them in which the wait, which is over at `at_ns`, could not get anything; as they are now."""
    return tuple(msgspec.structs.replace(gap, carried=()) for gap in gaps if gap.is_within(wait.made_ns, at_ns))
