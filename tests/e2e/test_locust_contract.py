"""Each name inside Locust that the adapter leans on, and what it takes it to do: an upgrade that changes one fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

LOOK = """
import inspect, json
import gevent
import locust
from locust import env, event, rpc, runners, stats
from locust.util import load_locustfile

def source(thing):
    return inspect.getsource(thing)

def takes(function, *names):
    return set(names) <= set(inspect.signature(function).parameters)

worker, master = runners.WorkerRunner, runners.MasterRunner
entry = stats.RequestStats().get("a", "b")
through = []
hook = event.EventHook()

def leave(**_):
    raise gevent.GreenletExit

hook.add_listener(leave)
try:
    hook.fire()
except gevent.GreenletExit:
    through.append(True)

stopping, starting = source(master.stop), source(master.start)
told = {
    "runners are looked up when they are made": all(
        f"{name}," in source(getattr(env.Environment, f"create_{kind}_runner")) and hasattr(env, name)
        for kind, name in (("worker", "WorkerRunner"), ("master", "MasterRunner"))
    ),
    "user classes are found in the locustfile's names": "in vars(imported)" in source(load_locustfile),
    "a worker says that it is ready in connect_to_master": "client_ready" in source(worker.connect_to_master)
    and "self.connect_to_master()" in source(worker.__init__),
    "each message goes through handle_message": takes(worker.handle_message, "msg")
    and takes(master.handle_message, "client_id", "msg")
    and "self.handle_message(msg)" in source(worker.worker)
    and "self.handle_message(client_id, msg)" in source(master.client_listener),
    "what a worker is to have is absolute": takes(worker.start_worker, "user_classes_count")
    and 'start_worker(job["user_classes_count"])' in source(worker.handle_message),
    "a worker stops its users by stop_users": "self.stop_users(" in source(runners.Runner.stop),
    "a worker reports by _send_stats": "report_to_master.fire(client_id=self.client_id, data=data)"
    in source(worker._send_stats)
    and "self._send_stats()" in source(worker.stats_reporter),
    "only a lost master makes a worker quit itself": "self.quit()" in source(worker.heartbeat_timeout_checker)
    and "self.quit()" not in source(worker.handle_message),
    "intervals are read when they are used": "WORKER_REPORT_INTERVAL" in source(worker.stats_reporter)
    and "MASTER_HEARTBEAT_TIMEOUT" in source(worker.heartbeat_timeout_checker),
    "spawning is told by spawning_complete": takes(worker.spawning_complete, "user_count")
    and isinstance(worker.user_count, property)
    and isinstance(worker.user_classes_count, property),
    "CPU is told by two attributes": "self.monitor_cpu_and_memory" in source(runners.Runner.__init__)
    and all(f"self.current_{each}_usage" in source(worker.heartbeat) for each in ("cpu", "memory")),
    "a master begins a test before it dispatches": starting.index("test_start.fire") < starting.index(".new_dispatch("),
    "a master tells that it stops before it says so": stopping.index("test_stopping.fire")
    < stopping.index('Message("stop"')
    < stopping.index("test_stop.fire"),
    "a greenlet can be left from an event": through == [True],
    "rebalancing is asked for": "self.rebalancing_enabled()" in source(master.heartbeat_worker),
    "a lost worker is missing after four seconds": (runners.HEARTBEAT_LIVENESS, runners.HEARTBEAT_INTERVAL) == (3, 1)
    and runners.STATE_MISSING == "missing",
    "workers are known by state": all(hasattr(runners.WorkerNodes, name) for name in ("ready", "running", "spawning"))
    and hasattr(runners.WorkerNodes, "pop"),
    "who is unknown is not healed": "Got heartbeat message from unknown worker" in source(master.handle_message),
    "messages are sent by name": takes(master.send_message, "msg_type", "data", "client_id")
    and takes(worker.send_message, "msg_type", "data")
    and takes(rpc.Message.__init__, "message_type", "data", "node_id"),
    "an entry of the table": all(
        hasattr(entry, name)
        for name in (
            *("num_requests", "num_failures", "total_response_time", "min_response_time", "max_response_time"),
            *("num_reqs_per_sec", "num_fail_per_sec", "last_request_timestamp", "response_times"),
        )
    )
    and hasattr(stats.RequestStats(), "total"),
    "an error of the table": takes(stats.StatsError.create_key, "method", "name", "error")
    and takes(stats.StatsError.__init__, "method", "name", "error", "occurrences", "first_seen"),
    "an exit code can be given": hasattr(env.Environment(), "process_exit_code"),
}
print(json.dumps([name for name, holds in told.items() if not holds]))
"""


def test_what_is_leaned_on_in_locust_is_as_it_was() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
