"""Why a wait failed, in words: for a person who was not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from antiphon.conversation.awaited import parts_around_name
from antiphon.conversation.difference_text import difference_lines
from antiphon.conversation.explanation import Explanation, FailureKind, Memory
from antiphon.conversation.failure_signs import code_and_text, is_heartbeat, reason, sign_of_failure
from antiphon.conversation.match import Difference
from antiphon.conversation.message import UNNAMED, Message
from antiphon.conversation.predicate_text import about_predicates
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.conversation.wording import counted, one_line, own_words, seconds, shorten
from antiphon.errors import Line, Piece, Role, plain_line

__all__ = ["explain", "lines_of", "said"]


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
    headline = _headline(facts)
    if facts.cut_short is not None:
        headline = ((f"{facts.cut_short}: ", ""), *headline)
    return [headline, *((("  ", ""), *_line(told)) for told in _details(facts))]


def _line(told: str | Line) -> Line:
    return ((told, ""),) if isinstance(told, str) else told


def _indented(told: str | Line) -> Line:
    return (("  ", ""), *_line(told))


# -- the first line: what decides -------------------------------------------------------------------------------------


def _headline(facts: Explanation) -> Line:
    wait, instead = facts.wait, facts.contradiction
    who: Piece = (facts.owner, "name") if facts.owner else ("the channel", "")
    if instead is not None:
        return (who, *_expected(wait), (" and got ", ""), *_with_reason(instead), *_and_then(facts, instead))
    match facts.outcome:
        case "deadline":
            # A condition does not come; it is, or is not.
            outcome = "it never was" if isinstance(wait, UntilWait) else "it did not come"
            waited = f" waited {seconds(facts.at_ns - wait.made_ns)} "
            return (who, (waited, ""), *_awaited(wait), (f", and {outcome}", ""))
        case "closed":
            return (who, (" waited ", ""), *_awaited(wait), (f", but {_ending(facts)}", ""))
        case "cut off":  # nobody knows for how long it waited
            return (who, (" was waiting ", ""), *_awaited(wait), (" when the record broke off", ""))
        case "unproven":
            waited = f" waited {seconds(facts.at_ns - wait.made_ns)} "
            return (who, (waited, ""), *_awaited(wait), (", and none came, but not all that time could any come", ""))
        case "refused":
            why = _refusal(facts.culprit)
            return (who, (" was refused ", ""), (_asked(wait), "name"), (f": {why}" if why else "", ""))
        case "accepted":
            return (
                who,
                (" was to be refused ", ""),
                (_asked(wait), "name"),
                (", and it was accepted: ", ""),
                *said(facts.culprit),
            )
        case "forbidden":
            return (who, (" received ", ""), *said(facts.culprit), (f", and {wait.describe()} was expected", ""))
        case _:  # a check
            culprit = facts.culprit
            says: Line = ()
            if culprit is not None and sign_of_failure(culprit) in ("dialect", "body") and _says_why(culprit):
                says = ((": it says ", ""), (reason(culprit), "found"))
            return (who, (" received ", ""), *_wanted(wait), (", but it does not match", ""), *says)


def _expected(wait: Wait[Any]) -> Line:
    if isinstance(wait, UntilWait):
        return ((f" waited {wait.describe()}", ""),)
    return ((" expected ", ""), *_wanted(wait))


def _with_reason(message: Message) -> Line:
    why = reason(message)
    return ((_name(message), "name"), *(((": ", ""), (why, "found")) if why else ()))


def _and_then(facts: Explanation, instead: Message) -> Line:
    """When it came, if that was not while it was waited for; and how the connection ended."""
    wait, told = facts.wait, ""
    if instead in facts.later:
        told = f", {seconds(max(instead.at_ns - facts.at_ns, 0))} too late"
    elif instead.number <= wait.after:
        told = f", {seconds(max(wait.made_ns - instead.at_ns, 0))} before it began to wait"
    if facts.outcome == "closed":
        told += f"; then {_ending(facts)}"
    return ((told, ""),) if told else ()


def _ending(facts: Explanation) -> str:
    return facts.ending.told(facts.other) if facts.ending is not None else "the connection is closed"


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


# -- the other lines: the cause, what arrived, where and when ---------------------------------------------------------


def _details(facts: Explanation) -> Iterator[str | Line]:
    """The cause as far as it can be told and what arrived, then where and since when, then what was asked."""
    wait = facts.wait
    yield from islice(_causes(facts), _MOST_CAUSES)
    misfit, found = (
        (facts.nearest, facts.nearest_differences) if facts.is_absence else (facts.culprit, facts.differences)
    )
    yield from about_predicates(wait, found, misfit, facts.condition)
    yield from facts.beside
    if facts.is_absence:
        if not isinstance(wait, CloseWait) or facts.outcome in ("deadline", "cut off"):
            yield _what_arrived(facts)
        if facts.asides:
            yield "what it told beside its messages at last:"
            yield from ((("  " + line, "found"),) for line in facts.asides)
        if facts.dropped:
            fallen = counted(facts.dropped, "older message")
            yield f"{fallen} had fallen out of the mailbox (its limit is {facts.limit})"
    yield from _places(wait, "place")
    yield _about_time(facts)
    yield from _about_exchange(facts)
    yield from facts.aftermath


def _causes(facts: Explanation) -> Iterator[str | Line]:
    wait = facts.wait
    if wait.late_ns and (facts.contradiction is None or facts.contradiction not in facts.later):
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
        yield f"part of a message had come, and its rest had not: {facts.other} stopped in the middle of it"
    if isinstance(wait, Exchange):
        yield from _about_other_replies(facts, wait)
    yield from _about_fitting(facts)
    yield from _about_nearest(facts)


def _about_time(facts: Explanation) -> str:
    wait = facts.wait
    number = wait.since if isinstance(wait, MessageWait) else 0
    mark = f", for what came after message {number} (since=)" if number else ""
    begun, ended = seconds(wait.made_ns), seconds(facts.at_ns)
    if facts.outcome == "cut off":
        return f"waiting since {begun} of the run, of which the record has {ended}{mark}"
    # How long was waited for what came decides nothing.
    if begun == ended or not facts.is_absence:
        return f"at {ended} of the run{mark}"
    limit = ""
    if wait.deadline_ns is not None and facts.at_ns >= wait.deadline_ns:
        limit = f", its limit of {(wait.deadline_ns - wait.made_ns) / 1e9:g} s"
    is_long = facts.listened_ns >= _WORTH_TELLING_NS
    more = f", and listening for {seconds(facts.listened_ns)} more" if is_long else ""
    return f"waiting from {begun} to {ended} of the run{limit}{more}{mark}"


def _about_culprit(facts: Explanation) -> Iterator[str | Line]:
    wait, culprit = facts.wait, facts.culprit
    if culprit is None:
        return
    twin = facts.twin
    if twin is not None:
        before = seconds(culprit.at_ns - twin.at_ns)
        yield f"message {twin.number}, {before} before this one ({culprit.number}), said the same: did it come twice?"
    if isinstance(wait, Exchange) or culprit.number > wait.after:
        return
    lain_ns = max(wait.made_ns - culprit.at_ns, 0)
    lain = seconds(lain_ns)
    if facts.outcome == "check":
        newer = facts.newer
        more = f"; a newer one, message {newer.number}, matches" if newer is not None else ""
        if newer is not None or lain_ns >= _WORTH_TELLING_NS:
            yield f"it had lain in the mailbox for {lain} before the wait began{more}"
    else:
        # P9: a message that was there before breaks a silence as well, and that surprises most.
        if culprit.is_answer:
            yield "it is an answer, and no request that was open had asked for it"
        # No hint for who has followed it; nor one that would hide a failure.
        is_hint = not (isinstance(wait, AbsenceWait) and wait.since) and not sign_of_failure(culprit)
        hint = ": to ignore what came before a moment, give since=mark()" if is_hint else ""
        yield f"it had come {lain} before the wait began{hint}"


def _about_raised(wait: Wait[Any]) -> Iterator[str | Line]:
    raised = wait.raised if isinstance(wait, (MessageWait, AbsenceWait)) else None
    if raised is not None:
        message, error = raised
        yield ((f"where= raised {type(error).__name__}: {one_line(own_words(error))}, on ", ""), *said(message))
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
        yield f"replies to other requests came; the last, {_name(last)} (message {last.number}), is to request id {key}"
    if facts.fitting is not None:
        yield (("such a reply came, but to an earlier request that had been given up: ", ""), *said(facts.fitting))
        if isinstance(facts.taker, Exchange):
            place = f" at {facts.taker.source}" if facts.taker.source is not None else ""
            yield (("  that request: ", ""), *said(facts.taker.request), (place, "elsewhere"))
        yield "  replies without an id belong to the requests in their order: if one is lost, reconnect to be in step"


def _about_exchange(facts: Explanation) -> Iterator[str | Line]:
    """What was asked, and what was answered, as far as the lines above do not say it."""
    wait, culprit = facts.wait, facts.culprit
    if isinstance(wait, Exchange):
        # The name of a reply is no id, and says what was awaited.
        word = "its reply is" if isinstance(wait.key, str) and not wait.key.isdigit() else "request id"
        carried = f" ({word} {one_line(str(wait.key))})" if facts.is_absence and wait.key is not None else ""
        yield (("the request: ", ""), *said(wait.request), (carried, ""))
        if facts.is_absence and wait.messages:
            yield f"of its replies these came, and not the last: {_names(wait.messages)}"
        elif culprit is not None and (facts.outcome == "check" or not _says_why(culprit)):
            yield (("the reply: ", ""), *said(culprit))
    elif facts.outcome == "check" and not any(difference.path == "" for difference in facts.differences):
        yield (("the message: ", ""), *said(culprit))


def _what_arrived(facts: Explanation) -> str:
    came, number = facts.came, facts.received - facts.wait.after
    if not number:
        if not facts.received:
            return "nothing arrived on this channel at all"
        if not facts.history:
            return "nothing arrived during the wait"
        # Before the wait: what a silent channel said last is where to look first.
        last = facts.history[-1]
        silent_ns = facts.at_ns - last.at_ns
        before = f", {seconds(silent_ns)} earlier" if silent_ns else ""
        told = f"{_names([last])}{before}{_last_words(facts)}"
        return f"nothing arrived during the wait; the last message before it was {told}"
    silent_ns = facts.at_ns - came[-1].at_ns if came else 0
    silence = f", and then nothing for {seconds(silent_ns)}" if silent_ns >= _WORTH_TELLING_NS else ""
    told = _names(came, without=facts.contradiction)
    if not came and facts.has_memory:
        return f"nothing arrived during the wait but what the protocol says by itself ({counted(number, 'message')})"
    if number != len(came):
        told = counted(number, "message") + (f", the latest of them {told}" if came else "")
    return f"what arrived during the wait: {told}{_last_words(facts)}{silence}"


def _last_words(facts: Explanation) -> str:
    """What the other side said last before the end of the connection, which may be why."""
    if not facts.history:
        return ""
    last = facts.history[-1]
    why = code_and_text(last)[1] if facts.outcome == "closed" and not sign_of_failure(last) else ""
    return f"; the last says {one_line(why, 160)!r}" if why and last.body is not why else ""


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
    nearest, wait = facts.nearest, facts.wait
    raised = wait.raised if isinstance(wait, MessageWait) else None
    if nearest is None or (raised is not None and raised[0] is nearest):
        return
    counts = ""
    if nearest.number <= wait.after:
        counts = " (unread, it would have counted)" if not facts.is_taken(nearest) else " (it had been taken)"
    number = f" (message {nearest.number})"
    yield ((f"nearest, {_when(nearest, wait)}{counts}: ", ""), (_name(nearest), "name"), (number, ""))
    yield from map(_indented, difference_lines(facts.nearest_differences, facts.mask))


def _refusal(message: Message | None) -> str:
    """The code and the text of a refusal, where its body has fields that look like them."""
    code, text = code_and_text(message)
    return one_line(text if str(code) and text.startswith(str(code)) else f"{code} {text}")


def _says_why(refusal: Message) -> bool:
    """Whether the refusal has a text for people, and not only a code."""
    return bool(code_and_text(refusal)[1].strip())


def _places(wait: Wait[Any], role: Role) -> Iterator[Line]:
    if wait.source is not None:
        yield ((f"at {wait.source}", role),)
    if wait.step is not None:
        is_elsewhere = wait.step.source and wait.step.source != wait.source
        place = f" at {wait.step.source}" if is_elsewhere else ""
        yield (("in the step ", ""), (one_line(wait.step.title), "step"), (place, "elsewhere"))


def _when(message: Message, wait: Wait[Any]) -> str:
    if message.number <= wait.after:
        return f"{seconds(max(wait.made_ns - message.at_ns, 0))} before the wait began"
    return f"{seconds(max(message.at_ns - wait.made_ns, 0))} after the wait began"


def said(message: Message | None) -> Line:
    """A message at a glance: its name, and a part of its body."""
    if message is None:
        return (("nothing", ""),)
    body = f" {one_line(_body(message.body), _LONGEST_BODY)}" if message.body is not None else ""
    return ((_name(message), "name"), (body, ""))


def _body(body: Any) -> str:
    """A body at a glance: a part of each of its fields."""
    if not isinstance(body, dict):
        return shorten(body)
    fields = (f"{shorten(key, 40)}: {shorten(value, 45)}" for key, value in islice(body.items(), _MOST_FIELDS))
    return f"{{{', '.join(fields)}{', …' if len(body) > _MOST_FIELDS else ''}}}"


def _name(message: Message) -> str:
    return message.name if message.name.isprintable() and len(message.name) <= _LONGEST_NAME else shorten(message.name)


def _names(messages: Sequence[Message], without: Message | None = None) -> str:
    """The messages by name, with what a failure says of why, but for `without`, whose reason is told already; what only
    says that somebody is there comes last."""
    told = [m for m in messages if not is_heartbeat(m.name)] + [m for m in messages if is_heartbeat(m.name)]
    times: dict[str, int] = {}
    for message in told:
        why = reason(message) if message is not without and sign_of_failure(message) else ""
        name = _name(message) + (f" ({why})" if why else "")
        times[name] = times.get(name, 0) + 1
    # What has no name is known by what it says: the latest for all of them.
    unnamed = next((message for message in reversed(told) if message.name == UNNAMED), None)
    says = {UNNAMED: f" ({why})"} if unnamed is not None and (why := reason(unnamed)) else {}
    parts = (name + (f" ×{count}" if count > 1 else "") + says.get(name, "") for name, count in times.items())
    return one_line(", ".join(parts), 300)


_MOST_CAUSES: Final = 16
"""So many lines are about the cause, so that there is room for the places."""
_MOST_FIELDS: Final = 20
_LONGEST_BODY: Final = 240
_LONGEST_NAME: Final = 80
_WORTH_TELLING_NS: Final = 100_000_000
