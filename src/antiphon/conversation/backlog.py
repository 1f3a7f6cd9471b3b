"""The messages that no one has taken, in their order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable
from heapq import merge
from operator import attrgetter

from antiphon.conversation.field_index import LONG, FieldIndex, Fields, bring_into_place, indexable_fields, values_at
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names
from antiphon.conversation.waits import AbsenceWait, MessageWait

__all__ = ["Backlog"]

_Queue = OrderedDict[int, Message]
_MOST_INDEXES = 8


class Backlog:
    """Messages by number, by name and, in a long queue, by the values of the fields that are asked for.

    To add the newest, to remove any, to drop the oldest and to find one by its name and plain fields takes the same
    time however many there are. `size_bytes` is the size of their raw data; a character counts as a byte.

    `ignored` are the messages that nobody needs to expect. They are looked for only when something must fall out.
    """

    __slots__ = ("_ignored", "_indexes", "_judged", "_queues", "_spare", "messages", "size_bytes")

    def __init__(self, ignored: Container[Message] = ()) -> None:
        self.messages: _Queue = OrderedDict()
        self.size_bytes = 0
        self._ignored = ignored
        self._spare: _Queue = OrderedDict()
        self._judged = 0
        """The newest message of which it is known whether it is ignored; `_spare` are those that are."""
        self._queues: dict[Names, _Queue] = {None: self.messages}
        self._indexes: dict[Names, dict[Fields, FieldIndex[Message]]] = {}

    def add(self, message: Message) -> None:
        """Keep a message that is newer than all others."""
        number, name = message.number, message.name
        self.messages[number] = message
        self.size_bytes += len(message.raw)
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = OrderedDict()
        queue[number] = message
        if self._indexes:  # a message of any name is also wanted by those who name none
            for indexed in (name, None):
                for fields, index in self._indexes.get(indexed, {}).items():
                    index.add(number, values_at(fields, message.body), message)

    def put_back(self, message: Message) -> None:
        """Keep a message again, in its old place among the others. Somebody wanted it, so it counts as not ignored."""
        # P10: it is as old as it was, so P2's "oldest" must meet it where it stood.
        self.add(message)
        bring_into_place(self.messages, message.number)
        bring_into_place(self._queues[message.name], message.number)

    def remove(self, message: Message) -> None:
        """Let go of a kept message."""
        number, name = message.number, message.name
        del self.messages[number]
        self.size_bytes -= len(message.raw)
        if self._spare:
            self._spare.pop(number, None)
        queue = self._queues[name]
        del queue[number]
        if self._indexes:
            for indexed in (name, None):
                for index in self._indexes.get(indexed, {}).values():
                    index.remove(number)
        if not queue:  # names may be as many as messages, where they hold an id
            del self._queues[name]
            self._indexes.pop(name, None)

    def has_spare(self) -> bool:
        """Whether any kept message is ignored."""
        self._judge()
        return bool(self._spare)

    def drop_oldest(self) -> None:
        """Let go of the oldest ignored message; of the oldest of all if none is ignored."""
        self.remove(next(iter((self._spare if self.has_spare() else self.messages).values())))

    def judge_anew(self) -> None:
        """More is ignored than before."""
        self._judged = 0
        self._spare.clear()

    def _judge(self) -> None:
        """Look at the messages that have come since the last time: each once, however often something falls out."""
        if not self._ignored:
            return
        for message in _after(self.messages, self._judged):
            self._judged = message.number
            if message in self._ignored:
                self._spare[message.number] = message

    def oldest(self, wait: MessageWait | AbsenceWait) -> Message | None:
        """The oldest message that the wait accepts."""
        for message in self._candidates(wait, wait.name):
            if wait.accepts(message):
                return message
        return None

    def fitting(self, wait: MessageWait) -> list[Message]:
        """Every message that the wait accepts, oldest first."""
        return [message for message in self._candidates(wait, wait.name) if wait.accepts(message)]

    def _candidates(self, wait: MessageWait | AbsenceWait, name: Names) -> Iterable[Message]:
        """Messages of that name, or of one of several, among which are all that the wait accepts; oldest first."""
        queue = self._queues.get(name)
        if not queue:
            if isinstance(name, tuple):  # P2: the oldest of all counts, whichever of the names it has
                return merge(*(self._candidates(wait, each) for each in name), key=_by_number)
            return ()
        # In a short queue, trying is quicker than looking up: most queues are, so most waits never make an index.
        if len(queue) > LONG:
            fields, values = indexable_fields(wait.where)
            if fields:
                queue = self._index(name, fields, queue).at(values)
            if wait.since:
                return _after(queue, wait.since)
        return queue.values()

    def _index(self, name: Names, fields: Fields, queue: _Queue) -> FieldIndex[Message]:
        """The index of a queue by these fields; made when it is first needed, and kept up from then on."""
        indexes = self._indexes.setdefault(name, {})
        index = indexes.get(fields)
        if index is None:
            if len(indexes) >= _MOST_INDEXES:  # wheres of ever new shapes would make every later message dearer
                del indexes[next(iter(indexes))]
            index = indexes[fields] = FieldIndex()
            for number, message in queue.items():
                index.add(number, values_at(fields, message.body), message)
        return index


def _after(queue: _Queue, number: int) -> list[Message]:
    """The messages after that number, found from the newest backwards: marks are mostly recent."""
    newer = []
    for each in reversed(queue):
        if each <= number:
            break
        newer.append(queue[each])
    newer.reverse()
    return newer


_by_number = attrgetter("number")
