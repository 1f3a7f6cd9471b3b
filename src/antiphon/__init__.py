"""antiphon: conversations with message-driven systems, written once, performed as a test, a job or a load."""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.acting import action
    from antiphon.actor import ANY, Actor, on
    from antiphon.channel import Channel
    from antiphon.checking import check
    from antiphon.checks import Soft, soft
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
        MessagesLeft,
        RecordingError,
        Refusal,
        RequestRefused,
        ScenarioError,
        SoftChecksFailed,
        TransportError,
        UpgradeRefused,
    )
    from antiphon.handling import DEFERRED
    from antiphon.http_channel import HttpChannel, HttpReply
    from antiphon.listener import Server, listen
    from antiphon.match import ABSENT
    from antiphon.message import UNNAMED, UNREADABLE, Data, Message
    from antiphon.moments import at, repeat, within
    from antiphon.pending import Exchange, Pending, all_of, first_of
    from antiphon.references import saved
    from antiphon.rendezvous import await_signal, signal
    from antiphon.run import Run
    from antiphon.runner import perform, play
    from antiphon.scenarios import Scenario, scenario
    from antiphon.stand import Stand, load_stand
    from antiphon.step import Step
    from antiphon.transport.seam import Opening, Refused
    from antiphon.users import User
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
    "MessagesLeft",
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
    "Soft",
    "SoftChecksFailed",
    "Stand",
    "Step",
    "Text",
    "TransportError",
    "UpgradeRefused",
    "User",
    "WebSocket",
    "action",
    "all_of",
    "at",
    "await_signal",
    "call",
    "check",
    "expect",
    "first_of",
    "listen",
    "load_stand",
    "on",
    "perform",
    "play",
    "repeat",
    "saved",
    "scenario",
    "send",
    "signal",
    "soft",
    "together",
    "wait",
    "within",
]

# Each name is imported when it is first used: pytest loads our plugin at every start, and a project whose tests do not
# use antiphon should not wait for an HTTP client and two event loops.
_HOMES = {
    name: module
    for module, names in {
        "acting": "action",
        "actor": "ANY Actor on",
        "channel": "Channel",
        "checking": "check",
        "checks": "Soft soft",
        "declaration": "Accepted Http Line WebSocket",
        "dialect": "Codec Dialect Json JsonRpc Raw Text",
        "ending": "Ending",
        "errors": "AntiphonError ChannelClosed CheckFailed ConnectFailed DeadlinePassed DialectError "
        "ExpectationFailed FieldMissing ForbiddenMessage HandlerFailed MessagesLeft RecordingError Refusal "
        "RequestRefused ScenarioError SoftChecksFailed TransportError UpgradeRefused",
        "handling": "DEFERRED",
        "http_channel": "HttpChannel HttpReply",
        "listener": "Server listen",
        "match": "ABSENT",
        "message": "UNNAMED UNREADABLE Data Message",
        "moments": "at repeat within",
        "pending": "Exchange Pending all_of first_of",
        "run": "Run",
        "runner": "perform play",
        "references": "saved",
        "rendezvous": "await_signal signal",
        "scenarios": "Scenario scenario",
        "stand": "Stand load_stand",
        "step": "Step",
        "transport.seam": "Opening Refused",
        "users": "User",
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
