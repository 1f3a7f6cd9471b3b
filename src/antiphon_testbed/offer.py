"""The media offer of a call: a session description with one line of audio."""

from __future__ import annotations

__all__ = ["media_offer"]

_LINES = (
    "v=0",
    "o=- {session} 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 8 101",
    "c=IN IP4 0.0.0.0",
    "a=setup:actpass",
    "a=mid:0",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:101 telephone-event/8000",
)


def media_offer(session: int) -> str:
    """The offer for the media session of this number (SDP, RFC 8866; offers and answers, RFC 3264)."""
    return "".join(f"{line}\r\n" for line in _LINES).format(session=session)
