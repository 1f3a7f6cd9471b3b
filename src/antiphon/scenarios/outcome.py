"""How a run ended, in a word and in a text, and its error made ready to be shown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from typing import Final

from antiphon.conversation.explanation import Explanation
from antiphon.conversation.message import Message
from antiphon.conversation.source_code import line_at
from antiphon.conversation.waits import Exchange
from antiphon.conversation.wording import own_words, visible_lines
from antiphon.errors import (
    AntiphonError,
    ChannelClosed,
    ConnectFailed,
    DeadlinePassed,
    DialectError,
    Line,
    MessagesLeft,
    SoftChecksFailed,
    TransportError,
    plain_text,
)
from antiphon.journal import Failed, Journal, RunVerdict, StepStarted
from antiphon.journal.around import Around
from antiphon.runtime.call_site import place
from antiphon.runtime.tracebacks import author_frame

__all__ = ["CODE_INDENT", "failure_lines", "make_presentable", "text_of", "verdict_of"]

CODE_INDENT: Final = " " * 6
"""Before a line of source, which stands below its place."""

_AWAITED_NOTHING: Final = re.compile("NoneType.*await")
_AWAITED_NOTHING_HINT: Final = (
    "hint: leave the `await` out; send(), answer(), drain() and mark() are done at once, expect(), ask() and steps wait"
)

MOST_LINES: Final = 30
"""So many lines a text has at most, as far as it depends on what was said last."""

_MOST_ENTRIES: Final = 2_000
"""So many of the run's entries are looked through for what happened around its failure."""

_MOST_HIDDEN: Final = 3
"""So many failures that a failure hides are told."""

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
        lines = [((line, ""),) for line in f"{type(error).__name__}: {own_words(error)}".removesuffix(": ").split("\n")]
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
    _tell_what_it_hides(error)
    _tell_what_was_around(error, journal)

    def shown(text: str) -> str:
        return visible_lines(masker.text(text))

    if isinstance(error, TypeError) and _AWAITED_NOTHING.search(own_words(error)):
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
    error.beside = [shown(line) for line in error.beside]
    error.hint = shown(error.hint) if error.hint else None
    error.step = shown(error.step)
    # Whose line it is matters more than where it was raised: inside of antiphon nobody can mend anything.
    frame = author_frame(error)
    line = place(frame.filename, frame.lineno or 0) if frame is not None else ""
    if error.place is None:
        error.place = line or otherwise_at
    elif isinstance(error, (TransportError, DialectError)):  # their place is an address, a channel or a frame
        line = line or (otherwise_at if isinstance(error, ConnectFailed) else "")
        error.called_at = line if line != error.place else ""


def _tell_what_it_hides(error: BaseException) -> None:
    """What had failed already when an `except` or `finally` of the author's failed, too: mostly that is the cause."""
    seen, hidden = {id(error)}, _hidden_by(error)
    while hidden is not None and id(hidden) not in seen and len(seen) <= _MOST_HIDDEN:
        seen.add(id(hidden))
        frame = author_frame(hidden)
        if frame is not None and isinstance(hidden, Exception) and not isinstance(hidden, ExceptionGroup):
            first = plain_text(failure_lines(hidden)[:1])
            error.add_note(f"while this was handled: {first}\n  at {place(frame.filename, frame.lineno or 0)}")
        hidden = _hidden_by(hidden)


def _hidden_by(error: BaseException) -> BaseException | None:
    """What it came in the middle of; None where somebody has said what it came of."""
    return None if error.__cause__ is not None or error.__suppress_context__ else error.__context__


def _tell_what_was_around(error: BaseException, journal: Journal) -> None:
    """What went wrong elsewhere, and what was said last: a reader of the text may have nothing else."""
    if isinstance(error, (*_INTERRUPTIONS, SoftChecksFailed, MessagesLeft)):
        return
    entries = journal.entries[-_MOST_ENTRIES:]
    facts: Explanation | None = getattr(error, "explanation", None)
    if facts is not None:
        request = facts.wait.request.number if isinstance(facts.wait, Exchange) else 0
        around = Around(entries, facts.at_ns, journal.masker, failed=facts.owner, asked=request)
        facts.later = around.later
        if facts.is_absence and not facts.wait.late_ns and facts.contradiction is None:
            facts.beside = [((each, "found"),) for each in around.beside()]
    else:
        failed = error.channel if isinstance(error, ChannelClosed) else ""
        # What failed beside the scenario's own code is in the journal already.
        at_ns = next((each.at_ns for each in entries if isinstance(each, Failed)), None)
        if at_ns is None:
            at_ns = max((each.at_ns for each in entries), default=0)
        around = Around(entries, at_ns, journal.masker, failed=failed)
        if isinstance(error, (ChannelClosed, DeadlinePassed)):
            error.beside = around.beside()
    if last := around.last_messages(MOST_LINES - len(failure_lines(error))):
        error.add_note("\n  ".join(last))


def _learn_what_was_said(journal: Journal) -> None:
    """Without a sink nothing was masked, so nothing was learnt of any message, nor of a step's arguments."""
    if not journal.has_sinks:
        for entry in journal.entries:
            if isinstance(entry, Message):
                journal.masker.learn_from(entry.body)
            elif isinstance(entry, StepStarted):
                list(entry.arguments)  # to read them is to mask them
