"""Types that bodies have: msgspec structs, dataclasses, attrs classes, pydantic models, typed dicts.

Pydantic is known by `model_validate` and `model_dump` (its version 2), and never imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints, is_typeddict
from uuid import UUID

import msgspec

from antiphon.conversation.match import ABSENT, DESCRIBED, Difference
from antiphon.conversation.named_fields import named_fields
from antiphon.errors import ScenarioError

__all__ = [
    "class_name",
    "is_body_type",
    "is_typed",
    "literal_of",
    "make_body",
    "misfits",
    "plain_body",
    "require_whole",
    "tag_of",
]


def is_body_type(kind: Any) -> bool:
    """Whether it is a type that a body can have; also one with parameters, as `Page[Order]`."""
    origin = get_origin(kind) or kind
    if not isinstance(origin, type):
        return False
    has_fields = hasattr(origin, "__dataclass_fields__") or hasattr(origin, "__attrs_attrs__")
    return has_fields or issubclass(origin, msgspec.Struct) or _is_model(origin) or is_typeddict(origin)


def is_typed(value: Any) -> bool:
    """Whether it is an instance of such a type, typed dicts apart, which are dicts."""
    return not isinstance(value, (type, Mapping)) and is_body_type(value.__class__)


def class_name(kind: Any) -> str:
    """What the type is called in its class statement."""
    return str((get_origin(kind) or kind).__name__)


def tag_of(kind: Any) -> str | None:
    """The tag of a struct, if that is a text."""
    config = getattr(get_origin(kind) or kind, "__struct_config__", None)
    return config.tag if config is not None and isinstance(config.tag, str) else None


def literal_of(kind: Any, field: str) -> str | None:
    """The one text that a field may have by its annotation, as in `type: Literal["ping"]`."""
    try:
        annotation = get_type_hints(get_origin(kind) or kind).get(field)
    except (NameError, TypeError):  # a name that is defined nowhere: what needs it says so
        return None
    texts = get_args(annotation) if get_origin(annotation) is Literal else ()
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else None


def require_whole(kind: Any) -> None:
    """Raise ScenarioError for a type that no body can be made of, whatever is in it: an annotation names nothing."""
    if _is_model(kind):
        if not getattr(kind, "__pydantic_complete__", True) and not kind.model_rebuild(raise_errors=False):
            raise _unmakeable(kind, "an annotation of its fields names nothing that is defined")
        return
    try:
        msgspec.json.Decoder(kind)
    except Exception as error:
        raise _unmakeable(kind, f"{type(error).__name__}: {error}") from error


def _unmakeable(kind: Any, why: str) -> ScenarioError:
    text = f"no body can be made a {class_name(kind)}: {why}"
    return ScenarioError(text, hint="are the annotations of its fields such as msgspec.convert takes?")


# -- from what came to the type ---------------------------------------------------------------------------------------


def make_body(kind: Any, body: Any, without: str | None = None, *, is_textual: bool = False) -> Any:
    """The body as an instance of the type; nothing counts as an object without fields. The body stays as it is.

    without: a field that is not for the type to read. is_textual: numbers, booleans and the like may stand there as
    texts; for pydantic they always may. Raises what msgspec or pydantic raise for a body that does not
    fit; that the type itself is whole `require_whole` has seen to, when it was named.
    """
    if not is_typeddict(kind) and isinstance(body, get_origin(kind) or kind):
        return body
    if body is None:
        body = {}
    if without is not None and isinstance(body, Mapping) and without in body:
        body = {name: value for name, value in body.items() if name != without}
    if _is_model(kind):
        return kind.model_validate(body)
    return msgspec.convert(body, kind, strict=not is_textual, str_keys=True, from_attributes=True)


def misfits(kind: Any, body: Any, error: Exception) -> list[Difference]:
    """Where the body does not fit the type, by what `make_body` raised: msgspec tells the first place, pydantic all."""
    told: Any = getattr(error, "errors", None)
    if told is not None and _is_model(kind):
        return [_of_pydantic(kind, each) for each in told()]
    said, path = str(error), _steps("")
    place = _PLACE.search(said)
    if place is not None:
        said, path = said[: place.start()], _steps(place["path"])
    missing = _MISSING.fullmatch(said)
    if missing is not None:
        return [_misfit(kind, (*path, missing["field"]), ABSENT, "it must be there")]
    expected = _EXPECTED.fullmatch(said)
    if expected is not None:
        return [_wanted(path, expected["wanted"].replace("`", ""), _at(body, path))]
    return [_misfit(kind, path, _at(body, path), said.replace("`", ""))]


def _of_pydantic(kind: Any, told: Mapping[str, Any]) -> Difference:
    path, said = tuple(told.get("loc", ())), str(told.get("msg", ""))
    if told.get("type") == "missing":
        return _misfit(kind, path, ABSENT, "it must be there")
    wanted = said.removeprefix("Input should be ")
    if wanted != said:
        return _wanted(path, wanted, told.get("input"))
    return _misfit(kind, path, told.get("input"), said)


def _wanted(path: Sequence[Any], wanted: str, found: Any) -> Difference:
    return Difference(_path_text(path), {DESCRIBED: wanted}, found)


def _misfit(kind: Any, path: Sequence[Any], found: Any, because: str) -> Difference:
    return Difference(_path_text(path), {DESCRIBED: f"what fits {class_name(kind)}"}, found, because)


def _steps(path: str) -> tuple[Any, ...]:
    """`.calls[1].id` as its steps; where msgspec says only that it is in some value, the step is `...`."""
    return tuple((int(index) if index.isdecimal() else ...) if index else name for name, index in _STEP.findall(path))


def _at(body: Any, path: Iterable[Any]) -> Any:
    """What stands there; the last that can be found on the way."""
    for step in path:
        try:
            body = (named_fields(body) or body)[step]
        except (LookupError, TypeError):
            return body
    return body


def _path_text(path: Sequence[Any]) -> str:
    told = "".join(f".{step}" if isinstance(step, str) else "[…]" if step is ... else f"[{step}]" for step in path)
    return told.removeprefix(".")


# -- and back ---------------------------------------------------------------------------------------------------------


def plain_body(value: Any) -> Any:
    """A typed body in mappings, lists and values that a dialect can write; what is not typed comes back as it is.

    A model is written as pydantic does it for JSON, by its aliases. Raises ScenarioError for what cannot be written.
    """
    if not is_typed(value):
        return value
    try:
        if _is_model(value.__class__):
            return value.model_dump(mode="json", by_alias=True)
        return msgspec.to_builtins(value, builtin_types=_FOR_THE_DIALECT, enc_hook=plain_value)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        text = f"{class_name(value.__class__)} cannot be said: {error}"
        raise ScenarioError(text, hint="its fields must be such as msgspec.to_builtins writes") from error


def plain_value(value: Any) -> Any:
    """What a model inside of something is written as; TypeError for what nobody can write."""
    if _is_model(value.__class__):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, (tuple, frozenset)):  # where these are values, msgspec writes them itself
        raise TypeError("Only dicts with keys that are texts or numbers are supported")
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


def _is_model(kind: Any) -> bool:
    return hasattr(kind, "model_validate") and hasattr(kind, "model_dump")


_FOR_THE_DIALECT: Final = (bytes, bytearray, memoryview, Decimal, datetime, date, time, timedelta, UUID)
"""What each dialect writes in its own way: bytes are text in JSON, and bytes in MessagePack."""
_PLACE: Final = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`\Z")
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>.*)`")
_EXPECTED: Final = re.compile(r"(?s)Expected (?P<wanted>.*?)(?:, got .*)?")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")
