"""Waits that give a body as an instance of a type; requests that say more of their replies than the dialect does."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import msgspec

from antiphon.conversation.awaited import is_predicate
from antiphon.conversation.checks import Check, is_soft, why
from antiphon.conversation.match import DESCRIBED, Difference, matches
from antiphon.conversation.message import Message, Textual
from antiphon.conversation.names import B, names_told
from antiphon.conversation.nearest import NAME_PATH
from antiphon.conversation.quick_writes import quick_writes
from antiphon.conversation.typed import make_body, misfits, tag_of
from antiphon.conversation.waits import Exchange, MessageWait, Wait
from antiphon.conversation.wording import own_words

__all__ = ["AskedExchange", "TypedWait", "typed_body"]

Kinds = Mapping[str, Any]
"""The types of bodies by the names of their messages."""


def typed_body(kind: Any, message: Message) -> Any:
    """The message's body as an instance of the type. Raises what `make_body` does."""
    config = getattr(kind, "__struct_config__", None)
    # Where the tag is the message's name, the dialect has read it; a field of the body that is called alike is another.
    is_named_by_tag = config is not None and tag_of(kind) == message.name
    without = config.tag_field if config is not None and is_named_by_tag else None
    return make_body(kind, message.body, without, is_textual=isinstance(message, Textual))


class _Fit(Check):
    """What judges the message of a typed wait: whether its body fits the type, and then the check that was given.

    Made when somebody asks for it: one that is kept would lead from the wait back to the wait.
    """

    def __init__(self, wait: TypedWait | AskedExchange[Any]) -> None:
        self._wait = wait
        self._misfits: list[Difference] = []

    def __call__(self, body: Any) -> bool:
        wait, message = self._wait, self._wait.message
        assert message is not None
        kind = wait.kinds.get(message.name) if isinstance(wait.kinds, Mapping) else wait.kinds
        self._misfits = []
        if isinstance(wait, AskedExchange) and wait.trouble:
            self._misfits = [Difference("", {DESCRIBED: "what provisional= can judge"}, body, wait.trouble)]
            return False
        if kind is None:
            # Of several types, and no reply that any of them stands for.
            self._misfits = [Difference(NAME_PATH, {DESCRIBED: names_told(tuple(wait.kinds))}, message.name)]
            return False
        try:
            wait.value = typed_body(kind, message)
        except Exception as error:
            self._misfits = misfits(kind, body, error)
            return False
        return wait.judge is None or matches(wait.judge, body)

    def why(self, body: Any) -> list[Difference]:
        self(body)
        return self._misfits or why(self._wait.judge, body)

    @property
    def is_soft(self) -> bool:
        return not self._misfits and is_soft(self._wait.judge)


@quick_writes
class TypedWait(MessageWait):
    """For one message whose body is given as an instance of a type; `message` is the message itself.

    `kinds` are the types by name, `judge` is the check that was given, and `value` what awaiting it gives.
    """

    kinds: Kinds = msgspec.UNSET  # type: ignore[assignment]  # whoever makes one gives them
    judge: Any = None
    value: Any = None

    check = property(_Fit)  # what the mailbox judges the message by

    def __await__(self) -> Generator[Any, None, Any]:
        yield from Wait.__await__(self)
        return self.value

    def result(self) -> Any:
        Wait.result(self)
        return self.value


@quick_writes
class AskedExchange(Exchange[B]):
    """A request that says what type its answer is of (`kinds`, None for none), or which replies are `provisional`.

    kinds: one type, or several by the names of the replies that are of them.
    provisional: names of replies that do not answer it, or a pattern or predicate of their bodies.
    """

    kinds: Any = None
    provisional: Any = None
    judge: Any = None
    value: Any = None
    trouble: str = ""

    @property
    def _judged_by(self) -> Any:
        return self.judge if self.kinds is None and not self.trouble else _Fit(self)

    check = _judged_by  # what the mailbox judges the answer by

    @property
    def given_check(self) -> Any:
        return self.judge

    def is_judged_by(self, check: Any) -> None:
        self.judge, self.kinds = check, None

    def is_interim(self, reply: Message) -> bool:
        """Whether the request says that such a reply is followed by others; a refusal is not, whatever it says."""
        wanted = self.provisional
        if wanted is None or reply.is_failure:
            return False
        if isinstance(wanted, frozenset):
            return reply.name in wanted
        if not is_predicate(wanted):
            return matches(wanted, reply.body)
        try:
            return bool(wanted(reply.body))
        except Exception as error:  # it has not told: what came may be the answer, or not
            # Not the error, whose frames lead back here.
            self.trouble = f"it raised {type(error).__name__}: {own_words(error)}"
            return False

    def __await__(self) -> Generator[Any, None, Any]:
        message = yield from Wait.__await__(self)
        return message if self.kinds is None else self.value

    def result(self) -> Any:
        message = Wait.result(self)
        return message if self.kinds is None else self.value
