"""The clients that are compared; each does the same work for a round trip, in its own way."""
