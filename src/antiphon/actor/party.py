"""For whom a channel speaks: what its codecs may know of the actor, its user, and the connection before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from antiphon.actor.codec_failure import codec_failure
from antiphon.conversation.message import Message
from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.meeting import Meeting, Side
from antiphon.journal.masking import Masker

__all__ = ["Party"]


class Party:
    """One channel's actor: `fields` gives its attributes as they are now, `user` is who it is, None for nobody.

    `previous` is the codec of the channel's latest connection that was ready, `unanswered` those of its requests whose
    replies may come on the next one.
    """

    __slots__ = ("_masker", "fields", "previous", "unanswered", "user")

    def __init__(self, fields: Callable[[], Mapping[str, Any]], user: Any, masker: Masker) -> None:
        self.fields = fields
        self.user = user
        self.previous: Codec | None = None
        self.unanswered: Sequence[Message] = ()
        self._masker = masker

    def meet(
        self, dialect: Dialect, side: Side, address: str, headers: Mapping[str, str], subprotocols: Sequence[str]
    ) -> tuple[Meeting, Codec]:
        """A connection is on its way: what its codec is told, and the codec.

        What a dialect raises that is no error of ours is a bug of it.
        """
        masker = self._masker
        meeting = Meeting(
            side,
            address,
            headers=headers,
            subprotocols=subprotocols,
            fields=_Attributes(self.fields),
            user=self.user,
            previous=self.previous,
            unanswered=self.unanswered,
            hide=masker.learn,
        )
        try:
            codec = dialect.codec(meeting)
            codec.gives_messages  # noqa: B018 - whatever the types say: what is no codec is told here, and not later
        except Exception as error:
            raise codec_failure(dialect, error, "in its codec()") from error.__cause__
        # Else each codec would lead to the one before it, as long as anybody has the last.
        meeting.previous = None
        if side == "client":
            masker.learn_later(meeting.headers.copy().copy)
        return meeting, codec


class _Attributes(Mapping[str, Any]):
    """An actor's attributes, read when they are asked for: a codec that keeps its meeting would keep the actor, whose
    channel keeps the codec."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read = read

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())
