"""How long things take in a centre."""

from __future__ import annotations

import msgspec

__all__ = ["Timing"]


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, in seconds.

    answer_after_s: a customer who is called, to answer, or the line to be busy.
    give_up_after_s: the centre to give up on one who does not answer.
    offer_timeout_s: a desk to accept what it is offered, before it goes on to the next.
    release_s: a desk to be free again after the answer to `finishWorkitem`.
    """

    answer_after_s: float
    give_up_after_s: float
    offer_timeout_s: float
    release_s: float
