"""What a load says may be believed: its percentiles are the server's, and where they cannot be it says so."""

from __future__ import annotations

import math
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from load_desk import Desk, Loading, is_late_only

from antiphon.journal.histogram import Histogram

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

PERCENTILES = (50.0, 90.0, 95.0, 99.0)

BUSY = "import sys, time\nends_s = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < ends_s: pass"


def at(percentile: float, ordered: list[int]) -> int:
    """That of a sorted log: the least value that so many are not above."""
    return ordered[max(math.ceil(percentile / 100 * len(ordered)), 1) - 1]


def above(histogram: Histogram, us: int) -> int:
    """How many took at least so long, in hundredths of them."""
    return sum(histogram.percentile(hundredth) >= us for hundredth in range(1, 101))


def test_no_percentile_is_below_what_the_server_took(tmp_path: Path) -> None:
    """The server tells how long it let each wait; whoever waits has waited that long, and the way there and back."""
    chance = random.Random(11)
    delays_s = [round(chance.lognormvariate(-4.5, 1.0), 4) for _ in range(97)]
    options = ("--users", "8", "--count", "400", "--processes", "2")
    with Desk(delays_s=delays_s) as desk, Loading(tmp_path, desk.address, *options) as load:
        load.ended()
        asked = load.figures().series["calling/outbound_call/call"].histogram
        series = {each["name"]: each for each in load.summary()["series"]}
        waited_us = sorted(each["waited_us"] for each in desk.of("answered"))

        assert asked.count == len(waited_us) == 400, load.text
        for percentile in PERCENTILES:
            # A counter stands for a thousandth of its value.
            assert asked.percentile(percentile) >= at(percentile, waited_us) * 0.999
            told_us = series["calling/outbound_call/call"][f"p{percentile:g}_ms"] * 1000
            assert told_us == pytest.approx(min(asked.percentile(percentile), asked.max_us), abs=1)
        assert asked.max_us >= waited_us[-1]
        assert asked.sum_us >= sum(waited_us)


def test_a_server_that_stands_still_shows_in_what_was_due_meanwhile(tmp_path: Path) -> None:
    """10 a second, and 5 s without an answer: so 50 of the 80 had to wait, evenly from 5 s to none."""
    options = ("--rate", "10/s", "--for", "8s", "--threshold", "calling p50 < 1s")
    with Desk(stalls_at=20, stalls_s=5.0) as desk, Loading(tmp_path, desk.address, *options) as load:
        code = load.ended()
        figures = load.figures()
        whole = figures.series["calling"].histogram

        assert figures.total.started == figures.total.passed == desk.count("answered") == 80, load.text
        assert whole.max_us >= 4_990_000
        # Of 80 conversations 25 were due in the first half of it, and 40 in its first four seconds, but for an edge.
        assert above(whole, 2_500_000) >= 100 * 24 // 80 - 1
        assert above(whole, 1_000_000) >= 100 * 39 // 80 - 1
        assert code == (5 if figures.doubts else 4 if whole.percentile(50) >= 1_000_000 else 0)
        assert is_late_only(figures)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="starves one core")
@pytest.mark.parametrize("threshold", ["calling p95 < 30ms", "calling p95 < 60s"], ids=["would fail", "would pass"])
def test_a_generator_that_is_starved_gives_no_verdict(tmp_path: Path, threshold: str) -> None:
    core = min(os.sched_getaffinity(0))
    options = ("--rate", "100/s", "--for", "6s", "--threshold", threshold)
    on_core = lambda: os.sched_setaffinity(0, {core})  # noqa: E731
    with Desk() as desk, Loading(tmp_path, desk.address, *options, preexec_fn=on_core) as load:
        desk.until(lambda: desk.count("opened") > 20)
        (generator,) = load.processes()
        os.setpriority(os.PRIO_PROCESS, generator, 19)
        busy = [subprocess.Popen([sys.executable, "-c", BUSY, "5"], preexec_fn=on_core) for _ in range(3)]
        # What a niceness is worth differs from scheduler to scheduler: a process that is stopped has nothing at all.
        for _ in range(4):
            os.kill(generator, signal.SIGSTOP)
            time.sleep(0.4)
            os.kill(generator, signal.SIGCONT)
            time.sleep(0.1)
        for each in busy:
            each.wait()
        code = load.ended()
        figures = load.figures()

        assert code == 5, load.text
        assert figures.ended is not None
        assert figures.ended.verdict == "inconclusive"
        assert figures.doubts
        assert is_late_only(figures)
        assert "INCONCLUSIVE" in load.text
        assert figures.audit is not None
        assert figures.audit.problems == []
        assert figures.total.started == figures.total.passed == desk.count("answered")


def test_files_that_are_too_few_are_said_before_anything_begins(tmp_path: Path) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    options = ("--users", "500", "--for", "5s")
    with Desk() as desk, Loading(tmp_path, desk.address, *options, preexec_fn=few) as load:
        code = load.ended()

        assert code == 2, load.text
        assert "the plan needs some 628 open connections and files in a process, and 200 are allowed" in load.text
        assert "ulimit -n" in load.text
        assert desk.count("opened") == 0
