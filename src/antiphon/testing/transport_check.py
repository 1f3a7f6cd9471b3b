"""What a check of a transport is: a coroutine function that raises AssertionError, and what it asks of the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from antiphon.testing.wires import Wires

__all__ = ["Check", "check"]


class Check:
    """A check to be awaited with `Wires`. It does nothing where the wire lacks one of `needs`, names of its flags."""

    def __init__(self, play: Callable[[Wires], Awaitable[None]], needs: tuple[str, ...]) -> None:
        self.needs = needs
        self.__name__: str = getattr(play, "__name__", repr(play))
        self.__doc__ = play.__doc__
        self._play = play

    def __repr__(self) -> str:
        return f"<Check {self.__name__}>"

    async def __call__(self, wires: Wires) -> None:
        if not self.missing(wires):
            await self._play(wires)

    def missing(self, wires: Wires) -> tuple[str, ...]:
        """What the check asks for and the wire lacks, so that a test can say that it skips it."""
        return tuple(flag for flag in self.needs if not getattr(wires, flag))


def check(*needs: str) -> Callable[[Callable[[Wires], Awaitable[None]]], Check]:
    """Makes a check of a function that plays a scene: with a listener, unless it asks for a `peer`."""
    all_needs = needs if "peer" in needs or "nowhere" in needs else ("listener", *needs)
    return lambda play: Check(play, all_needs)
