"""A short text in a small language, read from left to right, and the error that points at where it cannot be read."""

from __future__ import annotations

import re
from typing import Final

from antiphon.conversation.wording import cut, visible
from antiphon.errors import ScenarioError

__all__ = ["ShortText"]

_LONGEST_SHOWN: Final = 160


class ShortText:
    """Such a text, and the index `at` of what comes next in it: blanks are passed over.

    `what` it should be is said in errors: "rate", "stages". `place` is where it was written, if that is known.
    """

    def __init__(self, text: str, what: str, place: str | None = None) -> None:
        self._text = text.rstrip()
        self._what = what
        self._place = place
        self.at = 0
        self._pass_blanks()

    @property
    def has_ended(self) -> bool:
        """True if nothing is left."""
        return self.at >= len(self._text)

    def take(self, pattern: re.Pattern[str]) -> str:
        """What comes next, if it is of that form, and then it is behind us; else ""."""
        found = pattern.match(self._text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        self._pass_blanks()
        return found[0]

    def sees(self, pattern: re.Pattern[str]) -> bool:
        """True if what comes next is of that form."""
        return pattern.match(self._text, self.at) is not None

    def require_end(self, hint: str) -> None:
        """Raises ScenarioError if anything is left."""
        if not self.has_ended:
            raise self.wrong(f"{cut(self._text[self.at :], 20)!r} was not expected here", hint)

    def wrong(self, why: str, hint: str, at: int | None = None) -> ScenarioError:
        """The error that points at what comes next, or at the character with that index."""
        at = self.at if at is None else at
        before = visible(self._text[:at])
        shown = before + visible(self._text[at:])
        text = f"{self._what} '{cut(visible(self._text), 60)}': {why}"
        if shown and len(before) < _LONGEST_SHOWN:
            text += f"\n  {cut(shown, _LONGEST_SHOWN)}\n  {' ' * len(before)}^"
        return ScenarioError(text, place=self._place, hint=hint)

    def _pass_blanks(self) -> None:
        while self.at < len(self._text) and self._text[self.at].isspace():
            self.at += 1
