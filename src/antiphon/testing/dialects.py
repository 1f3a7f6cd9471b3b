"""What every dialect must do, as checks to run on one's own: functions that raise AssertionError.

    @pytest.mark.parametrize("check", dialects.CHECKS, ids=dialects.name_of)
    def test_contract(check):
        speech = Speech(Lines(), samples=[("DOOR", "open")], asks=("GET", "volume"), answer="5")
        if lacking := dialects.missing(check, speech):
            pytest.skip(f"this dialect lacks {' and '.join(lacking)}")
        check(speech)

Two codecs talk to each other, back to back, without I/O, and at last over a real channel. A `Speech` says what is
checked and what can be said in it; a check that asks for more than that passes without doing anything, and
`missing(check, speech)` tells what it asks for in vain. A dialect with one side only has a `Script` as its peer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from itertools import chain, islice
from typing import Any, Final

from antiphon.conversation.message import UNREADABLE, Data, Message, Withdrawal
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.errors import DialectError, ErrorReply, OpeningRefused
from antiphon.testing.conversing import converse, converse_over
from antiphon.testing.speech import Pair, Script, Speech, as_bytes, data_of, data_owed, feed, require

__all__ = ["CHECKS", "Script", "Speech", "converse_over", "missing", "name_of"]

Check = Callable[[Speech], None]


def name_of(check: Check) -> str:
    """The name of a check, for pytest's ids."""
    return check.__name__


def missing(check: Check, speech: Speech) -> tuple[str, ...]:
    """What the check asks for and the speech does not have, by the names of its fields: then nothing is checked."""
    return tuple(flag for flag in _NEEDS.get(check, ()) if not getattr(speech, flag))


_NEEDS: Final[dict[Check, tuple[str, ...]]] = {}


def _needs(*flags: str) -> Callable[[Check], Check]:
    """A check that is skipped where the speech lacks one of these."""

    def decorate(check: Check) -> Check:
        @wraps(check)
        def skipping(speech: Speech) -> None:
            if not missing(skipping, speech):
                check(speech)

        _NEEDS[skipping] = flags
        return skipping

    return decorate


# -- saying -----------------------------------------------------------------------------------------------------------


@_needs("samples", "has_codec_of_peer")
def what_is_said_is_heard(speech: Speech) -> None:
    """By a codec that has heard nothing before."""
    for name, body in speech.samples:
        require_same(_only(Pair(speech).tell(name, body)), name, body)


@_needs("samples", "has_codec_of_peer")
def order_is_kept_both_ways(speech: Speech) -> None:
    """Each message is heard as soon as its data is there."""
    pair = Pair(speech)
    # Thrice and both ways: state that is left over from a message shows in the next.
    for name, body in [*speech.samples] * 3:
        require_same(_only(pair.tell(name, body)), name, body)
        require_same(_only(pair.turned().tell(name, body)), name, body)


@_needs("samples", "has_codec_of_peer")
def a_bundle_is_heard_as_its_messages(speech: Speech) -> None:
    """Whatever the dialect makes of a bundle."""
    pair = Pair(speech)
    heard = pair.carry(pair.ours.bundle([pair.ours.encode(name, body) for name, body in speech.samples]))
    require(len(heard) == len(speech.samples), f"of a bundle of {len(speech.samples)} messages {len(heard)} were heard")
    for message, (name, body) in zip(heard, speech.samples, strict=True):
        require_same(message, name, body)


@_needs("samples", "is_stream", "has_codec_of_peer")
def a_stream_may_be_cut_anywhere(speech: Speech) -> None:
    """A message whose data comes in two pieces is heard once."""
    for name, body in speech.samples:
        whole = b"".join(map(as_bytes, data_of(Pair(speech).ours.encode(name, body))))
        # At every byte: where a length, a name or a character of several bytes begins is the dialect's affair.
        for cut in range(1, len(whole)):
            heard = Pair(speech).carry([whole[:cut], whole[cut:]])
            require(len(heard) == 1, f"{name}, cut after {cut} bytes, was heard {len(heard)} times")
            require_same(heard[0], name, body)


