"""The ways in which a centre misbehaves on purpose, and how they are brought about."""
