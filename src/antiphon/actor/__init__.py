"""Actors and their channels: who speaks, to whom, and what reacts."""
