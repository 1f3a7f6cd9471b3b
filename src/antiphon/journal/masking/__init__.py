"""Secrets: known by the names of their fields, learnt by value, and replaced before anything is written."""

from antiphon.journal.masking.masker import MASK, Masker

__all__ = ["MASK", "Masker"]