@_needs("samples")
def what_cannot_be_said_is_a_dialect_error(speech: Speech) -> None:
    """A body that the dialect cannot write raises DialectError; what it writes can go over a wire."""
    codec, (name, _) = Pair(speech).ours, speech.samples[0]
    for body in _odd_bodies():
        with _dialect_errors_only(body) as attempt:
            said = data_of(codec.encode(name, body))
        # A lone surrogate passes many writers, and stops at the wire, where nobody can tell whose it was.
        for data in said if attempt.is_fine else ():
            as_bytes(data)


# -- hearing ----------------------------------------------------------------------------------------------------------


@_needs("hears")
def what_the_peer_says_is_heard(speech: Speech) -> None:
    """As what it was written down as; of a stream wherever it is cut."""
    for data, name, body in speech.hears:
        require_same(_only(feed(Pair(speech).ours, [data])[0]), name, body)
        whole = as_bytes(data)
        for cut in range(1, len(whole)) if speech.is_stream else ():
            heard, _ = feed(Pair(speech).ours, [whole[:cut], whole[cut:]])
            require(len(heard) == 1, f"{name}, cut after {cut} bytes, was heard {len(heard)} times")
            require_same(heard[0], name, body)


def garbage_is_a_dialect_error(speech: Speech) -> None:
    """Nothing else is raised, whatever comes; and after it the codec works on."""
    pair = Pair(speech)
    for data in _garbage(speech):
        if speech.is_stream or speech.spans_frames:
            pair = Pair(speech)
        for message in _hear_garbage(_hearer(pair, speech), data):
            require(isinstance(message.name, str) and message.name != "", f"{data!r} was heard as {message.name!r}")
            is_whole = message.name != UNREADABLE or message.body == message.raw
            require(is_whole, f"the body of unreadable data is that data, not {message.body!r}")
        if not (speech.is_stream or speech.spans_frames):
            _require_hearing(pair, speech, f"after {data!r}, ")


def each_connection_has_its_own_codec(speech: Speech) -> None:
    """What happens on one connection does not touch another."""
    disturbed, quiet = Pair(speech), Pair(speech)
    require(disturbed.ours is not quiet.ours, "codec() gave the same codec twice")
    # Every fourth: what each does is checked above, here it only has to disturb.
    for data in islice(_garbage(speech), 0, None, 4):
        _hear_garbage(_hearer(disturbed, speech), data)
        _hear_garbage(disturbed.ours, data)
        _require_hearing(quiet, speech, "")
    if speech.asks is not None:
        pairs = [Pair(speech) for _ in range(2)]
        asked = [_ask(pair, speech) for pair in pairs]
        for pair, (request, received) in reversed([*zip(pairs, asked, strict=True)]):
            require_replies(_answers(pair, speech, received), request)


def a_codec_owes_data(speech: Speech) -> None:
    """What the protocol owes is data or messages, and its opening comes to an end."""
    pair = Pair(speech)
    require(pair.ours.is_ready and pair.theirs.is_ready, "the opening is over, but the codec is not ready")
    for codec in (pair.ours, pair.theirs):
        for data in data_owed(chain(codec.owed(), codec.heartbeat(), codec.closing())):
            as_bytes(data)


def a_goodbye_is_answered(speech: Speech) -> None:
    """What a protocol waits for before the connection is closed comes from the other side."""
    pair = Pair(speech)
    pair.carry(data_owed(pair.ours.closing()))
    require(pair.ours.is_done, "the goodbye was said, and the other side's is waited for in vain (is_done)")


# -- asking -----------------------------------------------------------------------------------------------------------


