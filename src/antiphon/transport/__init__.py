"""Wires: how data travels. Nothing in here knows names, messages or waits."""
