"""antiphon: conversations with message-driven systems, written once, performed as a test, a job or a load."""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.actor import ANY, Actor, action, on
    from antiphon.channel import Channel
    from antiphon.declaration import Accepted, Http, Line, WebSocket
    from antiphon.dialect import Codec, Dialect, Json, JsonRpc, Raw, Text
    from antiphon.ending import Ending
    from antiphon.errors import (
        AntiphonError,
        ChannelClosed,
        CheckFailed,
        ConnectFailed,
        DeadlinePassed,
        DialectError,
        ExpectationFailed,
        FieldMissing,
        ForbiddenMessage,
        HandlerFailed,
        RecordingError,
        Refusal,
        RequestRefused,
        ScenarioError,
        TransportError,
        UpgradeRefused,
    )
    from antiphon.handling import DEFERRED
    from antiphon.http_channel import HttpChannel, HttpReply
    from antiphon.listener import Server, listen
    from antiphon.match import ABSENT
    from antiphon.message import UNNAMED, UNREADABLE, Data, Message
    from antiphon.pending import Exchange, Pending, all_of, first_of
    from antiphon.references import saved
    from antiphon.run import Run
    from antiphon.runner import perform, play
    from antiphon.scenarios import Scenario, scenario
    from antiphon.stand import Stand, User, load_stand
    from antiphon.step import Step
    from antiphon.transport.seam import Opening, Refused
    from antiphon.workflow import call, expect, send, together, wait

__all__ = [
    "ABSENT",
    "ANY",
    "DEFERRED",
    "UNNAMED",
    "UNREADABLE",
    "Accepted",
    "Actor",
    "AntiphonError",
    "Channel",
    "ChannelClosed",
    "CheckFailed",
    "Codec",
    "ConnectFailed",
    "Data",
    "DeadlinePassed",
    "Dialect",
    "DialectError",
    "Ending",
    "Exchange",
    "ExpectationFailed",
    "FieldMissing",
    "ForbiddenMessage",
    "HandlerFailed",
    "Http",
    "HttpChannel",
    "HttpReply",
    "Json",
    "JsonRpc",
    "Line",
    "Message",
    "Opening",
    "Pending",
    "Raw",
    "RecordingError",
    "Refusal",
    "Refused",
    "RequestRefused",
    "Run",
    "Scenario",
    "ScenarioError",
    "Server",
    "Stand",
    "Step",
    "Text",
    "TransportError",
    "UpgradeRefused",
    "User",
    "WebSocket",
    "action",
    "all_of",
    "call",
    "expect",
    "first_of",
    "listen",
    "load_stand",
    "on",
    "perform",
    "play",
    "saved",
    "scenario",
    "send",
    "together",
    "wait",
]

# Each name is imported when it is first used: pytest loads our plugin at every start, and a project whose tests do not
# use antiphon should not wait for an HTTP client and two event loops.
_HOMES = {
    name: module
    for module, names in {
        "actor": "ANY Actor action on",
        "channel": "Channel",
        "declaration": "Accepted Http Line WebSocket",
        "dialect": "Codec Dialect Json JsonRpc Raw Text",
        "ending": "Ending",
        "errors": "AntiphonError ChannelClosed CheckFailed ConnectFailed DeadlinePassed DialectError "
        "ExpectationFailed FieldMissing ForbiddenMessage HandlerFailed RecordingError Refusal "
        "RequestRefused ScenarioError TransportError UpgradeRefused",
        "handling": "DEFERRED",
        "http_channel": "HttpChannel HttpReply",
        "listener": "Server listen",
        "match": "ABSENT",
        "message": "UNNAMED UNREADABLE Data Message",
        "pending": "Exchange Pending all_of first_of",
        "run": "Run",
        "runner": "perform play",
        "references": "saved",
        "scenarios": "Scenario scenario",
        "stand": "Stand User load_stand",
        "step": "Step",
        "transport.seam": "Opening Refused",
        "workflow": "call expect send together wait",
    }.items()
    for name in names.split()
}

# A library is quiet until its user configures logging.
logging.getLogger("antiphon").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"antiphon has no {name!r}")
    value = getattr(import_module(f"antiphon.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
