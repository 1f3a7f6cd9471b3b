"""Failures by cause: what thousands have in common, on one line, without the ids and times of each.

Of a wait the facts say it (`antiphon.conversation.explanation`): what was awaited, what came instead, where they
differ. A value is told where the author wrote it down, and where it is a plain word; what was learnt, as an id, is `…`.
Of other errors it is their text without what looks like ids, times and ports. The line ends with the action and the
place, for the same words at two places are two causes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from antiphon.conversation.awaited import is_predicate, parts_around_name
from antiphon.conversation.ending import Ending
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.failure_signs import code_and_text
from antiphon.conversation.match import ABSENT, DESCRIBED, Difference, describe
from antiphon.conversation.message import Message
from antiphon.conversation.nearest import NAME_PATH
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.conversation.wording import cut, own_words
from antiphon.errors import AntiphonError, CheckFailed, HandlerFailed, MessagesLeft, ScenarioError, SoftChecksFailed
from antiphon.journal.figures import CauseFigures
from antiphon.load.literals import literals_at
from antiphon.load.wordings import ANY, is_unique, short_place, without_ids
from antiphon.runtime.call_site import place as place_at
from antiphon.runtime.tracebacks import author_frame
from antiphon.scenarios.outcome import text_of

__all__ = ["OTHER_CAUSES", "Cause", "Causes", "cause_of_failure"]

MOST_CAUSES: Final = 200
OTHER_CAUSES: Final = f"other causes: more than {MOST_CAUSES} are not told apart"


class Cause(NamedTuple):
    """A kind of failure: the part of the load, the error's class, and what those that are alike have in common."""

    part: str
    error: str
    text: str


class Causes:
    """The failures of a load since the last figures, by kind: of each part 200 are told apart, and the rest is one."""

    def __init__(self) -> None:
        self._known: dict[str, set[Cause]] = {}
        self._failed: dict[Cause, CauseFigures] = {}

    def add(self, part: str, error: BaseException, conversation: str, mask: Callable[[str], str]) -> Cause:
        """Count a failure of that conversation; `mask` takes the secrets out of a text. Gives its kind."""
        known = self._known.setdefault(part, set())
        kind, text, step = cause_of_failure(error, mask)
        cause = Cause(part, kind, text)
        if cause not in known and len(known) >= MOST_CAUSES:
            cause, step = Cause(part, "", OTHER_CAUSES), ""
        figures = self._failed.get(cause)
        if figures is None:
            figures = self._failed[cause] = CauseFigures(*cause, count=0, step=step)
        if cause not in known:
            known.add(cause)
            figures.example = cut(mask(text_of(error)), _LONGEST_EXAMPLE)
            figures.conversation = conversation
        figures.count += 1
        return cause

    def take(self) -> list[CauseFigures]:
        """The failures since the last time; it begins anew, and remembers which kinds it has told of."""
        failed, self._failed = list(self._failed.values()), {}
        return failed


def cause_of_failure(error: BaseException, mask: Callable[[str], str] = str) -> tuple[str, str, str]:
    """The error's class, what it has in common with others of its cause, and the action in which it happened, "" for
    none; `mask` takes the secrets out of a text."""
    explanation: Explanation | None = getattr(error, "explanation", None)
    if explanation is not None:
        wait = explanation.wait
        step, place = (wait.step.definition.name if wait.step is not None else ""), wait.source or ""
        text = _Told(explanation, place, _values_of_run(error), mask).text()
    else:
        step, place = _step_of(error), _place_of(error)
        text = _misfit_of(error, place, mask) or _text_of(error, place, mask)
    # Masked once more as a whole: a secret may be known by the name of the field before it.
    where = [f"in {step}"] * bool(step) + [f"at {short_place(place)}"] * bool(place)
    told = mask(", ".join([text, " ".join(where)]) if where else text)
    return type(error).__name__, cut(told, _LONGEST), step


