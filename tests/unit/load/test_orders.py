"""The lines that processes of a load say to each other."""

from __future__ import annotations

import json

from antiphon.load.orders import Ready, line_of


def test_whatever_a_system_answers_is_a_line() -> None:
    assert json.loads(line_of(Ready("waited for \ud800"))) == {"type": "ready", "error": "waited for ?"}
    assert json.loads(line_of(Ready("ä"))) == {"type": "ready", "error": "ä"}