@_needs("asks")
def an_answer_belongs_to_its_request(speech: Speech) -> None:
    """Answers come in any order where requests have keys of their own, else in the order of the requests."""
    pair = Pair(speech)
    asked = [_ask(pair, speech) for _ in range(5 if speech.has_codec_of_peer else 1)]
    keys = [request.asks for request, _ in asked]
    if len(set(keys)) == len(keys):
        # In the order of the requests anybody can; ids are for when it is another (P5).
        asked.reverse()
    else:
        require(len(set(keys)) == 1, f"the keys must all differ, or be the same where order tells: {keys}")
    for request, received in asked:
        if received is not None and speech.asks is not None:
            require_same(received, *speech.asks)
        replies = _answers(pair, speech, received)
        require_replies(replies, request)
        answer = next(reply for reply in reversed(replies) if reply.is_answer)
        require(not answer.is_failure, f"the answer {answer.raw!r} is taken for a failure")
        require_body(answer, speech.answer)


@_needs("asks", "interim", "has_codec_of_peer")
def several_answers_belong_to_their_request(speech: Speech) -> None:
    """Those before the last do not end the exchange, the last one does."""
    pair = Pair(speech)
    request, received = _ask(pair, speech)
    assert received is not None
    for body in speech.interim:
        said = pair.theirs.answer_interim(received, body)
        require(not said.is_last, f"{said.raw!r} ends the exchange, and was to be an answer before the last")
        for reply in pair.turned().carry(data_of(said)):
            is_its = reply.reply_to == request.asks
            require(is_its, f"the reply to {request.asks!r} is heard as one to {reply.reply_to!r}")
            require(not reply.is_last, f"{reply.raw!r} ends the exchange, and others follow")
            require_body(reply, body)
    require_replies(_answers(pair, speech, received), request)


@_needs("asks", "cancels", "has_codec_of_peer")
def what_is_given_up_is_told(speech: Speech) -> None:
    """The peer understands it, and knows which request it is."""
    pair = Pair(speech)
    request, received = _ask(pair, speech)
    assert received is not None
    for data in data_owed(pair.ours.cancel(request)):
        try:
            heard = list(pair.theirs.decode(data))
        except DialectError as error:
            raise AssertionError(f"{shorten(data)} tells what was given up, and is not understood: {error}") from error
        for message in heard:
            is_its = not isinstance(message, Withdrawal) or message.withdraws == received.asks
            require(is_its, f"{message.raw!r} withdraws another request than {received.asks!r}")


@_needs("asks", "can_refuse", "has_codec_of_peer")
def a_refusal_is_a_failure(speech: Speech) -> None:
    """`ErrorReply` in a handler of the one side fails the request of the other."""
    pair = Pair(speech)
    request, received = _ask(pair, speech)
    assert received is not None
    refused = pair.turned().carry(data_of(pair.theirs.refuse(received, ErrorReply(*speech.refusal))))
    require_replies(refused, request)
    require(any(reply.is_failure for reply in refused), f"the refusal {refused[-1].raw!r} is not taken for a failure")


@_needs("asks", "both_ask", "has_codec_of_peer")
def a_request_of_the_peer_is_no_reply(speech: Speech) -> None:
    """Also when it has the id of a request of ours."""
    pair = Pair(speech)
    request, _ = _ask(pair, speech)
    _, received = _ask(pair.turned(), speech)
    assert received is not None
    # Both sides count from 1, so ids of theirs are ids of ours: an `ask` must not be answered by a question (P5).
    is_reply = received.reply_to is not None and received.reply_to == request.asks
    require(not is_reply, f"{received.raw!r} is taken for the reply to a request of our own")


@_needs("samples", "asks_nothing")
def what_does_not_correlate_says_so(speech: Speech) -> None:
    """Asking, answering and refusing raise DialectError where the dialect does not know how."""
    codec, (name, body) = Pair(speech).ours, speech.samples[0]
    said = codec.encode(name, body)
    attempts: list[Callable[[], Message]] = [
        lambda: codec.request(name, body),
        lambda: codec.answer(said, body),
        lambda: codec.answer_interim(said, body),
        lambda: codec.refuse(said, ErrorReply(*speech.refusal)),
    ]
    for attempt in attempts:
        try:
            attempt()
        except DialectError:
            continue
        raise AssertionError(f"{name} was asked or answered, though the dialect does not correlate: give `asks`")


