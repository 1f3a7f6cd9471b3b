"""Whatever we ship is tried: each transport, framing and dialect by its kit on both loops, and by the fuzz; nobody is
forgotten.

What is tried stands in tables of other tests; they are read here, and compared with what there is.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from antiphon import dialect
from antiphon.dialect import event_stream, framing
from antiphon.dialect.framing import Framing
from antiphon.dialect.stream_codec import StreamCodec
from antiphon.transport.memory import MemoryNetwork

TESTS = Path(__file__).parents[1]
SEAMS = {"Codec", "Dialect", "Meeting", "Notation", "Structured"}

SCHEMES = {"http", "https", "tcp", "tcps", "unix", "stdio", "ws", "wss", "ws+unix", "wss+unix", "grpc", "grpcs"}
NOT_BY_THE_KIT = {
    "https": "HttpStreamListener has no TLS; the client's is that of Http, tried in tests/contract/test_tls.py",
    "grpcs": "the same streams; its TLS is tried in tests/contract/test_grpc.py",
}
"""Schemes for which no kit is run, and why."""


@cache
def tables(path: str) -> Any:
    """A module of tests, for what stands in it."""
    name = "tried_" + path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped_dialects() -> dict[str, type]:
    names = {name: getattr(dialect, name) for name in dialect.__all__ if name not in SEAMS}
    return {**names, "EventStream": event_stream.EventStream}


def shipped_framings() -> set[type]:
    return {
        each
        for module in (framing, event_stream)
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, Framing) and each is not Framing and name[0] != "_"
    }


def test_every_scheme_is_tried_by_the_kit_of_transports() -> None:
    registered = {
        entry.name
        for group in ("antiphon.transports", "antiphon.listeners")
        for entry in entry_points(group=group)
        if entry.value.startswith("antiphon.")
    }
    assert registered == SCHEMES
    contract = tables("contract/test_transports.py")
    kit = {name.partition(" ")[0] for name in contract.WIRES} | {"stdio"}  # a child process has a test of its own
    assert contract.test_a_child_process_keeps_the_contract
    assert kit - {"memory"} == registered - {*NOT_BY_THE_KIT}
    assert "memory" in kit
    assert MemoryNetwork


def test_every_dialect_is_tried_by_the_kit_and_over_a_real_wire_on_both_loops() -> None:
    speeches = tables("contract/test_dialects.py").SPEECHES.values()
    tried = {type(speech.dialect) for speech in speeches}
    assert {name for name, kind in shipped_dialects().items() if kind not in tried} == set()


def test_every_dialect_that_is_a_stream_is_cut_at_every_byte() -> None:
    """On a wire; all others have frames, from a wire or by a framing, whose kit cuts at every byte."""
    speeches = tables("contract/test_dialects.py").SPEECHES.values()
    streams = {
        type(speech.dialect)
        for speech in speeches
        if isinstance(speech.ours(), StreamCodec) or type(speech.dialect) is event_stream.EventStream
    }
    assert len(streams) > 3
    assert streams == {type(speech.dialect) for speech in speeches if speech.is_stream}


def test_every_framing_is_tried_by_its_kit_and_by_the_fuzz() -> None:
    for path in ("contract/test_framings.py", "deep/test_streams.py"):
        assert {type(each) for each in tables(path).FRAMINGS.values()} == shipped_framings(), path


def test_every_dialect_is_fuzzed_from_both_sides() -> None:
    parsers = tables("deep/test_parsers.py")
    fuzzed = {type(each).__name__ for each in parsers.DIALECTS.values()}
    streams = {name.split()[0] for name in parsers.STREAMS}
    by_hand = {"EventStream", "SocketIo"}
    assert tables("deep/test_streams.py").test_events
    assert parsers.test_socketio
    missing = {name for name in shipped_dialects() if name not in fuzzed | by_hand and name.lower() not in streams}
    assert missing == set()
    told = {name.split()[0] for name in (*parsers.DIALECTS, *parsers.STREAMS) if name.endswith("server")}
    two_sided = {
        type(speech.dialect).__name__
        for speech in tables("contract/test_dialects.py").SPEECHES.values()
        if speech.has_codec_of_peer and type(speech.ours()) is not type(speech.theirs())
    } & {*shipped_dialects()}
    assert len(two_sided) > 3
    assert {_short(name) for name in two_sided - by_hand} <= told


def _short(name: str) -> str:
    return {"GraphqlWs": "graphql", "JsonRpc": "rpc"}.get(name, name.lower())
