"""Entries and messages without their secrets: a mask for each kind, which is chosen once.

Nearly nothing that is recorded holds a secret. So each mask looks first, and as briefly as it can, whether that is
certain, and goes through what it is given piece by piece only where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec

from antiphon.conversation.awaited import where_as_data
from antiphon.conversation.message import Message
from antiphon.journal.arguments import mask_argument
from antiphon.journal.entries import Entry, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.masking import Masker

__all__ = ["Mask", "mask_entry", "mask_message", "mask_of", "mask_thoroughly"]

Mask = Callable[[Any, Masker], Any]
"""Gives what it is given without its secrets; the same object if it has none."""


@cache  # asked for every entry
def mask_of(kind: type) -> Mask:
    """The mask for what is recorded of this kind."""
    return mask_message if issubclass(kind, Message) else _MASKS.get(kind, mask_entry)


def mask_message(message: Message, masker: Masker) -> Message:
    """The message without its secrets; the message itself if it has none."""
    raw, body, clean = message.raw, message.body, masker.clean
    if message.name in clean and not message.frames:
        try:
            text: Any = raw if raw.__class__ is str else raw.decode()  # type: ignore[union-attr]
        except UnicodeDecodeError:
            return mask_thoroughly(message, masker)
        asks, reply_to = message.asks, message.reply_to
        if asks is not None and asks not in clean and isinstance(asks, str):
            text = f"{text}\n{asks}"
        if reply_to is not None and reply_to not in clean and isinstance(reply_to, str):
            text = f"{text}\n{reply_to}"
        if masker.is_without(None if body is raw else body, text):
            return message
    return mask_thoroughly(message, masker)


def mask_thoroughly(message: Message, masker: Masker) -> Message:
    """The same, field by field."""
    masker.learn_from(message.body)  # first: what its own data repeats of a secret field is masked too
    changes: dict[str, Any] = {}
    # What holds no secret comes back as the same object.
    if (name := masker.text(message.name)) is not message.name:
        changes["name"] = name
    # Before the data: what the body's texts teach, as those of a URL, may be escaped there.
    if (body := masker.value(message.body)) is not message.body:
        changes["body"] = body
    if (raw := masker.data(message.raw)) is not message.raw:
        changes["raw"] = raw
    if message.frames and (frames := tuple(masker.data(frame) for frame in message.frames)) != tuple(message.frames):
        changes["frames"] = frames
    for field in ("asks", "reply_to"):
        key: Hashable = getattr(message, field)
        if isinstance(key, str) and (masked := masker.text(key)) is not key:
            changes[field] = masked
    return msgspec.structs.replace(message, **changes) if changes else message


def mask_entry(entry: Entry, masker: Masker) -> Entry:
    """The entry without its secrets; the entry itself if it has none."""
    # A pattern becomes data before it is masked: what is described of it, as the repr of an object, may hold a secret.
    if isinstance(entry, WaitStarted) and entry.where is not None:
        entry = msgspec.structs.replace(entry, where=masker.value(where_as_data(entry.where)))
    changes: dict[str, Any] = {}
    if isinstance(entry, StepStarted) and entry.arguments != ():
        # As they are now: those in memory are made when they are read, and their values may be others by then.
        learnt = masker.learnt
        given = list(iter(entry.arguments))  # by its iterator, for a list asks for the length first, which makes them
        if masker.learnt != learnt:  # what the last of them taught may stand in the first
            given = list(iter(entry.arguments))
        changes["arguments"] = [mask_argument(masker, each.value, each.name, each.name) for each in given] or ()
    for name in _masked_fields(entry.__class__):
        value = getattr(entry, name)
        if isinstance(value, str):
            masked: Any = masker.text(value)
        elif isinstance(value, Mapping):
            masked = masker.headers(value) if "headers" in name else masker.value(value)
        elif isinstance(value, tuple):  # the names of which a wait is for one
            masked = tuple(map(masker.text, value))
        else:
            continue
        if masked is not value and masked != value:
            changes[name] = masked
    return msgspec.structs.replace(entry, **changes) if changes else entry


@cache
def _masked_fields(kind: type[Entry]) -> tuple[str, ...]:
    """The fields of such an entry that may hold a secret: all but numbers, truths, and words out of a few."""
    spared = (int, float, bool, NoneType)

    def may_hold_one(annotation: Any) -> bool:
        if get_origin(annotation) in (Union, UnionType):
            return any(map(may_hold_one, get_args(annotation)))
        return annotation not in spared and get_origin(annotation) is not Literal

    return tuple(field.name for field in msgspec.structs.fields(kind) if may_hold_one(field.type))


# -- kinds of which there are as many as messages ---------------------------------------------------------------------


def _mask_step(started: StepStarted, masker: Masker) -> Entry:
    if started.arguments == () and masker.clean.issuperset((started.actor, started.action, started.source)):
        return started
    return mask_entry(started, masker)


def _mask_wait(started: WaitStarted, masker: Masker) -> Entry:
    texts = (started.name or "", started.source, started.channel, started.actor, started.place)
    if started.where is None and masker.clean.issuperset(texts):
        return started
    return mask_entry(started, masker)


def _mask_end(ended: StepEnded | WaitEnded, masker: Masker) -> Entry:
    return ended if ended.error in masker.clean else mask_entry(ended, masker)


_MASKS: Final[dict[type, Mask]] = {
    StepStarted: _mask_step,
    StepEnded: _mask_end,
    WaitStarted: _mask_wait,
    WaitEnded: _mask_end,
}
