"""How a run ended, in a word and in a text, and its error made ready to be shown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from typing import Final

from antiphon.conversation.explanation import Explanation
from antiphon.conversation.message import Message
from antiphon.conversation.source_code import line_at
from antiphon.conversation.wording import visible_lines
from antiphon.errors import AntiphonError, ConnectFailed, DialectError, Line, TransportError, plain_text
from antiphon.journal import Journal, RunVerdict, StepStarted
from antiphon.runtime.call_site import place
from antiphon.runtime.tracebacks import author_frame

__all__ = ["CODE_INDENT", "failure_lines", "make_presentable", "text_of", "verdict_of"]

CODE_INDENT: Final = " " * 6
"""Before a line of source, which stands below its place."""

_AWAITED_NOTHING: Final = re.compile("NoneType.*await")
_AWAITED_NOTHING_HINT: Final = (
    "hint: leave the `await` out; send(), answer(), drain() and mark() are done at once, expect(), ask() and steps wait"
)

_INTERRUPTIONS: Final = (asyncio.CancelledError, KeyboardInterrupt)


def verdict_of(error: BaseException | None) -> RunVerdict:
    """The word for a run that ended with this error: "passed", "failed", "error" or "interrupted"."""
    if error is None:
        return "passed"
    if isinstance(error, ConnectFailed):  # nothing was said: it tells of the surroundings, not of what the peer did
        return "error"
    if isinstance(error, (AssertionError, DialectError, TransportError)):
        return "failed"
    return "interrupted" if isinstance(error, _INTERRUPTIONS) else "error"


def text_of(error: BaseException | None) -> str:
    """The error as the journal has it: its text, the author's line, and its notes; "" for none."""
    if error is None:
        return ""
    if isinstance(error, _INTERRUPTIONS):
        return "interrupted"
    return plain_text(failure_lines(error))


def failure_lines(error: BaseException) -> list[Line]:
    """What an error says, whoever raised it, with its notes below it."""
    if isinstance(error, AntiphonError):
        lines = error.lines()
    else:
        lines = [((line, ""),) for line in f"{type(error).__name__}: {error}".removesuffix(": ").split("\n")]
        if (frame := author_frame(error)) is not None:
            lines.append((("  ", ""), (f"at {place(frame.filename, frame.lineno or 0)}", "place")))
    notes = [line for note in getattr(error, "__notes__", ()) for line in f"  {note}".split("\n")]
    return [*_with_source(lines), *(((note, "aside"),) for note in notes)]


def _with_source(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, with that of the source below each that says where it happened."""
    for line in lines:
        yield line
        where = next((text.removeprefix("at ") for text, role in line if role == "place"), "")
        if source := line_at(where):
            yield ((f"{CODE_INDENT}{source}", ""),)


def make_presentable(error: BaseException | None, journal: Journal, otherwise_at: str) -> None:
    """Have an error of ours say where, keep the secrets, and leave alone the terminal that it is shown on.

    Where is the innermost line of the author's that it went through, or `otherwise_at`.
    """
    if error is None:
        return
    masker = journal.masker
    _learn_what_was_said(journal)

    def shown(text: str) -> str:
        return visible_lines(masker.text(text))

    if isinstance(error, TypeError) and _AWAITED_NOTHING.search(str(error)):
        error.add_note(_AWAITED_NOTHING_HINT)
    if getattr(error, "__notes__", None):
        error.__notes__ = [shown(note) for note in error.__notes__]
    if not isinstance(error, AntiphonError):
        return
    explanation: Explanation | None = getattr(error, "explanation", None)
    if explanation is not None:
        for message in explanation.history:  # some may have left the journal's memory
            masker.learn_from(message.body)
        explanation.mask = shown
        return
    error.text = shown(error.text)
    error.hint = shown(error.hint) if error.hint else None
    error.step = shown(error.step)
    # Whose line it is matters more than where it was raised: inside of antiphon nobody can mend anything.
    frame = author_frame(error)
    line = place(frame.filename, frame.lineno or 0) if frame is not None else ""
    if error.place is None:
        error.place = line or otherwise_at
    elif isinstance(error, (TransportError, DialectError)):  # their place is an address, a channel or a frame
        error.called_at = line


def _learn_what_was_said(journal: Journal) -> None:
    """Without a sink nothing was masked, so nothing was learnt of any message, nor of a step's arguments."""
    if not journal.has_sinks:
        for entry in journal.entries:
            if isinstance(entry, Message):
                journal.masker.learn_from(entry.body)
            elif isinstance(entry, StepStarted):
                list(entry.arguments)  # to read them is to mask them