class _Words:
    """What is said of values and texts, so that others say it, too: those that were learnt are `…`. `place` is the line
    of the author, whose literals stay; `unique` are values that this run alone was given."""

    def __init__(self, place: str, unique: frozenset[str], mask: Callable[[str], str]) -> None:
        self._mask = mask
        self._literals = literals_at(place)
        self._unique = unique

    def differences(self, found: Sequence[Difference], *, is_short: bool = False) -> str:
        told = [self._difference(each, is_short=is_short) for each in found]
        return ", ".join(dict.fromkeys(told)) or "it is not as it should be"

    def _difference(self, difference: Difference, *, is_short: bool) -> str:
        """One place: what was found is told where what was wanted may be."""
        path = _INDEX.sub(f"[{ANY}]", difference.path) or "the body"
        wanted = self._pattern(difference.wanted)
        if difference.path == NAME_PATH:
            return f"named {self._name(str(difference.found))}"
        if difference.found is ABSENT:
            return f"no {path}"
        if wanted == ANY:
            return f"another {path}"
        found, because = self._value(difference.found, is_beside_known=True), difference.because
        # What a type wants says what is wrong, whatever else stands there: each message may have another word.
        if _is_described(difference.wanted) and isinstance(difference.found, (str, float, int)):
            found = ANY if not isinstance(difference.found, bool) else found
            because = because.replace(str(difference.found) or ANY, ANY)
        because = f" ({self._prose(because)})" if because else ""
        return f"{path}={found}{because}" if is_short else f"{path} is {found}, wanted {wanted}{because}"

    def _pattern(self, pattern: Any) -> str:
        if pattern is None or isinstance(pattern, (str, bool, int, float, bytes)):
            return self._value(pattern)
        if _is_described(pattern):
            return self._prose(describe(pattern))
        if isinstance(pattern, (Mapping, list, tuple)):
            inner = (f"{path}={self._pattern(value)}" for path, value in _leaves(pattern, ""))
            return f"({', '.join(inner)})" if pattern else describe(pattern)
        told = self._mask(describe(pattern))
        if isinstance(pattern, (set, frozenset)):
            return "one of " + ", ".join(sorted(map(self._pattern, pattern)))
        return told

    def _value(self, value: Any, *, is_beside_known: bool = False) -> str:
        """A value, or `…` for one that no other conversation has; small numbers are told beside one that is known."""
        if value is None or isinstance(value, bool):
            return repr(value)
        if isinstance(value, (int, float)):
            is_known = (type(value), value) in self._literals or (is_beside_known and abs(value) < _SMALL)
            return repr(value) if is_known else ANY
        if not isinstance(value, str):
            return f"{type(value).__name__} {ANY}" if is_beside_known else ANY
        if (str, value) not in self._literals and (is_unique(value) or value in self._unique):
            return ANY
        return self._mask(repr(value))

    def _name(self, name: str) -> str:
        """A message's name: of some dialects it holds an id."""
        return name if (str, name) in self._literals else self._mask(without_ids(name))

    def _prose(self, text: str) -> str:
        """What the peer said, or a foreign exception."""
        return without_ids(self._mask(text), [value for kind, value in self._literals if kind is int])


