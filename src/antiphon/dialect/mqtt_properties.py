"""The properties of MQTT 5 (section 2.2.2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from antiphon.conversation.wording import shorten
from antiphon.dialect.mqtt_packets import TOO_LARGE, Packet, Reader, variable, write_binary, write_text
from antiphon.errors import DialectError

__all__ = ["read_properties", "write_properties"]

_PROPERTIES: Final = {
    **{
        number: (name, "byte")
        for number, name in [
            (1, "payload_format"),
            (23, "request_problem"),
            (25, "request_response"),
            (36, "maximum_qos"),
            (37, "retain_available"),
            (40, "wildcard_subscription_available"),
            (41, "subscription_identifiers_available"),
            (42, "shared_subscription_available"),
        ]
    },
    **{
        number: (name, "two")
        for number, name in [
            (19, "server_keep_alive"),
            (33, "receive_maximum"),
            (34, "topic_alias_maximum"),
            (35, "topic_alias"),
        ]
    },
    **{
        number: (name, "four")
        for number, name in [
            (2, "message_expiry"),
            (17, "session_expiry"),
            (24, "will_delay"),
            (39, "maximum_packet_size"),
        ]
    },
    **{
        number: (name, "text")
        for number, name in [
            (3, "content_type"),
            (8, "response_topic"),
            (18, "assigned_client_id"),
            (21, "authentication_method"),
            (26, "response_information"),
            (28, "server_reference"),
            (31, "reason"),
        ]
    },
    9: ("correlation_data", "binary"),
    22: ("authentication_data", "binary"),
    11: ("subscription_identifier", "variable"),
    38: ("user_properties", "pair"),
}
_BY_NAME: Final = {name: (number, form) for number, (name, form) in _PROPERTIES.items()}
_SIZES: Final = {"byte": 1, "two": 2, "four": 4}


def read_properties(reader: Reader) -> dict[str, Any]:
    """The properties, by name; `user_properties` is a list of pairs, as a name may stand there more than once."""
    size, found = reader.variable(), dict[str, Any]()
    inner = Reader(Packet("properties", 0, reader.take(size), b""))
    while inner.has_more:
        number = inner.variable()
        if number not in _PROPERTIES:
            raise reader.broken(f"{number} is no property")
        name, form = _PROPERTIES[number]
        if form == "pair":
            found.setdefault(name, []).append([inner.text(), inner.text()])
        elif form in _SIZES:
            found[name] = inner.number(_SIZES[form])
        else:
            read: Callable[[], Any] = getattr(inner, form)
            found[name] = read()
    return found


def write_properties(properties: Any) -> bytes:
    """The same, with their length before them. Raises DialectError for a name or value that MQTT does not have."""
    pieces = b""
    if not isinstance(properties, Mapping):
        raise DialectError(f"properties are fields, not {shorten(properties)}")
    for name, value in properties.items():
        if name not in _BY_NAME:
            raise DialectError(f"{name!r} is no property of MQTT 5", hint=f"they are {', '.join(sorted(_BY_NAME))}")
        number, form = _BY_NAME[name]
        try:
            if form == "pair":
                pairs = value.items() if isinstance(value, Mapping) else value
                pieces += b"".join(bytes([number]) + write_text(key) + write_text(text) for key, text in pairs)
            else:
                pieces += bytes([number]) + _write_value(form, value)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise DialectError(f"{shorten(value)} is no value of the property {name}: {error}") from error
    return variable(len(pieces)) + pieces


def _write_value(form: str, value: Any) -> bytes:
    if form == "text":
        return write_text(value)
    if form == "binary":
        return write_binary(value.encode() if isinstance(value, str) else bytes(memoryview(value)))
    number = int(value)
    if form == "variable":
        if not 0 < number < TOO_LARGE:
            raise ValueError("it is from 1 to 268,435,455")
        return variable(number)
    return number.to_bytes(_SIZES[form], "big")
