"""The requests whose replies are still to come."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator

from antiphon.conversation.message import Message
from antiphon.conversation.typed_waits import AskedExchange
from antiphon.conversation.waits import Exchange

__all__ = ["Exchanges"]

_MOST_ABANDONED = 256


class Exchanges(dict[Hashable, "Exchange | deque[Exchange]"]):
    """Exchanges by their key: the one of that key or, where several are open, a queue in the order of the requests.

    That is the order of the replies, too. A request is added by `setdefault`, and by `queue` if that finds another one;
    what a reply belongs to is found by `pop` where the reply is the last, by `get` where it is not, and `whose` says
    which exchange of that it is. What stands there by itself is pending: one that was given up is queued, also alone.

    An exchange that no one waits for any more stays in its place until its last reply has come: else a late reply would
    be taken for that to the next request of its kind. So, where messages have no id, a reply that is lost for ever puts
    the requests of its kind out of step until the connection is renewed. Of keys whose exchanges are all abandoned, the
    latest 256 are remembered.
    """

    __slots__ = ("_abandoned",)

    def __init__(self) -> None:
        self._abandoned: dict[Hashable, None] = {}

    def all(self) -> Iterator[Exchange]:
        """All of them, abandoned ones too."""
        for found in list(self.values()):
            yield from _listed(found)

    def queue(self, exchange: Exchange) -> None:
        """A request is sent whose key another one has that is under way."""
        found = self[exchange.key]
        if isinstance(found, deque):
            found.append(exchange)
        else:
            self[exchange.key] = deque((found, exchange))

    def whose(self, reply: Message, found: Exchange | deque[Exchange]) -> Exchange:
        """The first exchange of what was found for a reply: by `pop` if it is the last, which it is no more if its
        request says that it is provisional."""
        queue = found if isinstance(found, deque) else None
        # P5: of one key the replies come in the order of the requests, given up or not
        exchange: Exchange = found[0] if queue is not None else found  # type: ignore[assignment,index]
        if not reply.is_last:
            return exchange
        if isinstance(exchange, AskedExchange) and exchange.is_interim(reply):
            reply.is_last = reply.is_answer = False
            self[exchange.key] = found
        elif queue is not None:
            queue.popleft()
            if queue:
                self._put_back(exchange.key, queue)
        return exchange

    def abandon(self, exchange: Exchange) -> None:
        """No one waits for the exchange any more."""
        found = self[exchange.key]
        if not isinstance(found, deque):
            self[exchange.key] = deque((found,))
        self._remember(exchange.key)

    def forget(self, key: Hashable) -> None:
        """An exchange that was abandoned is over."""
        if key not in self:
            self._abandoned.pop(key, None)

    def withdraw(self, exchange: Exchange) -> None:
        """The request was never sent: there will be no reply."""
        found = self.pop(exchange.key)
        # Unlike one that was given up: no reply of it will come, so it holds no place.
        if isinstance(found, deque) and len(found) > 1:
            found.remove(exchange)
            self._put_back(exchange.key, found)
        else:
            self.forget(exchange.key)

    def keep_pending(self) -> list[Exchange]:
        """The connection has ended: so have they all but those that are pending, which the next one may carry on
        with; gives these."""
        pending = [exchange for exchange in self.all() if exchange.is_pending]
        self.clear()
        for exchange in pending:
            if self.setdefault(exchange.key, exchange) is not exchange:
                self.queue(exchange)
        return pending

    def clear(self) -> None:
        """The connection has ended: so have they all."""
        super().clear()
        self._abandoned.clear()

    def _put_back(self, key: Hashable, queue: deque[Exchange]) -> None:
        """The queue has become shorter by one, and has one at least."""
        self[key] = queue if len(queue) > 1 or not queue[0].is_pending else queue[0]
        self._remember(key)

    def _remember(self, key: Hashable) -> None:
        """The key may have none but abandoned exchanges now."""
        self._abandoned.pop(key, None)
        self._abandoned[key] = None
        if len(self._abandoned) > _MOST_ABANDONED:
            # Only the oldest key is looked at: to look for one without a pending request costs as much as there are.
            oldest = next(iter(self._abandoned))
            del self._abandoned[oldest]
            if not any(exchange.is_pending for exchange in _listed(self[oldest])):
                del self[oldest]


def _listed(found: Exchange | deque[Exchange]) -> list[Exchange]:
    return list(found) if isinstance(found, deque) else [found]
