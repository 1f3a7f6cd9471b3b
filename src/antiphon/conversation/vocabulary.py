"""Which types of bodies stand for which messages on a channel, and what is made of them there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from antiphon.conversation.awaited import is_predicate
from antiphon.conversation.match import Difference
from antiphon.conversation.message import Message
from antiphon.conversation.names import HOW_TO_WAIT, Names, names_told, not_a_name
from antiphon.conversation.typed import class_name, is_body_type, is_typed, misfits, plain_body, require_whole, tag_of
from antiphon.conversation.typed_waits import AskedExchange, TypedWait, typed_body
from antiphon.conversation.waits import MessageWait
from antiphon.errors import CheckFailed, ScenarioError

__all__ = ["Types", "Vocabulary"]

Types = Mapping[str, Any] | Callable[[Any], str]
"""The types by the names of their messages, or a function that gives a type's name."""


class Vocabulary:
    """The names that types stand for.

    A type's name is what `types` says of it, else its own tag (msgspec), else what the dialect makes of it (`name_of`).
    Several names may be of one type: then it stands for all of them, and cannot be said without one.
    Raises ScenarioError for `types` that are none.
    """

    __slots__ = ("_known", "_name_of", "_types")

    def __init__(self, types: Types | None, name_of: Callable[[Any], str]) -> None:
        self._types = types
        self._name_of = name_of
        self._known: dict[Any, tuple[str, ...]] = {}
        if types is None or (callable(types) and not isinstance(types, Mapping)):
            return
        told: Any = types.items() if isinstance(types, Mapping) else [(types, None)]
        for name, kind in told:
            if not isinstance(name, str) or not is_body_type(kind):
                raise ScenarioError(
                    f"types= has the types of bodies by the names of their messages, not {name!r:.80}: {kind!r:.80}",
                    hint='types={"newCall": NewCall}; a type is a struct, dataclass, model or typed dict',
                )

    def names_of(self, kind: Any) -> tuple[str, ...]:
        """The names of the messages that the type stands for: one, as a rule."""
        found = self._known.get(kind)
        if found is None:
            require_whole(kind)  # it is the author's, and no message of the peer's can fit it
            found = self._known[kind] = self._find(kind)
        return found

    def _find(self, kind: Any) -> tuple[str, ...]:
        types = self._types
        if isinstance(types, Mapping):
            found = tuple(name for name, each in types.items() if each is kind or each == kind)
            if found:
                return found
        elif types is not None:
            named = types(kind)
            if not isinstance(named, str):
                raise ScenarioError(f"types= gave {named!r:.80} as the name of {class_name(kind)}, which is no text")
            return (named,)
        return (tag_of(kind) or self._name_of(kind),)

    # -- what is waited for -------------------------------------------------------------------------------------------

    def names(self, wanted: Any) -> Names:
        """The names of what is waited for. Raises ScenarioError for what is none of `Wanted`."""
        if wanted is None or wanted.__class__ is str:
            return wanted
        return _one_or_several(self.names_of(each) if is_body_type(each) else (each,) for each in _several(wanted))

    def kinds(self, wanted: Any) -> dict[str, Any]:
        """The types by name, if it is types that are waited for; empty if it is names."""
        several = _several(wanted)
        types = [each for each in several if is_body_type(each)]
        if types and len(types) != len(several):
            raise ScenarioError(
                f"names and types at once: {', '.join(map(_shown, several))}",
                hint="of names a wait gives the message, of types an instance: say all as the one or all as the other",
            )
        found: dict[str, Any] = {}
        for kind in types:
            for name in self.names_of(kind):
                if found.setdefault(name, kind) is not kind:
                    both = f"{class_name(found[name])} and {class_name(kind)}"
                    raise ScenarioError(f"{both} stand for the same message, {name}", hint=_SAY_TYPES)
        return found

    def wait(self, wanted: Any, where: Any, check: Any, since: int, **made: Any) -> MessageWait:
        """The wait for what is no single name; `made` is what every wait is given."""
        kinds, names = self.kinds(wanted), self.names(wanted)
        if kinds:
            return TypedWait(names, where, None, since, kinds=kinds, judge=check, **made)
        return MessageWait(names, where, check, since, **made)

    def bodies(self, wanted: Any, messages: list[Message], place: str) -> list[Any]:
        """What the messages give that were taken at that place: themselves, or instances of the types.

        Raises CheckFailed if one does not fit.
        """
        kinds = self.kinds(wanted) if wanted is not None and wanted.__class__ is not str else {}
        return [body_or_failure(kinds[each.name], each, place) for each in messages] if kinds else list(messages)

    # -- what is asked ------------------------------------------------------------------------------------------------

    def asks(self, reply: Any, provisional: Any) -> Callable[..., AskedExchange[Any]]:
        """What makes the exchange of a request that says so of its replies: takes what `Exchange` does."""
        kinds: Any = None
        if reply is not None:
            several = reply if isinstance(reply, tuple) else (reply,)
            if not several or not all(map(is_body_type, several)):
                text = f"reply= is the type of the answer, or several, not {reply!r:.80}"
                raise ScenarioError(text, hint=_FIELD.format("reply"))
            for kind in several:
                require_whole(kind)
            kinds = self.kinds(several) if isinstance(reply, tuple) else reply
        if isinstance(provisional, (str, tuple)) or is_body_type(provisional):
            names = self.names(provisional)
            provisional = frozenset(names if isinstance(names, tuple) else (names,))
        elif provisional is not None and not isinstance(provisional, Mapping) and not is_predicate(provisional):
            text = (
                f"provisional= has names of replies, or a pattern or predicate of their bodies, not {provisional!r:.80}"
            )
            raise ScenarioError(text, hint=_FIELD.format("provisional"))

        def make(request: Message, check: Any, **made: Any) -> AskedExchange[Any]:
            return AskedExchange(request, None, kinds=kinds, provisional=provisional, judge=check, **made)

        return make

    # -- what is said -------------------------------------------------------------------------------------------------

    def said(self, what: Any, body: Any, fields: Mapping[str, Any]) -> tuple[str, Any]:
        """The name and body of a message that is said as an instance of its type. A name comes back as it is.

        Raises ScenarioError for what is neither, for a type of several names, and if there is a body besides.
        """
        if isinstance(what, str):
            return what, body
        if not is_typed(what):
            raise not_a_name(what, 'send("hangUp", call=1), or send(HangUp(call=1)) with a type of your own')
        kind = what.__class__
        if body is not None or fields:
            raise ScenarioError(
                f"{class_name(kind)} is a message's whole body, and there is another one beside it",
                hint=f'send({class_name(kind)}(…)), or send("{self.names_of(kind)[0]}", …)',
            )
        names = self.names_of(kind)
        if len(names) > 1:
            text = f"{class_name(kind)} stands for {names_told(names)}: which of them is to be said is not clear"
            raise ScenarioError(text, hint=f'send("{names[0]}", {class_name(kind)}(…))')
        plain = plain_body(what)
        if tag_of(kind) == names[0] and isinstance(plain, dict):
            # The tag is the message's name: where that is written is for the dialect to say.
            plain.pop(kind.__struct_config__.tag_field, None)
        return names[0], plain


