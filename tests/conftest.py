"""What tests of every kind share: how much hypothesis tries, and a mailbox worked by hand."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import antiphon
from antiphon.ending import Ending
from antiphon.mailbox import Ban, Mailbox
from antiphon.message import Message
from antiphon.waits import AbsenceWait, CloseWait, MessageWait, ReplyWait, UntilWait, Wait

# Everything is imported here, and not by whichever test comes first in whichever thread: CPython before 3.11.9 may fail
# to compile in two threads at once (https://github.com/python/cpython/issues/106905), and pytest rewrites our modules.
for module in pkgutil.walk_packages(antiphon.__path__, "antiphon."):
    if "example" not in module.name and not module.name.endswith("__main__"):
        import_module(module.name)

# `pytest --hypothesis-profile=deep` chooses the other one: 12,000 arrival orders, since there are four kinds of them.
# In CI the same examples are tried every time.
settings.register_profile("default", max_examples=100, deadline=None, derandomize="CI" in os.environ)
settings.register_profile(
    "deep", max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("default")


class Desk:
    """A mailbox and the time, both moved by hand; times are in seconds, and `Desk()` starts at 0."""

    def __init__(self, **sizes: int) -> None:
        self.mailbox = Mailbox("alice.desk", **sizes)
        self.now_ns = 0

    def at(self, now_s: float) -> Desk:
        """Let it be that time."""
        self.now_ns = round(now_s * 1e9)
        return self

    def expire(self, now_s: float) -> None:
        """Let it be that time, and deadlines pass."""
        self.at(now_s).mailbox.expire(self.now_ns)

    def close(self, code: int | None = 1000, reason: str = "") -> None:
        self.mailbox.close(Ending(code, reason, by="peer", is_clean=True), self.now_ns)

    # -- what comes in ------------------------------------------------------------------------------------------------

    def hear(self, name: str = "state", body: Any = None, **correlation: Any) -> Message:
        """A message comes."""
        message = Message(name, {} if body is None else body, "{}", at_ns=self.now_ns, **correlation)
        self.mailbox.deliver(message, self.now_ns)
        return message

    def reply(self, key: Any, body: Any = None, *, name: str = "reply", **correlation: bool) -> Message:
        """A reply comes: the last one, unless `is_last=False` says otherwise."""
        is_last = correlation.setdefault("is_last", True)
        correlation.setdefault("is_answer", is_last)
        return self.hear(name, body, reply_to=key, **correlation)

    # -- who waits ----------------------------------------------------------------------------------------------------

    def expect(self, name: str | None = "state", where: Any = None, **more: Any) -> MessageWait:
        wait = MessageWait(name, where, **self._timed(more))
        self.mailbox.expect(wait)
        return wait

    def expect_none(self, name: str | None = "state", where: Any = None, **more: Any) -> AbsenceWait:
        wait = AbsenceWait(name, where, **self._timed(more))
        self.mailbox.expect_none(wait)
        return wait

    def ask(self, key: Any, *, request: str = "call", body: Any = None, **more: Any) -> ReplyWait:
        wait = ReplyWait(Message(request, {} if body is None else body, "{}", asks=key), **self._timed(more))
        self.mailbox.expect_reply(wait)
        return wait

    def until(self, predicate: Callable[[], Any], text: str = "it is true", **more: Any) -> UntilWait:
        wait = UntilWait(predicate, text, **self._timed(more))
        self.mailbox.expect_until(wait)
        return wait

    def expect_close(self, code: int | None = None, **more: Any) -> CloseWait:
        wait = CloseWait(code, **self._timed(more))
        self.mailbox.expect_close(wait)
        return wait

    def forbid(self, name: str | None = "state", where: Any = None, **more: Any) -> Ban:
        return self.mailbox.forbid(AbsenceWait(name, where, made_ns=self.now_ns, deadline_ns=None, **more))

    def abandon(self, wait: Wait) -> None:
        self.mailbox.abandon(wait, self.now_ns)

    def _timed(self, more: dict[str, Any]) -> dict[str, Any]:
        within_s = more.pop("within_s", 5)
        deadline_ns = None if within_s is None else self.now_ns + round(within_s * 1e9)
        return {"made_ns": self.now_ns, "deadline_ns": deadline_ns, **more}

    # -- what came of it ----------------------------------------------------------------------------------------------

    def woken(self) -> list[Wait]:
        """The waits to wake, once each."""
        settled, self.mailbox.settled = self.mailbox.settled, []
        return settled

    @property
    def kept(self) -> list[int]:
        """The numbers of the messages that no one has taken."""
        return [message.number for message in self.mailbox.kept]


@pytest.fixture
def desk() -> Desk:
    """A mailbox worked by hand."""
    return Desk()


@pytest.fixture
def new_desk() -> type[Desk]:
    """Makes mailboxes of other sizes: `new_desk(limit=1, history=0)`."""
    return Desk
