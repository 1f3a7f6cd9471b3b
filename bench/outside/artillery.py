"""Artillery's WebSocket engine: it says what a script has, in JSON, and takes the next message for the reply.

It tells nobody when its users are all there, and starting it costs more than most of what it does. So each figure is
the difference of two runs of which one does more, of CPU seconds and of what was done.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.conversation import ASK, FIRST_ID, REPLY, REST_OF_REQUEST
from bench.idle import WARMED_UP
from bench.meter import Reading
from bench.processes import on_core

__all__ = ["live_kib", "round_trips", "visits"]

_STAYS_S = 20


def round_trips(command: Path, address: str, core: int | None, users: int, each: int) -> Reading:
    """So many users make so many round trips each."""
    return _more(lambda loops: _script(address, users, 1, loops), command, core, each // 4, each)


def visits(command: Path, address: str, core: int | None, number: int, per_s: int) -> Reading:
    """So many users, one after the other, connect, ask and leave."""
    return _more(lambda users: _script(address, users, max(users // per_s, 1), 1), command, core, number // 4, number)


def live_kib(command: Path, address: str, core: int | None, users: int) -> float:
    """What each of so many users adds to its processes, in KiB, after a round trip."""
    most = []
    for number in (WARMED_UP, WARMED_UP + users):
        arrive_s = max(number // 200, 1)
        script = _script(address, number, arrive_s, 1, stays_s=arrive_s + _STAYS_S)
        most.append(_run(command, script, core)[2])
    return (most[1] - most[0]) / users


def _more(script: Callable[[int], dict[str, Any]], command: Path, core: int | None, fewer: int, more: int) -> Reading:
    less, all_of_it = (_run(command, script(many), core) for many in (fewer, more))
    return Reading(all_of_it[0] - less[0], all_of_it[1] - less[1], 0.0, 0)


def _script(address: str, users: int, arrive_s: int, loops: int, stays_s: int = 0) -> dict[str, Any]:
    request = json.dumps({"action": ASK, "data": {"workitemID": "{{ workitemID }}", **REST_OF_REQUEST}})
    ask = {
        "send": {
            "payload": request,
            "capture": {"json": "$.data.workitemID", "as": "workitemID"},
            "match": [
                {"json": "$.action", "value": REPLY},
                {"json": "$.data.result", "value": "success"},
                {"json": "$.data.state", "value": "ready"},
            ],
        }
    }
    flow: list[dict[str, Any]] = [{"loop": [ask], "count": loops}]
    return {
        "config": {
            "target": f"{address}/desk",
            "phases": [{"duration": arrive_s, "arrivalCount": users}],
            "variables": {"workitemID": [FIRST_ID]},
        },
        "scenarios": [{"engine": "ws", "flow": flow + ([{"think": stays_s}] if stays_s else [])}],
    }


def _run(command: Path, script: dict[str, Any], core: int | None) -> tuple[int, float, float]:
    """What came back, the CPU seconds of all its processes, and the most KiB that they had together."""
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as place:
        file, report = Path(place, "script.json"), Path(place, "report.json")
        file.write_text(json.dumps(script))
        quiet = {"ARTILLERY_DISABLE_TELEMETRY": "true", "NO_UPDATE_NOTIFIER": "1", "WORKERS": "1"}
        process = subprocess.Popen(
            [str(command), "run", "--output", str(report), str(file)],
            cwd=place,
            env={**os.environ, **quiet},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=on_core(core),
        )
        most = _Most(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        most.over.set()
        if process.returncode or not report.exists():
            raise AssertionError(f"Artillery ended with code {process.returncode}")
        counters = msgspec.json.decode(report.read_bytes())["aggregate"]["counters"]
        if counters.get("vusers.failed"):
            raise AssertionError(f"{counters['vusers.failed']} of Artillery's users failed: {counters}")
        return counters["websocket.messages_received"], used.ru_utime + used.ru_stime, most.kib


class _Most:
    """Looks at the memory of a process and its children, until `over`: `kib` is the most that they had."""

    def __init__(self, pid: int) -> None:
        self.kib = 0.0
        self.over = threading.Event()
        self._pid = pid
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        page_kib = os.sysconf("SC_PAGE_SIZE") / 1024
        while not self.over.wait(0.2):
            try:
                pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in _family(self._pid))
            except (OSError, IndexError):
                continue  # one of them has just ended
            self.kib = max(self.kib, pages * page_kib)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]
