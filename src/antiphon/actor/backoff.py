"""When and how often a channel whose connection has ended is opened again."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.errors import OpeningRefused, ScenarioError, TransportError, UpgradeRefused

__all__ = ["Backoff"]

LOST: Final = frozenset({1001, 1006, 1011, 1012, 1013, 1014})
"""Close codes (RFC 6455 section 7.4, and IANA's registry of them) by which nobody said that it is over: going away, no
goodbye, an internal error, a restart, try again later, a bad gateway. Not 1005: there was a goodbye, without a code."""

BUSY: Final = frozenset({408, 425, 429})
"""Statuses of HTTP, beside those from 500 on, that do not mean it for ever (RFC 9110, 6585, 8470)."""


_MOST_DIGITS: Final = 12
_LONGEST_S: Final = 24 * 3600
_LASTING_S: Final = 1.0
"""Where the next attempt would be made at once, a peer that ends every connection would be asked again and again."""


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel is opened again by itself, once it was open.

    first_s: seconds until the first attempt, from 0; each further one waits `factor` (from 1) times as long as the one
        before, and at most `at_most_s`.
    attempts: how many there are before it is given up, from 1; None for no end. They are counted anew once a connection
        has lasted for longer than the next attempt would have waited, and for a second.
    jitter: up to this share of each wait, 0 to 1, is taken off by chance, so that those who lost their connections
        together do not come back together. Chance is the run's own: the same run waits as long again.
    after: further codes after which it is opened again, of a close or of an opening that was refused; anything that has
        `in`, as `range(4000, 5000)` or `{1000, 1008}`. Without it: after a connection that broke, or ended on a wire
        that has no codes (TCP, a stream over HTTP), after 1001, 1006, 1011, 1012, 1013 and 1014, and after a program
        that a signal has ended; of refusals after 408, 425, 429 and 500 to 599. Not after 1005, a close frame that was
        sent without a code (RFC 6455 section 7.4.1): somebody has closed. Never after our own close.

    A peer that asks for another time (`retry:` of Server-Sent Events) is given that in place of `first_s`; one that
    refuses with `Retry-After` in seconds is not asked again before.
    Raises ScenarioError for numbers out of these ranges.
    """

    first_s: float = 0.5
    factor: float = 2.0
    at_most_s: float = 30.0
    attempts: int | None = 10
    jitter: float = 0.1
    after: Container[Any] = ()

    def __post_init__(self) -> None:
        for name, least, most in (
            ("first_s", 0, math.inf),
            ("factor", 1, math.inf),
            ("at_most_s", 0, math.inf),
            ("jitter", 0, 1),
        ):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not least <= value <= most or value == math.inf:
                text = f"Backoff({name}={value!r}) is no number from {least}"
                raise ScenarioError(text + (f" to {most}" if most != math.inf else ""))
        if self.attempts is not None and (self.attempts.__class__ is not int or self.attempts < 1):
            text = f"Backoff(attempts={self.attempts!r}) is no number from 1"
            raise ScenarioError(text, hint="None for as many as it takes; without reopens= there are none")
        if not hasattr(self.after, "__contains__") or isinstance(self.after, str):
            hint = "after={1000}, after=range(4000, 5000)"
            raise ScenarioError(f"Backoff(after={self.after!r}) is no set of codes", hint=hint)

    def wait_s(self, attempt: int, chance: float, asked_s: float | None = None) -> float | None:
        """How long to wait before the attempt of that number, None if there is to be none.

        `chance` is from 0, below 1; `asked_s` is what the peer has asked for as the first wait.
        """
        if self.attempts is not None and attempt > self.attempts:
            return None
        first_s = self.first_s if asked_s is None else asked_s
        try:
            wait_s = min(first_s * self.factor ** (attempt - 1), max(self.at_most_s, first_s))
        except OverflowError:
            wait_s = max(self.at_most_s, first_s)
        return wait_s * (1 - self.jitter * chance)

    def has_lasted(self, lasted_ns: int, attempts: int, asked_s: float | None = None) -> bool:
        """Whether a connection that came of the last of so many attempts, and has ended, is none that ends at once."""
        next_s = self.wait_s(attempts + 1, 0.0, asked_s)
        return next_s is not None and lasted_ns > max(next_s, _LASTING_S) * 1e9

    def follows(self, ending: Ending) -> bool:
        """Whether another connection is to follow one that has ended like that, not by our close."""
        code = ending.code
        # None is that the wire has no codes: WebSocket tells a close frame without one as 1005.
        # Below 0 is the signal that has ended a program.
        return code is None or code in LOST or code < 0 or code in self.after

    @staticmethod
    def least_s(failure: TransportError) -> float:
        """How long a refusal asks to be left alone at least (RFC 9110 section 10.2.3), in seconds, 0 if it does not."""
        asked = failure.headers.get("Retry-After", "") if isinstance(failure, UpgradeRefused) else ""
        # A date is no answer that a clock of ours could judge; whoever asks for more than a day asks for never.
        return float(min(int(asked[:_MOST_DIGITS]), _LONGEST_S)) if asked.isascii() and asked.isdigit() else 0.0

    def tries_again(self, failure: TransportError) -> bool:
        """Whether another attempt is to follow one that has met that."""
        if not isinstance(failure, OpeningRefused):
            return True
        code = failure.code
        if isinstance(failure, UpgradeRefused) and (code in BUSY or failure.status >= 500):
            return True
        return code in LOST or code in self.after