def it_holds_a_conversation(speech: Speech) -> None:
    """Over a real channel, in virtual time: opened, spoken, asked and answered, its heart beating, and closed."""
    converse(speech)


CHECKS: Final[Sequence[Callable[[Speech], None]]] = (
    what_is_said_is_heard,
    order_is_kept_both_ways,
    a_bundle_is_heard_as_its_messages,
    a_stream_may_be_cut_anywhere,
    what_the_peer_says_is_heard,
    what_cannot_be_said_is_a_dialect_error,
    garbage_is_a_dialect_error,
    each_connection_has_its_own_codec,
    a_codec_owes_data,
    a_goodbye_is_answered,
    an_answer_belongs_to_its_request,
    several_answers_belong_to_their_request,
    what_is_given_up_is_told,
    a_refusal_is_a_failure,
    a_request_of_the_peer_is_no_reply,
    what_does_not_correlate_says_so,
    it_holds_a_conversation,
)
"""Each is called with a `Speech`, and raises AssertionError where the dialect does not keep the contract."""


# -- what must be so --------------------------------------------------------------------------------------------------


def _only(heard: Sequence[Message]) -> Message:
    require(len(heard) == 1, f"one message was said, {len(heard)} were heard: {[message.name for message in heard]}")
    return heard[0]


def require_same(heard: Message, name: str, body: Any) -> None:
    require(heard.name == name, f"{name} was heard as {heard.name}: {heard.raw!r}")
    require_body(heard, body)


def require_body(heard: Message, body: Any) -> None:
    is_same = bool(heard.body == body)
    if isinstance(body, Mapping) and isinstance(heard.body, Mapping):
        # A dialect may add to a body, a name or an id; what was said must be in it.
        is_same = all(key in heard.body and heard.body[key] == value for key, value in body.items())
    require(is_same, f"{heard.name} was said with {body!r} and heard with {heard.body!r}")


def require_replies(heard: Sequence[Message], request: Message) -> None:
    """What was heard is the answer to the request: all of it belongs to it, and the last piece ends it."""
    require(bool(heard), f"{request.name} was answered, and nothing was heard")
    for reply in heard:
        is_its = reply.reply_to == request.asks
        require(is_its, f"the reply to {request.asks!r} is heard as one to {reply.reply_to!r}")
        is_end = reply is heard[-1]
        require(reply.is_last == is_end, f"{reply.raw!r} {'does not end' if is_end else 'ends'} its exchange")
    require(any(reply.is_answer for reply in heard), f"{heard[-1].raw!r} is no answer")


# -- who asks and who hears -------------------------------------------------------------------------------------------


def _hearer(pair: Pair, speech: Speech) -> Codec:
    return pair.theirs if speech.has_codec_of_peer else pair.ours


def _require_hearing(pair: Pair, speech: Speech, where: str) -> None:
    """What is said is heard on this pair."""
    if speech.has_codec_of_peer and speech.samples:
        name, body = speech.samples[0]
        heard = pair.tell(name, body)
    elif speech.hears:
        data, name, body = speech.hears[0]
        heard, _ = feed(pair.ours, [data])
    else:
        return
    require(len(heard) == 1, f"{where}{name} was heard {len(heard)} times")
    require_same(heard[0], name, body)


def _ask(pair: Pair, speech: Speech) -> tuple[Message, Message | None]:
    """A request as it was sent, and as it was received; None for the latter where the peer has no codec."""
    assert speech.asks is not None
    request = pair.ours.request(*speech.asks)
    require(request.asks is not None, "a request without a key (`asks`): no reply can belong to it")
    heard = pair.carry(data_of(request))
    return request, _only(heard) if speech.has_codec_of_peer else None


