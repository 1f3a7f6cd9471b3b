"""The testbed: a small contact centre to talk to, the system under test that ships with antiphon."""

from antiphon_testbed.centre import ContactCentre
from antiphon_testbed.fault_words import read_fault
from antiphon_testbed.faults import (
    Closed,
    Fault,
    HalfFrame,
    Late,
    Missing,
    NotJson,
    Overtaken,
    Reordered,
    Twice,
    WithoutField,
    WrongField,
    WrongId,
)

__all__ = [
    "Closed",
    "ContactCentre",
    "Fault",
    "HalfFrame",
    "Late",
    "Missing",
    "NotJson",
    "Overtaken",
    "Reordered",
    "Twice",
    "WithoutField",
    "WrongField",
    "WrongId",
    "read_fault",
]
