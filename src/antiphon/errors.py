"""What can go wrong, by whose fault it is.

One root, and a child for each party. Fields are data; the text is composed once and ends with a hint where there is
one. With the code that a command then exits with:

    AntiphonError               2   all that is raised on purpose
    ├── ScenarioError           2   the author's fault: a scenario, a parameter, a stand file, a command line
    ├── HandlerFailed           2   the author's fault, too: a handler raised something, which is the cause
    ├── TransportError          1   the wire's fault: it could not carry what it was given
    │   ├── SendBufferFull      1   the peer does not read as fast as we send
    │   └── ConnectFailed       3   nobody is there, or TLS fails, or no answer comes
    │       └── OpeningRefused  3   somebody is there, and refuses, in the words of the protocol
    │           └── UpgradeRefused  3   the same, by answering an upgrade with something else
    ├── DialectError            1   the bytes' fault: no such message can be read, or written
    ├── DialectFailed           2   the dialect's fault: its codec raised something, which is the cause
    ├── RecordingError          2   the disk's fault: a journal cannot be written, or read
    ├── ResourcesExhausted      2   the machine's fault: no more files, memory or threads
    ├── LoadInconclusive        5   the generator's fault: the numbers of a load may not be trusted
    └── ExpectationFailed       1   the peer's fault: it did not say what was expected (also an AssertionError)
        ├── DeadlinePassed      1   nothing that fits came in time
        ├── CheckFailed         1   it came, and is not what it should be
        ├── SoftChecksFailed    1   the same, collected until the end
        ├── ChannelClosed       1   the connection ended first
        ├── RequestRefused      1   it answered with its dialect's failure
        ├── ForbiddenMessage    1   it said what was ruled out
        ├── MessagesLeft        1   it said what nobody expected, in strict mode
        ├── ThresholdCrossed    4   under load, a number was not as good as it had to be
        └── FieldMissing        1   a field was read that its message does not have (also a KeyError)

ErrorReply stands apart: a handler raises it to answer a request with a failure, and nothing has gone wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

__all__ = [
    "AntiphonError",
    "ChannelClosed",
    "CheckFailed",
    "ConnectFailed",
    "DeadlinePassed",
    "DialectError",
    "DialectFailed",
    "ErrorReply",
    "ExpectationFailed",
    "FieldMissing",
    "ForbiddenMessage",
    "HandlerFailed",
    "Line",
    "LoadInconclusive",
    "MessagesLeft",
    "OpeningRefused",
    "Piece",
    "RecordingError",
    "RequestRefused",
    "ResourcesExhausted",
    "Role",
    "ScenarioError",
    "SendBufferFull",
    "SoftChecksFailed",
    "ThresholdCrossed",
    "TransportError",
    "UpgradeRefused",
    "behind",
    "in_pieces",
    "plain_line",
    "plain_text",
]

Role = Literal["", "name", "place", "elsewhere", "step", "found", "wanted", "late", "hint", "aside"]
"""What a piece of a failure's text is, for whoever gives it a colour or asks where something happened.

"place" is where it happened, "elsewhere" the place of something else; "found" is what was there instead of what was
"wanted"; an "aside" is what else ended with it.
"""

Piece = tuple[str, Role]
Line = tuple[Piece, ...]
"""A line of a failure's text, in pieces. The first line of a text says in short what failed."""

_AT_HOME: Final = frozenset({"run", "load", "explanation", "differences"})

_MANY_LINES: Final = 10
"""When soft checks have filled so many lines, the others are counted."""


