"""The pending waits for a message, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import merge
from operator import attrgetter

from antiphon.conversation.field_index import LONG, FieldIndex, Fields, indexable_fields, values_at
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names
from antiphon.conversation.waits import MessageWait

__all__ = ["WaitIndex"]


class WaitIndex:
    """Who waits for a message: by its name and, where many wait for one name, by the values of the fields they want.
    A wait for one of several names stands under each of them.

    To add, to remove and to find the first that accepts a message takes the same time however many there are, if it is
    plain fields that they want.
    """

    __slots__ = ("_indexes", "_queues")

    def __init__(self) -> None:
        self._queues: dict[Names, dict[int, MessageWait]] = {}
        self._indexes: dict[Names, dict[Fields, FieldIndex[MessageWait]]] = {}

    def add(self, wait: MessageWait, name: Names) -> None:
        """Add a wait for that name, or for one of several, that was made after all others."""
        if name.__class__ is tuple:
            for one in name:
                self.add(wait, one)
            return
        queue = self._queues.get(name)
        if queue is None:
            self._queues[name] = {wait.order: wait}
            return
        queue[wait.order] = wait
        if name in self._indexes:
            self._note(wait, name)
        elif len(queue) > LONG:
            self._indexes[name] = {}
            for each in queue.values():
                self._note(each, name)

    def remove(self, wait: MessageWait, name: Names) -> None:
        """Remove a wait that was added so."""
        if name.__class__ is tuple:
            for one in name:
                self.remove(wait, one)
            return
        queue = self._queues[name]
        del queue[wait.order]
        if not queue:
            del self._queues[name]
            if self._indexes:
                self._indexes.pop(name, None)
        elif self._indexes:
            self._unnote(wait, name)

    def first(self, message: Message) -> MessageWait | None:
        """The first wait that accepts the message."""
        waits: Iterable[MessageWait]
        queues = self._queues
        # The usual case, without the merge: nobody waits for any message, and few wait for one of this name.
        if None not in queues and not self._indexes:
            if message.name not in queues:
                return None
            waits = queues[message.name].values()
        else:
            # P3: those who named the message and those who did not are served in the one order in which they asked.
            waits = merge(self._candidates(message.name, message), self._candidates(None, message), key=_by_order)
        for wait in waits:
            if wait.accepts(message):
                return wait
        return None

    def _candidates(self, name: str | None, message: Message) -> Iterable[MessageWait]:
        """Waits of that name among which are all that accept the message, in order."""
        indexes = self._indexes.get(name)
        if indexes is None:
            return self._queues.get(name, {}).values()
        body = message.body
        return merge(*(index.at(values_at(fields, body)).values() for fields, index in indexes.items()), key=_by_order)

    def _note(self, wait: MessageWait, name: Names) -> None:
        fields, values = indexable_fields(wait.where)
        self._indexes[name].setdefault(fields, FieldIndex()).add(wait.order, values, wait)

    def _unnote(self, wait: MessageWait, name: Names) -> None:
        indexes = self._indexes.get(name, {})
        for fields, index in list(indexes.items()):
            index.remove(wait.order)
            if not index:
                del indexes[fields]


_by_order = attrgetter("order")
