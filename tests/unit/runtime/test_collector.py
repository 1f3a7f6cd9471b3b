"""A process that is ours alone leaves the collector little to do; it goes on for what is made from there on."""

from __future__ import annotations

import subprocess
import sys

STORY = """
import gc, weakref
from antiphon.runtime.collector import collect_seldom

class Circle:
    def __init__(self):
        self.itself = self

before, usual = gc.get_freeze_count(), gc.get_threshold()
collect_seldom()
assert gc.get_freeze_count() > before
assert gc.get_threshold() > usual
assert gc.isenabled()
gone = weakref.ref(Circle())
kept = [[] for _ in range(200_000)]
assert gone() is None
"""


def test_what_is_there_stays_and_what_is_made_then_is_collected() -> None:
    done = subprocess.run([sys.executable, "-c", STORY], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
