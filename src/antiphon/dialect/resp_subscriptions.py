"""SUBSCRIBE and its like, which RESP 3 answers by a push for each channel.

https://redis.io/docs/latest/develop/pubsub/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from antiphon.dialect.resp_values import Push

__all__ = ["CONFIRMED_BY_PUSHES", "Subscriptions"]

CONFIRMED_BY_PUSHES: Final = frozenset(
    {"subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"}
)
"""The commands, and the first words of their pushes."""


class Subscriptions:
    """The channels and patterns of one connection. Whoever subscribes and whoever is subscribed to keep the same."""

    def __init__(self) -> None:
        self._channels: dict[str, set[str | bytes]] = {"subscribe": set(), "psubscribe": set(), "ssubscribe": set()}

    def of(self, command: str) -> set[str | bytes]:
        """The channels that this command, or push, is one of."""
        return self._channels[command.replace("un", "")]

    def note(self, push: str, channel: Any) -> None:
        """A channel was subscribed to, or is not any more; None is for none."""
        if not isinstance(channel, (str, bytes)):
            return
        if "un" in push:
            self.of(push).discard(channel)
        else:
            self.of(push).add(channel)

    def confirm(self, command: str, channels: Sequence[Any]) -> list[Push]:
        """What answers that command; an end without channels is one of all."""
        confirmations = []
        if "un" in command:
            channels = channels or sorted(self.of(command), key=repr) or [None]
        for channel in channels:
            self.note(command, channel)
            confirmations.append(Push([command, channel, self._count(command)]))
        return confirmations

    def _count(self, command: str) -> int:
        """How many there are, of channels and patterns together, or of those of shards."""
        channels = self._channels
        return (
            len(channels["ssubscribe"])
            if command in _SHARDED
            else len(channels["subscribe"]) + len(channels["psubscribe"])
        )


_SHARDED: Final = frozenset({"ssubscribe", "sunsubscribe"})
