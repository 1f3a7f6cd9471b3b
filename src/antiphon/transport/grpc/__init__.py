"""Streams of gRPC: one that flows both ways is a connection."""
