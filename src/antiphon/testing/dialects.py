"""What every dialect must do, as checks to run on one's own: functions that raise AssertionError.

    @pytest.mark.parametrize("check", dialects.CHECKS, ids=dialects.name_of)
    def test_contract(check):
        check(Speech(Lines(), samples=[("DOOR", "open")], asks=("GET", "volume"), answer="5"))

Two codecs talk to each other, back to back, without I/O. A `Speech` says what is checked and what can be said in it; a
check that asks for more than that passes without doing anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, Final

import msgspec

from antiphon.conversation.message import UNREADABLE, Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply

__all__ = ["CHECKS", "Speech", "name_of"]


class Speech(msgspec.Struct, eq=False):
    """A dialect and what can be said in it.

    `samples` are names and bodies that `send` takes; what is heard must be what was said, though a mapping may come
    with more fields. `asks` is the name and body of a request, None if the dialect does not say which replies belong
    to it; `answer` is the body of its answer, `refusal` the code and message of a refusal. `both_ask` tells that both
    sides may ask at a time, and neither takes the other's request for a reply. `is_stream` tells that a message may
    span data: it is heard wherever the data is cut, and what cannot be read may swallow what comes after it. `peer` is
    the dialect of the other side where that is another.
    """

    dialect: Dialect
    samples: Sequence[tuple[str, Any]]
    asks: tuple[str, Any] | None = None
    answer: Any = None
    refusal: tuple[int | str, str] = (404, "not found")
    both_ask: bool = True
    is_stream: bool = False
    peer: Dialect | None = None


def name_of(check: Callable[[Speech], None]) -> str:
    """The name of a check, for pytest's ids."""
    return check.__name__


# -- saying -----------------------------------------------------------------------------------------------------------


def what_is_said_is_heard(speech: Speech) -> None:
    """By a codec that has heard nothing before."""
    for name, body in speech.samples:
        _require_same(_only(_Pair(speech).tell(name, body)), name, body)


def order_is_kept_both_ways(speech: Speech) -> None:
    """Each message is heard as soon as its data is there."""
    pair = _Pair(speech)
    # Thrice and both ways: state that is left over from a message shows in the next.
    for name, body in [*speech.samples] * 3:
        _require_same(_only(pair.tell(name, body)), name, body)
        _require_same(_only(pair.turned().tell(name, body)), name, body)


def a_bundle_is_heard_as_its_messages(speech: Speech) -> None:
    """Whatever the dialect makes of a bundle."""
    pair = _Pair(speech)
    heard = pair.carry(pair.ours.bundle([pair.ours.encode(name, body) for name, body in speech.samples]))
    _require(
        len(heard) == len(speech.samples), f"of a bundle of {len(speech.samples)} messages {len(heard)} were heard"
    )
    for message, (name, body) in zip(heard, speech.samples, strict=True):
        _require_same(message, name, body)


def a_stream_may_be_cut_anywhere(speech: Speech) -> None:
    """A message whose data comes in two pieces is heard once."""
    for name, body in speech.samples if speech.is_stream else ():
        whole = b"".join(map(_as_bytes, _data_of(_Pair(speech).ours.encode(name, body))))
        # At every byte: where a length, a name or a character of several bytes begins is the dialect's affair.
        for cut in range(1, len(whole)):
            heard = _Pair(speech).carry([whole[:cut], whole[cut:]])
            _require(len(heard) == 1, f"{name}, cut after {cut} bytes, was heard {len(heard)} times")
            _require_same(heard[0], name, body)


def what_cannot_be_said_is_a_dialect_error(speech: Speech) -> None:
    """A body that the dialect cannot write raises DialectError; what it writes can go over a wire."""
    codec, (name, _) = _Pair(speech).ours, speech.samples[0]
    for body in _odd_bodies():
        with _dialect_errors_only(body) as attempt:
            said = _data_of(codec.encode(name, body))
        # A lone surrogate passes many writers, and stops at the wire, where nobody can tell whose it was.
        for data in said if attempt.is_fine else ():
            _as_bytes(data)


# -- hearing ----------------------------------------------------------------------------------------------------------


def garbage_is_a_dialect_error(speech: Speech) -> None:
    """Nothing else is raised, whatever comes; and after it the codec works on."""
    pair, (name, body) = _Pair(speech), speech.samples[0]
    for data in _garbage(speech):
        if speech.is_stream:
            pair = _Pair(speech)
        for message in _hear_garbage(pair.theirs, data):
            _require(isinstance(message.name, str) and message.name != "", f"{data!r} was heard as {message.name!r}")
            is_whole = message.name != UNREADABLE or message.body == message.raw
            _require(is_whole, f"the body of unreadable data is that data, not {message.body!r}")
        if not speech.is_stream:
            heard = pair.tell(name, body)
            _require(len(heard) == 1, f"after {data!r}, {name} was heard {len(heard)} times")
            _require_same(heard[0], name, body)


