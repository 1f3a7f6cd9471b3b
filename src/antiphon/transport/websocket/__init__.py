"""WebSocket (RFC 6455), as client and as server, on picows."""
