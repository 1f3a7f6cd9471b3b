"""What a wire, a dialect or a framing of one's own is made of: the names of the seams, all in one place.

A transport has `Transport.connect`, a listener `Listener.listen`; entry points in `antiphon.transports` and
`antiphon.listeners` make them known by the scheme of their addresses. A dialect makes a `Codec` of each `Meeting`; a
`Framing` says where frames begin and end on a wire that has none. `antiphon.testing` tries all three.
"""

from antiphon.conversation.ending import EndedBy, Ending
from antiphon.conversation.message import UNNAMED, UNREADABLE, Data, Message, Unreadable, Withdrawal
from antiphon.dialect.codec import Codec, Dialect, camel_name
from antiphon.dialect.framing import DEFAULT_LIMIT_BYTES, Framing, as_bytes
from antiphon.dialect.meeting import Meeting, Side
from antiphon.dialect.notation import Notation
from antiphon.dialect.stream_codec import StreamCodec
from antiphon.dialect.structured import Structured, StructuredCodec
from antiphon.errors import (
    ConnectFailed,
    DialectError,
    ErrorReply,
    OpeningRefused,
    ScenarioError,
    TransportError,
    UpgradeRefused,
)
from antiphon.transport.closing_time import ClosingTime, overdue
from antiphon.transport.interface import (
    Accept,
    AttentiveReceiver,
    Connection,
    HalfClosable,
    Listener,
    Listening,
    Opening,
    Peer,
    ProtocolReceiver,
    Receiver,
    RejectConnection,
    Transport,
    tell_aside,
    tell_finished,
)
from antiphon.transport.stream.byte_stream import ByteStream, ByteStreamListener, Listened
from antiphon.transport.stream.connection import CLOSE_WITHIN_S, StreamConnection
from antiphon.transport.timeouts import BusyTolerantTimer, timeout
from antiphon.transport.tls import ClientTls, Tls, client_tls, server_context

__all__ = [
    "CLOSE_WITHIN_S",
    "DEFAULT_LIMIT_BYTES",
    "UNNAMED",
    "UNREADABLE",
    "Accept",
    "AttentiveReceiver",
    "BusyTolerantTimer",
    "ByteStream",
    "ByteStreamListener",
    "ClientTls",
    "ClosingTime",
    "Codec",
    "ConnectFailed",
    "Connection",
    "Data",
    "Dialect",
    "DialectError",
    "EndedBy",
    "Ending",
    "ErrorReply",
    "Framing",
    "HalfClosable",
    "Listened",
    "Listener",
    "Listening",
    "Meeting",
    "Message",
    "Notation",
    "Opening",
    "OpeningRefused",
    "Peer",
    "ProtocolReceiver",
    "Receiver",
    "RejectConnection",
    "ScenarioError",
    "Side",
    "StreamCodec",
    "StreamConnection",
    "Structured",
    "StructuredCodec",
    "Tls",
    "Transport",
    "TransportError",
    "Unreadable",
    "UpgradeRefused",
    "Withdrawal",
    "as_bytes",
    "camel_name",
    "client_tls",
    "overdue",
    "server_context",
    "tell_aside",
    "tell_finished",
    "timeout",
]