def each_connection_has_its_own_codec(speech: Speech) -> None:
    """What happens on one connection does not touch another."""
    disturbed, quiet = _Pair(speech), _Pair(speech)
    _require(disturbed.ours is not quiet.ours, "codec() gave the same codec twice")
    # Every fourth: what each does is checked above, here it only has to disturb.
    for data in islice(_garbage(speech), 0, None, 4):
        _hear_garbage(disturbed.theirs, data)
        _hear_garbage(disturbed.ours, data)
        name, body = speech.samples[0]
        _require_same(_only(quiet.tell(name, body)), name, body)
    if speech.asks is not None:
        pairs = [_Pair(speech) for _ in range(2)]
        asked = [pair.ask(speech.asks) for pair in pairs]
        for pair, (request, received) in reversed([*zip(pairs, asked, strict=True)]):
            _require_reply(pair.answer(received, speech.answer), request)


def a_codec_owes_data(speech: Speech) -> None:
    """What the protocol owes is data or messages, and its opening comes to an end."""
    pair = _Pair(speech)
    _require(pair.ours.is_ready and pair.theirs.is_ready, "the opening is over, but the codec is not ready")
    for codec in (pair.ours, pair.theirs):
        for data in _data_owed(chain(codec.owed(), codec.heartbeat(), codec.closing())):
            _as_bytes(data)


# -- asking -----------------------------------------------------------------------------------------------------------


def an_answer_belongs_to_its_request(speech: Speech) -> None:
    """Answers come in any order where requests have keys of their own, else in the order of the requests."""
    if speech.asks is None:
        return
    pair = _Pair(speech)
    asked = [pair.ask(speech.asks) for _ in range(5)]
    keys = [request.asks for request, _ in asked]
    if len(set(keys)) == len(keys):
        # In the order of the requests anybody can; ids are for when it is another (P5).
        asked.reverse()
    else:
        _require(len(set(keys)) == 1, f"the keys must all differ, or be the same where order tells: {keys}")
    for request, received in asked:
        _require_same(received, *speech.asks)
        answer = pair.answer(received, speech.answer)
        _require_reply(answer, request)
        _require(not answer.is_failure, f"the answer {answer.raw!r} is taken for a failure")
        _require_body(answer, speech.answer)


def a_refusal_is_a_failure(speech: Speech) -> None:
    """`ErrorReply` in a handler of the one side fails the request of the other."""
    if speech.asks is None:
        return
    pair = _Pair(speech)
    request, received = pair.ask(speech.asks)
    refusal = _only(pair.turned().carry(_data_of(pair.theirs.refuse(received, ErrorReply(*speech.refusal)))))
    _require_reply(refusal, request)
    _require(refusal.is_failure, f"the refusal {refusal.raw!r} is not taken for a failure")


def a_request_of_the_peer_is_no_reply(speech: Speech) -> None:
    """Also when it has the id of a request of ours."""
    if speech.asks is None or not speech.both_ask:
        return
    pair = _Pair(speech)
    request, _ = pair.ask(speech.asks)
    _, received = pair.turned().ask(speech.asks)
    # Both sides count from 1, so ids of theirs are ids of ours: an `ask` must not be answered by a question (P5).
    is_reply = received.reply_to is not None and received.reply_to == request.asks
    _require(not is_reply, f"{received.raw!r} is taken for the reply to a request of our own")


def what_does_not_correlate_says_so(speech: Speech) -> None:
    """Asking, answering and refusing raise DialectError where the dialect does not know how."""
    if speech.asks is not None:
        return
    codec, (name, body) = _Pair(speech).ours, speech.samples[0]
    said = codec.encode(name, body)
    attempts: list[Callable[[], Message]] = [
        lambda: codec.request(name, body),
        lambda: codec.answer(said, body),
        lambda: codec.refuse(said, ErrorReply(*speech.refusal)),
    ]
    for attempt in attempts:
        try:
            attempt()
        except DialectError:
            continue
        raise AssertionError(f"{name} was asked or answered, though the dialect does not correlate: give `asks`")


CHECKS: Final[Sequence[Callable[[Speech], None]]] = (
    what_is_said_is_heard,
    order_is_kept_both_ways,
    a_bundle_is_heard_as_its_messages,
    a_stream_may_be_cut_anywhere,
    what_cannot_be_said_is_a_dialect_error,
    garbage_is_a_dialect_error,
    each_connection_has_its_own_codec,
    a_codec_owes_data,
    an_answer_belongs_to_its_request,
    a_refusal_is_a_failure,
    a_request_of_the_peer_is_no_reply,
    what_does_not_correlate_says_so,
)


# -- two sides --------------------------------------------------------------------------------------------------------