class AntiphonError(Exception):
    """Root of everything that antiphon raises on purpose.

    `text` says what happened, `place` where (a file and line, a channel, a frame), `hint` what to do about it.
    `beside` is what went wrong elsewhere and may be why, in lines, once whoever performs the run has looked for it.
    `called_at` is the author's line that it went through where `place` is none, "" if `place` is one or nobody called.
    `step` is the business step that failed with it and that step's place, "" outside of steps; `run` the run that
    failed, once there is one.

    A copy, and what comes of it in another process (`pickle`), says the same, and has no run and no facts behind it.
    """

    def __init__(self, text: str, *, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.place = place
        self.hint = hint
        self.beside: Sequence[str] = ()
        self.called_at = ""
        self.step = ""
        self.run: Any = None

    def lines(self) -> list[Line]:
        """What it says, in lines of pieces; `str()` is their text."""
        lines = [*self._text_lines(), *((("  ", ""), (each, "found")) for each in self.beside)]
        if self.place:
            lines.append((("  ", ""), (f"at {self.place}", "place")))
        if self.called_at:
            lines.append((("  ", ""), (f"at {self.called_at}", "place")))
        if self.step:
            lines.append((("  in the step ", ""), (self.step, "step")))
        if self.hint:
            lines.append((("  ", ""), ("hint:", "hint"), (f" {self.hint}", "")))
        return lines

    def _text_lines(self) -> list[Line]:
        return [((each, ""),) for each in self.text.split("\n")]

    def __str__(self) -> str:
        return plain_text(self.lines())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({plain_text(self.lines()[:1])!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args), self._portable()

    def _portable(self) -> dict[str, Any]:
        """The fields without those that live in one process only."""
        return {name: None if name in _AT_HOME else value for name, value in vars(self).items()}


class ScenarioError(AntiphonError):
    """The author's fault: a scenario, a workflow, a parameter, a stand file or a command line that is wrong."""


class TransportError(AntiphonError):
    """The wire's fault: a connection that could not be made, or could not carry what it was given."""


class SendBufferFull(TransportError):
    """The peer does not read as fast as we send: more than the channel's `max_unsent_bytes` have not left."""


class ConnectFailed(TransportError):
    """A connection could not be opened: nobody listens, a name does not resolve, TLS fails, no answer in time."""


class OpeningRefused(ConnectFailed):
    """Somebody is there, and refuses: a login, a version, a session to be resumed.

    `code` is the protocol's own, a number or a word; `message` what it was said with, where that is a message. Raised
    by the `decode` of a codec that is not ready yet, it ends the connection, and is what opening the channel raises.
    """

    def __init__(
        self, code: int | str, text: str, message: Any = None, *, place: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(text, place=place, hint=hint)
        self.code = code
        self.message = message


class UpgradeRefused(OpeningRefused):
    """The peer answered an upgrade with something else than 101 (RFC 6455 section 4.2.2).

    `status` is the HTTP status, and the `code`; `headers` are the response's headers, `body` as much of its body as
    came with the header.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        place: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(status, text, place=place, hint=hint)
        self.status = status
        self.headers = headers
        self.body = body


class DialectError(AntiphonError):
    """The bytes' fault: data that the channel's dialect cannot read, or a body that it cannot write."""


class DialectFailed(AntiphonError):
    """The dialect's fault: its codec raised what is no DialectError, which is the cause (`__cause__`)."""


class RecordingError(AntiphonError):
    """The disk's fault: a run directory or a journal that cannot be written or read."""


class ResourcesExhausted(AntiphonError):
    """The machine's fault: it has no more files, memory or threads for us. The cause is what that made fail."""


class LoadInconclusive(AntiphonError):
    """The numbers of a load may not be trusted: `doubts` say why, `load` is the load."""

    def __init__(self, doubts: Sequence[str], load: Any) -> None:
        super().__init__("\n".join(["the numbers of this load may not be trusted:", *doubts]))
        self.doubts = tuple(doubts)
        self.load = load


class ExpectationFailed(AntiphonError, AssertionError):
    """The peer's fault: it did not say what was expected of it.

    `explanation` holds the facts (see `antiphon.conversation.explanation.Explanation`) when the failure is that of a
    wait; the text is taken from it when it is first needed, so that a message which comes soon after its deadline is
    still told of. `status` is that of an HTTP answer which should have had another, else 0.
    """

    status = 0

    def __init__(
        self, text: str, *, place: str | None = None, hint: str | None = None, explanation: Any = None
    ) -> None:
        super().__init__(text, place=place, hint=hint)
        self.explanation = explanation

    def lines(self) -> list[Line]:
        if self.explanation is not None:
            return list(self.explanation.lines())
        return super().lines()

    def _portable(self) -> dict[str, Any]:
        fields = super()._portable()
        if self.explanation is not None:  # all of its text is of that
            fields |= {"text": str(self), "place": None, "hint": None, "step": "", "called_at": "", "beside": ()}
        return fields


class DeadlinePassed(ExpectationFailed):
    """An expectation's deadline passed before a matching message came."""


class CheckFailed(ExpectationFailed):
    """The message that was selected is not what it should be; `explanation.differences` says where.

    Where nothing was awaited, as of a handler's message that does not fit its type, `differences` do.
    """

    differences: Sequence[Any] = ()


class ChannelClosed(ExpectationFailed):
    """The channel closed, or was not open, while something was expected of it or sent through it.

    `channel` is which one, ACTOR.CHANNEL, where something was sent.
    """

    channel = ""


class SoftChecksFailed(ExpectationFailed):
    """A scenario went on to its end, but soft checks had failed; `failures` are they, in order."""

    def __init__(self, failures: Sequence[CheckFailed]) -> None:
        self.failures = tuple(failures)
        told: list[Line] = []
        for number, failure in enumerate(self.failures):
            if len(told) > _MANY_LINES:
                told.append(((f"and {len(self.failures) - number} more, which the journal has", ""),))
                break
            told += failure.lines()[:_MANY_LINES]
        many = "1 soft check" if len(self.failures) == 1 else f"{len(self.failures)} soft checks"
        self._told: list[Line] = [((f"{many} failed", ""),), *((("  ", ""), *line) for line in told)]
        super().__init__(plain_text(self._told))

    def _text_lines(self) -> list[Line]:
        return in_pieces(self.text, self._told)


class MessagesLeft(ExpectationFailed):
    """In strict mode, messages were received that nobody expected; `messages` are they, oldest first.

    `repeated` are those of them that say what the one of that name before them said.
    """

    messages: Sequence[Any] = ()
    repeated: Sequence[Any] = ()


class ThresholdCrossed(ExpectationFailed):
    """A load was not as good as it had to be: `crossed` says so of each threshold, `load` is the load."""

    def __init__(self, crossed: Sequence[str], load: Any) -> None:
        super().__init__("\n".join(crossed))
        self.crossed = tuple(crossed)
        self.load = load


class RequestRefused(ExpectationFailed):
    """The peer answered a request with its dialect's failure; `message` is that answer."""

    message: Any = None


class ForbiddenMessage(ExpectationFailed):
    """A message came that a `forbid` or an `expect_none` ruled out; `message` is the message."""

    message: Any = None


class FieldMissing(ExpectationFailed, KeyError):
    """A field was read from a message that has no such field."""


class HandlerFailed(AntiphonError):
    """A handler raised; the original error is the cause (`__cause__`)."""


class ErrorReply(Exception):
    """Raised by a handler of a request to answer it with the dialect's failure.

    `code` and `message` go into the answer, and so do further fields; the connection and the run go on.
    """

    def __init__(self, code: int | str, message: str, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args), vars(self)


def _made_again(kind: type[Exception], args: tuple[Any, ...]) -> Exception:
    """An error without its fields, whatever its kind is made of otherwise."""
    return kind.__new__(kind, *args)


def plain_line(line: Line) -> str:
    """A line's text."""
    return "".join([text for text, _ in line])


def plain_text(lines: Iterable[Line]) -> str:
    """The text of the lines."""
    return "\n".join(map(plain_line, lines))


def behind(text: str, lines: Sequence[Line]) -> list[Line]:
    """The lines, with that text before the first."""
    first, *rest = lines
    return [((text, ""), *first), *rest]


def in_pieces(text: str, lines: Sequence[Line]) -> list[Line]:
    """The text, in the pieces of these lines as far as they say the same.

    Secrets are masked in a text as a whole, since one may stand across pieces. A line that was changed by that is one
    piece without a role; and so is every line, if a line was lost.
    """
    told = text.split("\n")
    if len(told) != len(lines):
        return [((each, ""),) for each in told]
    return [line if plain_line(line) == each else ((each, ""),) for each, line in zip(told, lines, strict=True)]
