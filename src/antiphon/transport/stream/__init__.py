"""Streams of bytes, without frames: TCP, with and without TLS, and Unix sockets, both sides of each."""
