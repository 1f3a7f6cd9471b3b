"""antiphon: conversations with message-driven systems, written once, performed as a test, a job or a load."""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.actor.actor import Actor
    from antiphon.actor.answers import DEFERRED
    from antiphon.actor.backoff import Backoff
    from antiphon.actor.channel import Channel
    from antiphon.actor.declarations import Accepted, Http, Link, WebSocket
    from antiphon.actor.handlers import ANY, on
    from antiphon.actor.http_channel import HttpChannel
    from antiphon.actor.server import Server, listen
    from antiphon.conversation.checks import Soft, soft
    from antiphon.conversation.ending import Ending
    from antiphon.conversation.http_response import HttpResponse
    from antiphon.conversation.match import ABSENT
    from antiphon.conversation.message import UNNAMED, UNREADABLE, Data, Message, Unreadable, Withdrawal
    from antiphon.conversation.waits import Exchange, Wait
    from antiphon.dialect import (
        Cbor,
        Codec,
        Dialect,
        GraphqlWs,
        Json,
        JsonRpc,
        Lsp,
        Meeting,
        MessagePack,
        Mqtt,
        Ocpp,
        Protobuf,
        Raw,
        Resp,
        SocketIo,
        Stomp,
        Text,
        Xml,
    )
    from antiphon.errors import (
        AntiphonError,
        ChannelClosed,
        CheckFailed,
        ConnectFailed,
        DeadlinePassed,
        DialectError,
        DialectFailed,
        ErrorReply,
        ExpectationFailed,
        FieldMissing,
        ForbiddenMessage,
        HandlerFailed,
        LoadInconclusive,
        MessagesLeft,
        OpeningRefused,
        RecordingError,
        RequestRefused,
        ResourcesExhausted,
        ScenarioError,
        SendBufferFull,
        SoftChecksFailed,
        ThresholdCrossed,
        TransportError,
        UpgradeRefused,
    )
    from antiphon.load.feed import feed
    from antiphon.load.loads import Load, perform_load, play_load
    from antiphon.load.part import part
    from antiphon.load.plan import Plan
    from antiphon.runtime.wait_groups import all_of, first_of
    from antiphon.scenarios.action import action
    from antiphon.scenarios.run import Run
    from antiphon.scenarios.runner import perform, play
    from antiphon.scenarios.saved import saved
    from antiphon.scenarios.scenario import Scenario, scenario
    from antiphon.scenarios.signal_steps import await_signal, signal
    from antiphon.scenarios.step import Step
    from antiphon.scenarios.timed_steps import at, repeat, within
    from antiphon.scenarios.timing import Timer, timer
    from antiphon.scenarios.workflow import call, check, expect, send, together, wait
    from antiphon.stand.stand import Stand, load_stand
    from antiphon.stand.users import User
    from antiphon.transport.interface import Opening, Peer, RejectConnection
    from antiphon.transport.proxy import Proxy
    from antiphon.transport.tls import Tls

__all__ = [
    "ABSENT",
    "ANY",
    "DEFERRED",
    "UNNAMED",
    "UNREADABLE",
    "Accepted",
    "Actor",
    "AntiphonError",
    "Backoff",
    "Cbor",
    "Channel",
    "ChannelClosed",
    "CheckFailed",
    "Codec",
    "ConnectFailed",
    "Data",
    "DeadlinePassed",
    "Dialect",
    "DialectError",
    "DialectFailed",
    "Ending",
    "ErrorReply",
    "Exchange",
    "ExpectationFailed",
    "FieldMissing",
    "ForbiddenMessage",
    "GraphqlWs",
    "HandlerFailed",
    "Http",
    "HttpChannel",
    "HttpResponse",
    "Json",
    "JsonRpc",
    "Link",
    "Load",
    "LoadInconclusive",
    "Lsp",
    "Meeting",
    "Message",
    "MessagePack",
    "MessagesLeft",
    "Mqtt",
    "Ocpp",
    "Opening",
    "OpeningRefused",
    "Peer",
    "Plan",
    "Protobuf",
    "Proxy",
    "Raw",
    "RecordingError",
    "RejectConnection",
    "RequestRefused",
    "ResourcesExhausted",
    "Resp",
    "Run",
    "Scenario",
    "ScenarioError",
    "SendBufferFull",
    "Server",
    "SocketIo",
    "Soft",
    "SoftChecksFailed",
    "Stand",
    "Step",
    "Stomp",
    "Text",
    "ThresholdCrossed",
    "Timer",
    "Tls",
    "TransportError",
    "Unreadable",
    "UpgradeRefused",
    "User",
    "Wait",
    "WebSocket",
    "Withdrawal",
    "Xml",
    "action",
    "all_of",
    "at",
    "await_signal",
    "call",
    "check",
    "expect",
    "feed",
    "first_of",
    "listen",
    "load_stand",
    "on",
    "part",
    "perform",
    "perform_load",
    "play",
    "play_load",
    "repeat",
    "saved",
    "scenario",
    "send",
    "signal",
    "soft",
    "timer",
    "together",
    "wait",
    "within",
]

# Each name is imported when it is first used: pytest loads our plugin at every start, and a project whose tests do not
# use antiphon should not wait for an HTTP client and two event loops.
_HOMES = {
    name: module
    for module, names in {
        "scenarios.action": "action",
        "actor.actor": "Actor",
        "actor.backoff": "Backoff",
        "actor.channel": "Channel",
        "conversation.checks": "Soft soft",
        "actor.declarations": "Accepted Http Link WebSocket",
        "dialect": "Cbor Codec Dialect GraphqlWs Json JsonRpc Lsp Meeting MessagePack Mqtt Ocpp Protobuf Raw Resp "
        "SocketIo Stomp Text Xml",
        "conversation.ending": "Ending",
        "errors": "AntiphonError ChannelClosed CheckFailed ConnectFailed DeadlinePassed DialectError "
        "DialectFailed ErrorReply ExpectationFailed FieldMissing ForbiddenMessage HandlerFailed LoadInconclusive "
        "MessagesLeft OpeningRefused RecordingError RequestRefused ResourcesExhausted ScenarioError SendBufferFull "
        "SoftChecksFailed ThresholdCrossed TransportError UpgradeRefused",
        "actor.answers": "DEFERRED",
        "actor.handlers": "ANY on",
        "actor.http_channel": "HttpChannel",
        "actor.server": "Server listen",
        "conversation.match": "ABSENT",
        "conversation.message": "UNNAMED UNREADABLE Data Message Unreadable Withdrawal",
        "conversation.waits": "Exchange Wait",
        "load.feed": "feed",
        "load.loads": "Load perform_load play_load",
        "load.part": "part",
        "load.plan": "Plan",
        "scenarios.timed_steps": "at repeat within",
        "scenarios.timing": "Timer timer",
        "runtime.wait_groups": "all_of first_of",
        "scenarios.run": "Run",
        "scenarios.runner": "perform play",
        "scenarios.saved": "saved",
        "scenarios.signal_steps": "await_signal signal",
        "scenarios.scenario": "Scenario scenario",
        "stand.stand": "Stand load_stand",
        "scenarios.step": "Step",
        "conversation.http_response": "HttpResponse",
        "transport.interface": "Opening Peer RejectConnection",
        "transport.proxy": "Proxy",
        "transport.tls": "Tls",
        "stand.users": "User",
        "scenarios.workflow": "call check expect send together wait",
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