class _Told(_Words):
    """What a wait failed with, in words that others have, too."""

    def __init__(self, facts: Explanation, place: str, unique: frozenset[str], mask: Callable[[str], str]) -> None:
        super().__init__(place, unique, mask)
        self._facts = facts

    def text(self) -> str:
        """All of it, on one line."""
        facts = self._facts
        limit = f"{self._mask(facts.cut_short)}: " if facts.cut_short is not None else ""
        said = [limit + self._headline(facts.wait)]
        if facts.wait.late_ns:  # it came: nothing else needs to be told
            said.append("it came too late")
        elif facts.is_absence:
            said += self._instead(facts.wait)
        elif facts.outcome == "forbidden" and facts.twin is not None:
            said.append("the one before it said the same")
        return "; ".join(said)

    def _headline(self, wait: Wait[Any]) -> str:
        facts = self._facts
        culprit = self._name(facts.culprit.name) if facts.culprit is not None else "a message"
        match facts.outcome:
            case "deadline":
                if facts.cut_short is not None:  # of the time that was left
                    return f"waited {self._awaited(wait)}"
                waited_ns = (wait.deadline_ns or facts.at_ns) - wait.made_ns
                return f"waited {waited_ns / 1e9:g} s {self._awaited(wait)}"
            case "closed":
                return f"waited {self._awaited(wait)}, but {self._ending(facts.ending)}"
            case "unproven":
                return f"waited {self._awaited(wait)}, but for a while there was no connection"
            case "refused":
                said = self._refusal(facts.culprit)
                asked = self._name(wait.request.name) if isinstance(wait, Exchange) else culprit
                return f"was refused {asked}{f': {said}' if said else ''}"
            case "accepted":
                asked = self._name(wait.request.name) if isinstance(wait, Exchange) else culprit
                return f"was to be refused {asked}, and it was accepted"
            case "forbidden":
                return f"received {culprit}, and {self._wanted(wait)} was expected"
            case _:
                if isinstance(wait, CloseWait):
                    return f"waited {self._awaited(wait)}, but {self._ending(facts.ending)}"
                return f"received {self._wanted(wait)}, but {self.differences(facts.differences)}"

    def _instead(self, wait: Wait[Any]) -> Iterator[str]:
        """What came instead of what was awaited, as far as it may be why that did not come."""
        facts = self._facts
        raised = wait.raised if isinstance(wait, (MessageWait, AbsenceWait)) else None
        if raised is not None:
            yield f"where= raised {type(raised[1]).__name__}: {self._prose(str(raised[1]))}"
        if facts.gaps and facts.outcome == "deadline":
            yield "for a while there was no connection"
        if facts.holds_part:
            yield "part of a message had come"
        if (instead := facts.contradiction) is not None:
            came = "was a refusal" if instead.is_failure else "came"
            yield f"{self._name(instead.name)} {came}: {self._refusal(instead)}".removesuffix(": ")
        if isinstance(wait, Exchange) and facts.strays:
            yield f"a reply to no open request came: {self._name(facts.strays[-1].name)}"
        if (fitting := self._fitting()) is not None:
            yield fitting
        elif facts.nearest is not None and raised is None:
            yield f"nearest: {self.differences(facts.nearest_differences, is_short=True)}"

    def _fitting(self) -> str | None:
        facts = self._facts
        if facts.fitting is None:
            return None
        if isinstance(facts.wait, Exchange):
            return "such a reply came, but to an earlier request that had been given up"
        if facts.fitting.number <= getattr(facts.wait, "since", 0):
            return "one that fits had come before the mark"
        if facts.is_drained:
            return "one that fits was drained"
        taker = facts.taker
        if taker is None:
            return "one that fits had come"
        return f"one that fits was taken by a wait{f' at {short_place(taker.source)}' if taker.source else ''}"

    # -- the pieces ---------------------------------------------------------------------------------------------------

    def _awaited(self, wait: Wait[Any]) -> str:
        if isinstance(wait, UntilWait):
            named = wait.name if wait.name not in (None, "<lambda>") else "it"
            return f"until {named}{f' at {short_place(wait.place)}' if wait.place else ''} is true"
        return f"to hear {self._wanted(wait)}" if isinstance(wait, AbsenceWait) else f"for {self._wanted(wait)}"

    def _wanted(self, wait: Wait[Any]) -> str:
        if isinstance(wait, Exchange):
            return f"the reply to {self._name(wait.request.name)}"
        if isinstance(wait, (MessageWait, AbsenceWait)):
            before, name, _ = parts_around_name(wait.kind, wait.name)
            return f"{before}{self._name(name)}{self._where(wait.where)}"
        return wait.describe()

    def _where(self, where: Any) -> str:
        if where is None:
            return ""
        if is_predicate(where):
            return parts_around_name("message", None, where)[2]
        fields = list(_leaves(where, ""))
        return " where " + ", ".join(
            f"{path}={self._pattern(value)}" if path else describe(value) for path, value in fields
        )

    def _refusal(self, message: Message | None) -> str:
        """Why: the code is one of few, whatever it looks like."""
        code, text = code_and_text(message)
        said = text.removeprefix(str(code)) if str(code) else text
        blank = "" if said != text and said.startswith(":") else " "
        return f"{cut(self._mask(str(code)), _LONGEST_CODE)}{blank}{self._prose(said)}".strip()

    def _ending(self, ending: Ending | None) -> str:
        if ending is None:
            return "the connection closed"
        who = {"peer": "the server closed", "us": "we closed"}.get(ending.by, "the connection was lost")
        code = "" if ending.code is None or ending.by == "wire" else f" with {ending.code}"
        said = self._prose(ending.reason or ending.detail)
        return f"{who}{code}{f': {said}' if said else ''}"


