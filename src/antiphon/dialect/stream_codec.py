"""What codecs have in common that find the borders of messages in a stream by themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec
from antiphon.errors import DialectError, OpeningRefused

__all__ = ["StreamCodec"]


class StreamCodec(Codec):
    """A codec whose data may be cut anywhere.

    Where its grammar is broken nobody can tell where the next message begins: that ends the connection, and so does the
    peer's goodbye, or its refusal; whatever comes after it is not heard. A message whose borders are known and whose
    content cannot be read is given as an Unreadable, and the others count.
    """

    is_ready = False

    def __init__(self) -> None:
        self.debts: list[Message] = []
        self._is_refused = False

    def decode(self, data: Data) -> Iterator[Message]:
        try:
            messages = self.read(data.encode() if isinstance(data, str) else data)
            while not self._is_over() and (message := next(messages, None)) is not None:
                yield message
        except DialectError as error:
            self.ending = Ending(by="us", detail=str(error))
            raise
        except OpeningRefused:
            self._is_refused = True
            raise

    def owed(self) -> Iterable[Message]:
        debts, self.debts = self.debts, []
        return debts

    def _is_over(self) -> bool:
        return self._is_refused or self.ending is not None

    @abstractmethod
    def read(self, data: bytes) -> Iterator[Message]:
        """The messages that the data completes. Raises DialectError where the stream cannot be read any further."""
