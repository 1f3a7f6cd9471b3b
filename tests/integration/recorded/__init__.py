"""Conversations, and the journals that were once recorded of them."""
