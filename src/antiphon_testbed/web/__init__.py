"""The centre over HTTP: the world outside the desks."""
