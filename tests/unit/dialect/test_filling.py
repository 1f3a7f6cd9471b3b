"""Options of a dialect that are each actor's own."""

from __future__ import annotations

from antiphon import Meeting
from antiphon.dialect.filling import filled


def test_texts_are_filled_in_at_whatever_depth() -> None:
    meeting = Meeting(fields={"seat": 7})
    options = {"topic": "seats/{seat}", "pairs": [("seat", "{seat}"), 5], "none": None, "data": b"{seat}"}
    assert filled(options, meeting) == {
        "topic": "seats/7",
        "pairs": [["seat", "7"], 5],
        "none": None,
        "data": b"{seat}",
    }
