"""Dialects: how messages are encoded, named and correlated."""

from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.json import Json
from antiphon.dialect.jsonrpc import JsonRpc
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.plain import Raw, Text

__all__ = ["Codec", "Dialect", "Json", "JsonRpc", "Meeting", "Raw", "Text"]
