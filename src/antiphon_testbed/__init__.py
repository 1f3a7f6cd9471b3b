"""The testbed: a small contact centre to talk to, the system under test that ships with antiphon."""

from antiphon_testbed.centre import ContactCentre
from antiphon_testbed.faults.faults import (
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
from antiphon_testbed.faults.parse import read_fault

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
