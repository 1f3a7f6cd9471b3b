"""Why a wait failed, in words: for a person who was not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from antiphon.conversation.awaited import parts_around_name
from antiphon.conversation.difference_text import difference_lines
from antiphon.conversation.explanation import Explanation, FailureKind, Memory
from antiphon.conversation.match import Difference
from antiphon.conversation.message import Message
from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.conversation.wording import one_line, seconds, shorten
from antiphon.errors import Line, Piece, Role, plain_line

__all__ = ["code_and_text", "explain", "lines_of"]


def explain(
    wait: Wait[Any],
    memory: Memory,
    now_ns: int,
    outcome: FailureKind,
    *,
    culprit: Message | None = None,
    differences: Sequence[Difference] = (),
) -> Explanation:
    """The facts about a wait that has failed, to be put into words by `lines_of`."""
    return Explanation(wait, memory, now_ns, outcome, tell=lines_of, culprit=culprit, differences=differences)


def lines_of(facts: Explanation) -> list[Line]:
    """The facts in at most 30 lines, secrets and all."""
    return [_headline(facts), *((("  ", ""), *_line(told)) for told in _details(facts))]


def _line(told: str | Line) -> Line:
    return ((told, ""),) if isinstance(told, str) else told


def _indented(told: str | Line) -> Line:
    return (("  ", ""), *_line(told))


def _headline(facts: Explanation) -> Line:
    wait = facts.wait
    who: Piece = (facts.owner, "name") if facts.owner else ("the channel", "")
    match facts.outcome:
        case "deadline":
            # A condition does not come; it is, or is not.
            outcome = "it never was" if isinstance(wait, UntilWait) else "it did not come"
            waited = f" waited {seconds(facts.at_ns - wait.made_ns)} "
            return (who, (waited, ""), *_awaited(wait), (f", and {outcome}", ""))
        case "closed":
            return (who, (" waited ", ""), *_awaited(wait), (f", but {facts.ending}", ""))
        case "unproven":
            waited = f" waited {seconds(facts.at_ns - wait.made_ns)} "
            return (who, (waited, ""), *_awaited(wait), (", and none came, but not all that time could any come", ""))
        case "refused":
            said = _refusal(facts.culprit)
            return (who, (" was refused ", ""), (_asked(wait), "name"), (f": {said}" if said else "", ""))
        case "accepted":
            return (
                who,
                (" was to be refused ", ""),
                (_asked(wait), "name"),
                (", and it was accepted: ", ""),
                *_said(facts.culprit),
            )
        case "forbidden":
            return (who, (" received ", ""), *_said(facts.culprit), (f", but there was to be {wait.describe()}", ""))
        case _:  # a check
            return (who, (" received ", ""), *_wanted(wait), (", but it is not as it should be", ""))


def _asked(wait: Wait[Any]) -> str:
    """The name of the request."""
    return parts_around_name("reply", wait.request.name)[1] if isinstance(wait, Exchange) else wait.describe()


def _awaited(wait: Wait[Any]) -> Line:
    if isinstance(wait, UntilWait):
        return ((wait.describe(), ""),)
    return (("to hear " if isinstance(wait, AbsenceWait) else "for ", ""), *_wanted(wait))


def _wanted(wait: Wait[Any]) -> Line:
    """What the wait is for, with the name in it."""
    if isinstance(wait, Exchange):
        before, name, after = parts_around_name(wait.kind, wait.request.name)
    elif isinstance(wait, (MessageWait, AbsenceWait)):
        before, name, after = parts_around_name(wait.kind, wait.name, wait.where)
    else:
        return ((wait.describe(), ""),)
    return ((before, ""), (name, "name"), (after, ""))


def _details(facts: Explanation) -> Iterator[str | Line]:
    """The cause as far as it can be told, then where and since when, then what was said meanwhile."""
    wait = facts.wait
    yield from islice(_causes(facts), _MOST_CAUSES)
    yield from _places(wait, "place")
    yield _about_time(facts)
    yield from _about_exchange(facts)
    if facts.is_absence:
        if not isinstance(wait, CloseWait) or facts.outcome == "deadline":
            yield _what_came(facts)
        if facts.asides:
            yield "what it told beside its messages at last:"
            yield from ((("  " + line, "found"),) for line in facts.asides)
        if facts.dropped:
            yield f"{facts.dropped} older messages had fallen out of the mailbox (its limit is {facts.limit})"


def _causes(facts: Explanation) -> Iterator[str | Line]:
    wait = facts.wait
    if wait.late_ns:
        hint = ": give it more time with within_s=, or find out why it is slow"
        yield ((f"it came {seconds(wait.late_ns)} too late", "late"), (hint, ""))
    # The mask goes along: a secret that is cut out of a long text could not be found in it afterwards.
    yield from difference_lines(facts.differences, facts.mask)
    yield from _about_culprit(facts)
    yield from _about_raised(wait)
    # Of what came too late nothing else needs to be explained: it came.
    if not facts.is_absence or wait.late_ns:
        return
    for gap in facts.gaps:
        yield from gap.lines()
    if facts.outcome == "closed" and facts.gaps and isinstance(wait, Exchange):
        yield "  what was asked before is not answered on the next connection: ask again once reopened() is"
    if facts.holds_part:
        yield "part of a message had come, and its rest had not: the peer stopped in the middle of it"
    yield from _about_refusals(facts)
    if isinstance(wait, Exchange):
        yield from _about_other_replies(facts, wait)
    yield from _about_fitting(facts)
    yield from _about_nearest(facts)


def _about_time(facts: Explanation) -> str:
    wait = facts.wait
    number = wait.since if isinstance(wait, MessageWait) else 0
    mark = f", for what came after message {number} (since=)" if number else ""
    begun, ended = seconds(wait.made_ns), seconds(facts.at_ns)
    return (f"at {ended}" if begun == ended else f"waiting from {begun} to {ended}") + f" of the run{mark}"


def _about_culprit(facts: Explanation) -> Iterator[str | Line]:
    wait, culprit = facts.wait, facts.culprit
    if culprit is None:
        return
    twin = facts.twin
    if twin is not None:
        before = seconds(culprit.at_ns - twin.at_ns)
        yield f"message {twin.number}, {before} before this one ({culprit.number}), said the same: did it come twice?"
    # P9: a message that was there before breaks a silence as well, and that surprises most.
    if facts.outcome == "forbidden" and culprit.number <= wait.after:
        if culprit.is_answer:
            yield "it is an answer, and no request that was open had asked for it"
        yield f"it had come {_when(culprit, wait)}: to ignore what came before a moment, give since=mark()"


def _about_raised(wait: Wait[Any]) -> Iterator[str | Line]:
    raised = wait.raised if isinstance(wait, (MessageWait, AbsenceWait)) else None
    if raised is not None:
        message, error = raised
        yield ((f"where= raised {type(error).__name__}: {one_line(str(error))}, on ", ""), *_said(message))
        if isinstance(wait, AbsenceWait):
            yield "  a predicate that raises has not ruled the message out"
        else:
            yield "  a predicate that raises does not fit; is there a slip in it?"


def _about_other_replies(facts: Explanation, wait: Exchange) -> Iterator[str | Line]:
    """Replies that went elsewhere: those whose key is their own name cannot have been meant for this request."""
    keyed = [m for m in facts.came if m.reply_to is not None and m.reply_to not in (wait.key, m.name)]
    if keyed:
        last = keyed[-1]
        key = one_line(repr(last.reply_to))
        yield f"replies to other requests came; the last, {_name(last)} (message {last.number}), carries {key}"
    if facts.fitting is not None:
        yield (("such a reply came, but to an earlier request that had been given up: ", ""), *_said(facts.fitting))
        if isinstance(facts.taker, Exchange):
            place = f" at {facts.taker.source}" if facts.taker.source is not None else ""
            yield (("  that request: ", ""), *_said(facts.taker.request), (place, "elsewhere"))
        yield "  replies without an id belong to the requests in their order: if one is lost, reconnect to be in step"


def _about_exchange(facts: Explanation) -> Iterator[str | Line]:
    """What was asked, and what was answered, as far as the lines above do not say it."""
    wait, culprit = facts.wait, facts.culprit
    if isinstance(wait, Exchange):
        carried = f", whose replies carry {one_line(repr(wait.key))}" if facts.is_absence else ""
        yield (("the request: ", ""), *_said(wait.request), (carried, ""))
        if facts.is_absence and wait.messages:
            yield f"of its replies these came, and not the last: {_names(wait.messages)}"
        elif culprit is not None and (facts.outcome == "check" or not _says_why(culprit)):
            yield (("the reply: ", ""), *_said(culprit))
    elif facts.outcome == "check" and not any(difference.path == "" for difference in facts.differences):
        yield (("the message: ", ""), *_said(culprit))


def _what_came(facts: Explanation) -> str:
    came, number = facts.came, facts.received - facts.wait.after
    if not number:
        if not facts.received:
            return "nothing has come on this channel at all"
        if not facts.history:
            return "nothing came since"
        # Before the wait: what a silent channel said last is where to look first.
        last = facts.history[-1]
        if facts.outcome == "closed" and facts.at_ns - last.at_ns < _LONG_SILENCE_NS:
            return f"nothing came since; the last before was {_name(last)}"
        return (
            f"nothing came since; the channel was silent for {seconds(facts.at_ns - last.at_ns)}, since {_name(last)}"
        )
    silent_ns = facts.at_ns - came[-1].at_ns if came else 0
    silence = f", and then nothing for {seconds(silent_ns)}" if silent_ns >= _WORTH_TELLING_NS else ""
    if number == len(came):
        return f"what came since: {_names(came)}{silence}"
    latest = f", the latest of them {_names(came)}" if came else ""
    return f"what came since: {number} messages{latest}{silence}"


def _about_refusals(facts: Explanation) -> Iterator[str | Line]:
    """A refusal that nobody has awaited yet is often why something else does not come."""
    refusals = [message for message in facts.came if message.is_failure]
    for refusal in refusals[-_MOST_REFUSALS:]:
        said = _refusal(refusal) or plain_line(_said(refusal))
        yield ((_name(refusal), "name"), (" was a refusal: ", ""), (said, "found"))


def _about_fitting(facts: Explanation) -> Iterator[str | Line]:
    fitting, wait = facts.fitting, facts.wait
    if fitting is None or not isinstance(wait, MessageWait):
        return
    which: Line = (("one that fits, ", ""), (_name(fitting), "name"), (f" (message {fitting.number}),", ""))
    # P6: it fits, and does not count.
    if fitting.number <= wait.since:
        mark = next((f", {_name(message)}," for message in facts.history if message.number == wait.since), "")
        yield (*which, (f" had come before the mark, {_when(fitting, wait)}", ""))
        yield f"  only what came after message {wait.since}{mark} counts"
        return
    came, taker = f" came {_when(fitting, wait)}", facts.taker
    if facts.is_drained:
        yield (*which, (f"{came}, and was drained", ""))
    elif taker is None:
        yield (*which, (came, ""))
    else:
        # To say the same words twice would hide that there were two waits (P3).
        awaited = "an earlier wait like this" if facts.is_taker_alike else f"the wait {plain_line(_awaited(taker))}"
        yield (*which, (f"{came}, and was taken by {awaited}", ""))
        yield from map(_indented, _places(taker, "elsewhere"))


def _about_nearest(facts: Explanation) -> Iterator[str | Line]:
    """Also beside one that fits, if that had come before: then this may be what came instead of another such."""
    nearest, wait, fitting = facts.nearest, facts.wait, facts.fitting
    if nearest is None or (fitting is not None and fitting.number > wait.after):
        return
    raised = wait.raised if isinstance(wait, MessageWait) else None
    if raised is None or raised[0] is not nearest:
        when, number = f"nearest, {_when(nearest, wait)}: ", f" (message {nearest.number})"
        yield ((when, ""), (_name(nearest), "name"), (number, ""))
        yield from map(_indented, difference_lines(facts.nearest_differences, facts.mask))


def _refusal(message: Message | None) -> str:
    """The code and the text of a refusal, where its body has fields that look like them."""
    code, text = code_and_text(message)
    return one_line(text if str(code) and text.startswith(str(code)) else f"{code} {text}")


def _says_why(refusal: Message) -> bool:
    """Whether the refusal has a text for people, and not only a code."""
    return bool(code_and_text(refusal)[1].strip())


def code_and_text(message: Message | None) -> tuple[str | int, str]:
    """What a refusal says of why, in the fields that look like a code and a text for people; "" for what it has not."""
    body = message.body if message is not None else None
    fields = named_fields(body)
    if fields is None:
        return "", body if isinstance(body, str) else ""
    fields = named_fields(fields.get("error")) or fields
    # No dialect says which fields tell why; these are what people call them.
    code = next((fields[field] for field in _CODES if isinstance(fields.get(field), (str, int))), "")
    return code, next((fields[field] for field in _TEXTS if isinstance(fields.get(field), str)), "")


def _places(wait: Wait[Any], role: Role) -> Iterator[Line]:
    if wait.source is not None:
        yield ((f"at {wait.source}", role),)
    if wait.step is not None:
        place = f" at {wait.step.source}" if wait.step.source else ""
        yield (("in the step ", ""), (one_line(wait.step.title), "step"), (place, "elsewhere"))


def _when(message: Message, wait: Wait[Any]) -> str:
    if message.number <= wait.after:
        return f"{seconds(max(wait.made_ns - message.at_ns, 0))} before the wait began"
    return f"{seconds(max(message.at_ns - wait.made_ns, 0))} after the wait began"


def _said(message: Message | None) -> Line:
    if message is None:
        return (("nothing", ""),)
    return ((_name(message), "name"), (f" {one_line(_body(message.body), _LONGEST_BODY)}", ""))


def _body(body: Any) -> str:
    """A body at a glance: a part of each of its fields."""
    if not isinstance(body, dict):
        return shorten(body)
    fields = (f"{shorten(key, 40)}: {shorten(value, 45)}" for key, value in islice(body.items(), _MOST_FIELDS))
    return f"{{{', '.join(fields)}{', …' if len(body) > _MOST_FIELDS else ''}}}"


def _name(message: Message) -> str:
    return message.name if message.name.isprintable() and len(message.name) <= _LONGEST_NAME else shorten(message.name)


def _names(messages: Sequence[Message]) -> str:
    counted = Counter(_name(message) for message in messages)
    return one_line(", ".join(name if times == 1 else f"{name} ×{times}" for name, times in counted.items()))


_CODES: Final = ("code", "errorCode", "error_code", "status")
_TEXTS: Final = ("message", "reason", "description", "detail", "text", "error")
_MOST_CAUSES: Final = 20
"""So many lines are about the cause, so that there is room for the places."""
_MOST_FIELDS: Final = 20
_MOST_REFUSALS: Final = 2
_LONGEST_BODY: Final = 240
_LONGEST_NAME: Final = 80
_WORTH_TELLING_NS: Final = 100_000_000
_LONG_SILENCE_NS: Final = 1_000_000_000
"""Whoever closes a connection may do so because it was silent for that long."""