def _is_described(pattern: Any) -> bool:
    """Whether it is what a type wants there, in words."""
    return isinstance(pattern, Mapping) and pattern.keys() == {DESCRIBED}


def _leaves(pattern: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The fields of a pattern, however deep, with their paths."""
    if isinstance(pattern, Mapping) and pattern:
        for key, value in pattern.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(pattern, (list, tuple)) and pattern:
        for value in pattern:
            yield from _leaves(value, f"{path}[{ANY}]")
    else:
        yield path, pattern


def _values_of_run(error: BaseException) -> frozenset[str]:
    """The texts that a run alone was given: its parameters, and what its users are called."""
    run = getattr(error, "run", None)
    if run is None:
        return frozenset()
    given = [*run.parameters.values()]
    for actor in run.actors.values():
        with suppress(ScenarioError):  # it is nobody
            given += vars(actor.user).values()
    return frozenset(value for value in given if isinstance(value, str))


# -- other errors -----------------------------------------------------------------------------------------------------


def _misfit_of(error: BaseException, place: str, mask: Callable[[str], str]) -> str:
    """What a body was that did not fit its type, "" for another failure."""
    if not isinstance(error, CheckFailed) or not error.differences:
        return ""
    headline = without_ids(mask(error.text.partition("\n")[0]))
    return f"{headline}; {_Words(place, _values_of_run(error), mask).differences(error.differences)}"


def _text_of(error: BaseException, place: str, mask: Callable[[str], str]) -> str:
    if isinstance(error, SoftChecksFailed):
        return "; ".join(dict.fromkeys(cause_of_failure(failure, mask)[1] for failure in error.failures[:_MOST_SOFT]))
    if isinstance(error, MessagesLeft):
        left, twice = (_names(messages, mask) for messages in (error.messages, error.repeated))
        said = f"nobody expected {left}" if left else without_ids(mask(error.text))
        return f"{said}; said twice: {twice}" if twice else said
    kept = [value for kind, value in literals_at(place) if kind is int]
    if status := getattr(error, "status", 0):
        kept += [status, 200, 299]  # what is right where nothing else is said
    told = error.text if isinstance(error, AntiphonError) else own_words(error)
    if type(error.__cause__ if isinstance(error, HandlerFailed) else error) is AssertionError:
        told = told.partition("\n")[0]  # below it stand the values, which each conversation has anew
    causes: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in causes:
        causes.add(id(cause))
        if isinstance(cause, OSError) and cause.errno is not None:
            kept.append(cause.errno)
        cause = cause.__cause__
    return without_ids(mask("; ".join(told.split("\n")[:_MOST_LINES])), kept) or type(error).__name__


def _names(messages: Sequence[Message], mask: Callable[[str], str]) -> str:
    return ", ".join(sorted({without_ids(mask(message.name)) for message in messages}))


def _step_of(error: BaseException) -> str:
    """The action: errors name it as TITLE at PLACE, and a title is the action's name with its arguments behind it."""
    notes = (str(note) for note in getattr(error, "__notes__", ()))
    titles = [note.removeprefix("in the step ") for note in notes if note.startswith("in the step ")]
    title = error.step if isinstance(error, AntiphonError) else next(iter(titles), "")
    return title.partition("(")[0]


def _place_of(error: BaseException) -> str:
    """FILE:LINE of the author's code, "" if none is known."""
    frame = author_frame(error)
    if frame is not None:
        return place_at(frame.filename, frame.lineno or 0)
    places = (error.place or "", error.called_at) if isinstance(error, AntiphonError) else ()
    return next((place for place in places if _PLACE.search(place)), "")


_INDEX: Final = re.compile(r"\[\d+\]")
_PLACE: Final = re.compile(r"\.py:\d+$")
_SMALL: Final = 1_000
"""Numbers below it are told where the wanted one is: a status, a count."""
_LONGEST: Final = 400
_LONGEST_CODE: Final = 40
_LONGEST_EXAMPLE: Final = 4_000
_MOST_LINES: Final = 4
_MOST_SOFT: Final = 5