def body_or_failure(kind: Any, message: Message, place: str) -> Any:
    """The message's body as an instance of the type. Raises CheckFailed, which says where it does not fit."""
    try:
        return typed_body(kind, message)
    except Exception as error:
        found: list[Difference] = misfits(kind, message.body, error)
        text = f"{message.actor}.{message.channel} received {message.name}, but it is no {class_name(kind)}"
        failure = CheckFailed("\n  ".join([text, *map(str, found)]), place=place or None)
        failure.differences = found
        raise failure from error


def _several(wanted: Any) -> tuple[Any, ...]:
    """The names or types, one or more."""
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    if not several:
        raise ScenarioError("of no names at all there is no message", hint=HOW_TO_WAIT)
    for each in several:
        if not isinstance(each, str) and not is_body_type(each):
            hint = _SEVERAL if isinstance(each, (list, set, frozenset)) else HOW_TO_WAIT
            raise not_a_name(each, hint)
    return several


def _one_or_several(found: Iterable[tuple[str, ...]]) -> Names:
    names = tuple(dict.fromkeys(name for each in found for name in each))
    return names if len(names) > 1 else names[0]


def _shown(wanted: Any) -> str:
    return repr(wanted) if isinstance(wanted, str) else class_name(wanted)


_SAY_TYPES: Final = 'say which is which: WebSocket(…, types={"newCall": NewCall})'
_FIELD: Final = 'a field of that name is sent in a body: ask("call", {{"{0}": …}})'
_SEVERAL: Final = 'of several names make a tuple: expect(("accepted", "rejected"))'