class _Pair:
    """Two codecs back to back, their opening done."""

    def __init__(self, speech: Speech) -> None:
        self.ours = speech.dialect.codec(Meeting("client"))
        self.theirs = (speech.peer if speech.peer is not None else speech.dialect).codec(Meeting("server"))
        to_ours, to_theirs = _data_owed(self.theirs.opening()), _data_owed(self.ours.opening())
        for _ in range(_MOST_TURNS):
            if not to_ours and not to_theirs:
                return
            to_ours, to_theirs = _feed(self.theirs, to_theirs)[1], _feed(self.ours, to_ours)[1]
        raise AssertionError(f"the opening has not ended after {_MOST_TURNS} turns")

    def turned(self) -> _Pair:
        """The same two, seen from the other side."""
        # Not by way of `__init__`, which would open a second connection.
        turned = object.__new__(_Pair)
        turned.ours, turned.theirs = self.theirs, self.ours
        return turned

    def carry(self, said: Sequence[Data]) -> list[Message]:
        """What the other side hears of this; what the protocol owes after it goes to and fro."""
        heard, owed = _feed(self.theirs, said)
        for _ in range(_MOST_TURNS):
            if not owed:
                return heard
            owed = _feed(self.theirs, _feed(self.ours, owed)[1])[1]
        raise AssertionError(f"after {_MOST_TURNS} turns the two sides still owe each other data")

    def tell(self, name: str, body: Any) -> list[Message]:
        return self.carry(_data_of(self.ours.encode(name, body)))

    def ask(self, asks: tuple[str, Any]) -> tuple[Message, Message]:
        """A request as it was sent, and as it was received."""
        request = self.ours.request(*asks)
        _require(request.asks is not None, "a request without a key (`asks`): no reply can belong to it")
        return request, _only(self.carry(_data_of(request)))

    def answer(self, received: Message, body: Any) -> Message:
        """The answer to what the other side has received, as it comes back."""
        return _only(self.turned().carry(_data_of(self.theirs.answer(received, body))))


def _feed(codec: Codec, said: Sequence[Data]) -> tuple[list[Message], list[Data]]:
    heard: list[Message] = []
    owed: list[Data] = []
    for data in said:
        try:
            # What a protocol says by itself reaches no mailbox, so no check may ask for it.
            heard += [message for message in codec.decode(data) if not message.is_protocol]
        except DialectError as error:
            raise AssertionError(
                f"{shorten(data)} was said in the dialect itself, and not understood: {error}"
            ) from error
        owed += _data_owed(codec.owed())
    return heard, owed


def _data_of(message: Message) -> Sequence[Data]:
    return message.frames if message.frames is not None else (message.raw,)


def _data_owed(owed: Iterable[Data | Message]) -> list[Data]:
    return [data for each in owed for data in (_data_of(each) if isinstance(each, Message) else (each,))]


def _as_bytes(data: Data) -> bytes:
    _require(isinstance(data, (str, bytes)), f"data is str or bytes, not {type(data).__name__}")
    try:
        return data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        raise AssertionError(f"{data!r} cannot go over a wire as text: {error}") from error


# -- what must be so --------------------------------------------------------------------------------------------------


def _require(is_so: bool, text: str) -> None:
    if not is_so:
        raise AssertionError(text)


def _only(heard: Sequence[Message]) -> Message:
    _require(len(heard) == 1, f"one message was said, {len(heard)} were heard: {[message.name for message in heard]}")
    return heard[0]


def _require_same(heard: Message, name: str, body: Any) -> None:
    _require(heard.name == name, f"{name} was heard as {heard.name}: {heard.raw!r}")
    _require_body(heard, body)


def _require_body(heard: Message, body: Any) -> None:
    is_same = bool(heard.body == body)
    if isinstance(body, Mapping) and isinstance(heard.body, Mapping):
        # A dialect may add to a body, a name or an id; what was said must be in it.
        is_same = all(key in heard.body and heard.body[key] == value for key, value in body.items())
    _require(is_same, f"{heard.name} was said with {body!r} and heard with {heard.body!r}")


def _require_reply(heard: Message, request: Message) -> None:
    _require(heard.reply_to == request.asks, f"the reply to {request.asks!r} is heard as one to {heard.reply_to!r}")
    _require(heard.is_answer and heard.is_last, f"{heard.raw!r} does not end its exchange")


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
    except DialectError as error:
        _require(str(error) != "", f"the error for {shorten(what)} says nothing")
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
    codec = _Pair(speech).ours
    said = [codec.encode(name, body) for name, body in speech.samples]
    if speech.asks is not None:
        said.append(codec.request(*speech.asks))
    for data in chain.from_iterable(map(_data_of, said)):
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


_MOST_TURNS: Final = 100
_SUSPECTS: Final[Sequence[Data]] = (
    *("", " ", "\n", "\x00", "\ufeff", "\ufeff{}", "null", "true", "0", "-1", "1e400", "NaN", '""', '"', "[]", "{}"),
    *("[1,2", "[[]]", "[{}]", '{"', '{"a"', '{"a":', '{"":""}', "{'a': 1}", '{"a":1}{"b":2}', '"\\ud800"', "hello"),
    *("9" * 5_000, "GET / HTTP/1.1\r\n\r\n", "0 0 0", "-", ":", "::", ";", "\r\n\r\n"),
    *(b"", b"\x00", b"\xff", b"\xc3", b"\xef\xbb\xbf{}", b"{}", b"[]", b"\x80" * 64, b'{"a":"\xff"}', b"\r\n"),
)