def _answers(pair: Pair, speech: Speech, received: Message | None) -> list[Message]:
    """The answer to what the other side has received, as it comes back."""
    if received is None:  # the script has answered at once
        answers, pair.heard_back = pair.heard_back, []
        return answers
    return pair.turned().carry(data_of(pair.theirs.answer(received, speech.answer)))


# -- what no one meant ------------------------------------------------------------------------------------------------


def _hear_garbage(codec: Codec, data: Data) -> Sequence[Message]:
    heard: Sequence[Message] = ()
    with _dialect_errors_only(data):
        heard = list(codec.decode(data))
        list(codec.owed())
    return heard


class _Attempt:
    is_fine = False


@contextmanager
def _dialect_errors_only(what: Any) -> Iterator[_Attempt]:
    """Let DialectError pass, which says something, and nothing else."""
    attempt = _Attempt()
    try:
        yield attempt
        attempt.is_fine = True
    except (DialectError, OpeningRefused) as error:
        require(str(error) != "", f"the error for {shorten(what)} says nothing")
    except Exception as error:
        raise AssertionError(f"{shorten(what)} raised {type(error).__name__}, not DialectError: {error}") from error


def _garbage(speech: Speech) -> Iterator[Data]:
    """The usual suspects, noise, and what the dialect itself says, damaged; the same every time."""
    yield from _SUSPECTS
    # Deeper than a parser in C has stack for, if it recurses.
    yield "[" * 50_000
    yield '{"a":' * 50_000
    noise = random.Random(2)  # noqa: S311
    for size in (1, 2, 3, 8, 64, 512) * 4:
        yield noise.randbytes(size)
        # Below the surrogates, which no wire can carry.
        yield "".join(map(chr, noise.choices(range(0xD800), k=size)))
        yield "".join(noise.choices('{}[]":,.0123456789eE+- \\truefalsn\n', k=size))
    codec = Pair(speech).ours
    said = [codec.encode(name, body) for name, body in speech.samples]
    if speech.asks is not None:
        said.append(codec.request(*speech.asks))
    for data in chain((data for data, _, _ in speech.hears), chain.from_iterable(map(data_of, said))):
        yield from (_damage(data, noise) for _ in range(30))


def _damage(data: Data, noise: random.Random) -> Data:
    """The data with a piece cut out, doubled, or with something else in its place."""
    start, stop = sorted(noise.choices(range(len(data) + 1), k=2))
    if isinstance(data, bytes):
        return data[:start] + noise.choice((b"", data[start:stop] * 2, noise.randbytes(3))) + data[stop:]
    odd = noise.choice(("null", '"', "\\", "0", "1e400", "{}", "[]", "\x00", "\ufeff", "é", "\n"))
    return data[:start] + noise.choice(("", data[start:stop] * 2, odd)) + data[stop:]


def _odd_bodies() -> Iterator[Any]:
    yield from (object(), {"x": object()}, 10**400, {"x": float("nan")}, "\ud800", {"\ud800": 1}, b"\xff", None, 1, "")
    yield from ([1, {2: 3}], {(1, 2): 3}, {1, 2}, {"x": "line\nbreak"}, "line\nbreak", "\x00")
    endless: list[Any] = []
    # JSON has no form for it, and a writer that does not look never comes back.
    endless.append(endless)
    yield endless


_SUSPECTS: Final[Sequence[Data]] = (
    *("", " ", "\n", "\x00", "\ufeff", "\ufeff{}", "null", "true", "0", "-1", "1e400", "NaN", '""', '"', "[]", "{}"),
    *("[1,2", "[[]]", "[{}]", '{"', '{"a"', '{"a":', '{"":""}', "{'a': 1}", '{"a":1}{"b":2}', '"\\ud800"', "hello"),
    *("9" * 5_000, "GET / HTTP/1.1\r\n\r\n", "0 0 0", "-", ":", "::", ";", "\r\n\r\n"),
    *(b"", b"\x00", b"\xff", b"\xc3", b"\xef\xbb\xbf{}", b"{}", b"[]", b"\x80" * 64, b'{"a":"\xff"}', b"\r\n"),
)
