"""A request that is to be refused."""

from __future__ import annotations

from typing import Any

from antiphon.conversation.checks import Check, is_soft, why
from antiphon.conversation.failure_signs import code_and_text
from antiphon.conversation.match import DESCRIBED, Difference, matches
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange
from antiphon.errors import CheckFailed, RequestRefused

__all__ = ["ExpectedRefusal", "expect_refusal", "take_refusal"]


class ExpectedRefusal(Check):
    """The check of a request that is to be refused: fits a refusal with that `code` (None: any) that fits `check`.

    `refusal` is the refusal, once it has come: what is judged without one is an answer, which never fits.
    """

    __slots__ = ("_check", "_code", "refusal")

    def __init__(self, code: int | str | None, check: Any) -> None:
        self._code = code
        self._check = check
        self.refusal: Message | None = None

    def __call__(self, body: Any) -> bool:
        if self.refusal is None or self._other_code():
            return False
        return self._check is None or matches(self._check, body)

    def why(self, body: Any) -> list[Difference]:
        if self.refusal is None:
            return [Difference("", {DESCRIBED: "a refusal"}, body)]
        return self._other_code() or why(self._check, body)

    @property
    def is_soft(self) -> bool:
        return self.refusal is not None and not self._other_code() and is_soft(self._check)

    def _other_code(self) -> list[Difference]:
        code = code_and_text(self.refusal)[0]
        # A code may be a number for one peer and text for another; who writes it down means the same.
        fits = self._code is None or str(self._code) == str(code)
        return [] if fits else [Difference("its code", self._code, code)]


def expect_refusal(exchange: Exchange[Any], code: int | str | None) -> bool:
    """From now on the exchange is for a refusal; the check that it was given judges that.

    Gives whether it has been judged already, and is to be anew.
    """
    exchange.is_judged_by(ExpectedRefusal(code, exchange.given_check))
    if exchange.is_pending or exchange.is_abandoned or exchange.message is None:
        return False
    # P7, P8: what a deadline or a close has ended stays so, whatever interim replies had come.
    return exchange.error is None or isinstance(exchange.error, (RequestRefused, CheckFailed))


def take_refusal(exchange: Exchange[Any], refusal: Message) -> bool:
    """Whether a refusal is what the exchange is for; then it is its answer, and there for the check."""
    check = exchange.check
    if isinstance(check, ExpectedRefusal):
        check.refusal = exchange.message = refusal
        return True
    return False
