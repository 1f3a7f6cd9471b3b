"""The requests whose replies are still to come."""

from __future__ import annotations

from collections.abc import Hashable

from antiphon.conversation.waits import ReplyWait

__all__ = ["Exchanges"]

_MOST_ABANDONED = 256


class Exchanges:
    """Exchanges by their key; of one key, in the order of the requests, which is the order of the replies.

    An exchange that no one waits for any more stays in its place until its last reply has come: else a late reply would
    be taken for that to the next request of its kind. So, where messages have no id, a reply that is lost for ever puts
    the requests of its kind out of step until the connection is renewed. Of keys whose exchanges are all abandoned, the
    latest 256 are remembered.
    """

    __slots__ = ("_abandoned", "_queues")

    def __init__(self) -> None:
        self._queues: dict[Hashable, list[ReplyWait]] = {}
        self._abandoned: dict[Hashable, None] = {}

    def add(self, exchange: ReplyWait) -> None:
        """A request is sent."""
        key = exchange.request.asks
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = [exchange]
        else:
            queue.append(exchange)

    def of(self, key: Hashable, is_last: bool) -> ReplyWait | None:
        """The exchange that a reply with that key belongs to; with its last reply it is over."""
        queue = self._queues.get(key)
        if queue is None:
            return None
        exchange = queue[0]  # P5: of one key the replies come in the order of the requests, given up or not
        if is_last:
            if len(queue) > 1:
                del queue[0]
                self._remember(key)
            else:
                del self._queues[key]
                if self._abandoned:
                    self._abandoned.pop(key, None)
        return exchange

    def abandon(self, exchange: ReplyWait) -> None:
        """No one waits for the exchange any more."""
        self._remember(exchange.key)

    def withdraw(self, exchange: ReplyWait) -> None:
        """The request was never sent: there will be no reply."""
        queue = self._queues[exchange.key]
        queue.remove(exchange)  # unlike one that was given up: no reply of it will come, so it holds no place
        if queue:
            self._remember(exchange.key)
        else:
            self._forget(exchange.key)

    def clear(self) -> None:
        """The connection has ended: so have they all."""
        self._queues.clear()
        self._abandoned.clear()

    def _remember(self, key: Hashable) -> None:
        """The key may have none but abandoned exchanges now."""
        self._abandoned.pop(key, None)
        self._abandoned[key] = None
        if len(self._abandoned) > _MOST_ABANDONED:
            # Only the oldest key is looked at: to look for one without a pending request costs as much as there are.
            oldest = next(iter(self._abandoned))
            del self._abandoned[oldest]
            if not any(exchange.is_pending for exchange in self._queues[oldest]):
                del self._queues[oldest]

    def _forget(self, key: Hashable) -> None:
        del self._queues[key]
        self._abandoned.pop(key, None)
