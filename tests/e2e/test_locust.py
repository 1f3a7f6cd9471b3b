"""On a Locust cluster: what a server counted is what the record says and what Locust shows, whatever dies of it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import urllib.request
from itertools import accumulate
from pathlib import Path

import pytest
from load_desk import Desk, is_late_only, kill
from locust_cluster import Cluster, free_port

from antiphon.report.load.figures import LoadFigures, read_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

THRESHOLD_CROSSED, INCONCLUSIVE, USAGE = 4, 5, 2

STEADY = 'part(calling, name="steady", rate="3/s"), part(crowd, users=3, pause=0.1), grace_s=10'
LASTING = "part(crowd, users=6, calls=1_000_000), grace_s=1"
BRIEF = "part(crowd, users=6, calls=10)"

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks for a process's children in /proc")


def problems(figures: LoadFigures) -> list[str]:
    """Where its books do not agree."""
    assert figures.audit is not None
    return figures.audit.problems


def most_at_once(desk: Desk) -> int:
    """How many connections the server had at once at most."""
    steps = [{"opened": 1, "closed": -1}.get(event["kind"], 0) for event in desk.events]
    return max(accumulate(steps))


def at_once(desk: Desk) -> int:
    return desk.count("opened") - desk.count("closed")


def test_the_books_of_a_cluster_are_the_servers(tmp_path: Path) -> None:
    with Desk(delays_s=[0.01]) as desk, Cluster(tmp_path, desk.address, STEADY) as cluster:
        master = cluster.master("-u", "6", "-r", "6", "-t", "6s", "--json-file", "table", workers=2)
        workers = cluster.workers(2)
        code = master.ended()
        assert [worker.ended() for worker in workers] == [0, 0], master.log
        figures, table = cluster.figures(), cluster.table()
        (directory,) = cluster.directories()

        asked = desk.count("asked")
        assert asked > 20, master.log
        assert desk.count("opened") == asked == desk.count("answered")
        assert figures.total.started == figures.total.passed == asked, master.log
        assert figures.traffic.sent == figures.traffic.received == asked
        assert {each.process for each in figures.generators.values()} == {0, 1}
        assert {name: row["num_requests"] for name, row in table.items()} == {
            name: series.histogram.count for name, series in figures.series.items()
        }
        for name, row in table.items():
            assert sum(row["response_times"].values()) == figures.series[name].histogram.count
            assert row["total_response_time"] == pytest.approx(figures.series[name].histogram.sum_us / 1e3)
        assert problems(figures) == []
        assert is_late_only(figures), figures.doubts
        assert code == (INCONCLUSIVE if figures.doubts else 0), master.log
        assert {"load.html", "summary.json", "seconds.csv", "junit.xml"} <= {each.name for each in directory.iterdir()}
        assert all((directory / each.directory / "trace.html").is_file() for each in figures.kept)
        assert {each.part for each in figures.kept} == {"steady", "crowd"}


@needs_proc
def test_of_an_engine_that_is_killed_the_others_take_the_users(tmp_path: Path) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, LASTING) as cluster:
        master = cluster.master("-u", "6", "-r", "6", workers=1)
        (worker,) = cluster.workers(1, "--engines", "2")
        master.until(lambda: at_once(desk) == 6 and cluster.is_recorded(6))
        kill(worker.engines()[0])
        master.until_it_says("engine . was lost")
        master.until(lambda: desk.count("opened") == 9 and at_once(desk) == 6)
        master.send(signal.SIGTERM)

        assert master.ended() == INCONCLUSIVE, master.log
        assert worker.ended() == 0, worker.log
        figures = cluster.figures()
        assert any("of the generator was lost" in doubt for doubt in figures.doubts), figures.doubts
        assert sum(sum(each.live.values()) for each in figures.lost) == 3
        assert problems(figures) == []
        assert most_at_once(desk) == 6


@needs_proc
@pytest.mark.parametrize("on_loss", ["fail", "tolerate 1"])
def test_of_a_worker_that_is_killed_the_others_take_the_users(tmp_path: Path, on_loss: str) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, LASTING) as cluster:
        master = cluster.master("-u", "6", "-r", "6", "--on-loss", on_loss, workers=3)
        workers = cluster.workers(3)
        master.until(lambda: at_once(desk) == 6 and cluster.is_recorded(6))
        engines = workers[0].engines()
        workers[0].process.kill()
        master.until_it_says("engine . was lost")
        master.until(lambda: desk.count("opened") == 8 and at_once(desk) == 6)
        assert not any(Path(f"/proc/{pid}").exists() for pid in engines)
        master.send(signal.SIGTERM)
        code = master.ended()

        assert [worker.ended() for worker in workers[1:]] == [0, 0]
        figures = cluster.figures()
        assert len(figures.lost) == 1
        assert problems(figures) == []
        assert most_at_once(desk) == 6
        if on_loss == "fail":
            assert code == INCONCLUSIVE, master.log
            assert any("its worker has gone" in doubt for doubt in figures.doubts), figures.doubts
        else:
            assert is_late_only(figures), figures.doubts
            assert figures.ended is not None
            assert "its last" in figures.ended.error
            assert "were not seen" in figures.ended.error


def test_a_loss_can_end_the_load(tmp_path: Path) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, LASTING) as cluster:
        master = cluster.master("-u", "6", "-r", "6", "--on-loss", "abort", workers=2)
        workers = cluster.workers(2, "--engines", "2")  # of which each that is lost ends it
        master.until(lambda: at_once(desk) == 6)
        workers[0].process.kill()

        assert master.ended() == INCONCLUSIVE, master.log
        assert workers[1].ended() == 0
        assert problems(cluster.figures()) == []
        assert {"summary.json", "junit.xml"} <= {each.name for each in cluster.directories()[0].iterdir()}


def test_a_master_that_is_killed_ends_the_load(tmp_path: Path) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, LASTING) as cluster:
        master = cluster.master("-u", "6", "-r", "6", workers=2)
        workers = cluster.workers(2)
        master.until(lambda: at_once(desk) == 6)
        master.process.kill()

        assert [worker.ended() for worker in workers] == [INCONCLUSIVE, INCONCLUSIVE], workers[0].log
        desk.until(lambda: at_once(desk) == 0)


def test_a_worker_that_stands_still_and_goes_on_is_let_in_no_more(tmp_path: Path) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, LASTING) as cluster:
        master = cluster.master("-u", "6", "-r", "6", workers=3)
        workers = cluster.workers(3)
        master.until(lambda: at_once(desk) == 6)
        workers[0].send(signal.SIGSTOP)
        master.until_it_says("engine . was lost")
        workers[0].send(signal.SIGCONT)
        assert workers[0].ended() != 0, workers[0].log
        master.until(lambda: desk.count("opened") >= 8 and at_once(desk) == 6)
        master.send(signal.SIGTERM)

        assert master.ended() == INCONCLUSIVE, master.log
        assert problems(cluster.figures()) == []
        assert most_at_once(desk) == 6


def test_a_worker_of_another_plan_is_refused_and_one_that_comes_late_is_not(tmp_path: Path) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, BRIEF) as cluster:
        master = cluster.master("-u", "6", "-r", "6", workers=1)
        cluster.workers(1)
        master.until(lambda: at_once(desk) == 6)
        (late,) = cluster.workers(1)
        master.until_it_says("2 workers connected")
        master.until(lambda: cluster.is_recorded(6) and len(cluster.figures().generators) == 2)
        (tmp_path / "plan.py").write_text((tmp_path / "plan.py").read_text().replace("users=6", "users=7"))
        (other,) = cluster.workers(1)

        assert other.ended() == USAGE
        assert "it has another plan than the master: its parts is" in other.log
        master.send(signal.SIGTERM)
        master.ended()
        assert late.ended() == 0
        figures = cluster.figures()
        assert {each.process for each in figures.generators.values()} == {0, 1}
        assert problems(figures) == []
        assert is_late_only(figures), figures.doubts


def test_what_fails_is_told_by_cause_in_the_record_and_in_locusts_table(tmp_path: Path) -> None:
    parts = f"part(breaking, users=1, pause=0.5), {STEADY}"
    with Desk(delays_s=[0.01]) as desk, Cluster(tmp_path, desk.address, parts) as cluster:
        master = cluster.master("-u", "7", "-r", "7", "-t", "6s", "--csv", "out", workers=1)
        cluster.workers(1)
        code = master.ended()
        figures = cluster.figures()

    broken = figures.parts["breaking"]
    assert broken.failed > 0, master.log
    assert [(cause.part, cause.count) for cause in figures.causes] == [("breaking", broken.failed)]
    assert problems(figures) == []
    assert code == (INCONCLUSIVE if figures.doubts else THRESHOLD_CROSSED), master.log
    rows = (tmp_path / "out_failures.csv").read_text().splitlines()[1:]
    assert len(rows) == 1
    assert rows[0].startswith("conversation,breaking,")
    assert f",{broken.failed}," in rows[0]


def test_a_master_whose_disk_is_full_ends_the_load_and_says_so(tmp_path: Path) -> None:
    with Desk(delays_s=[0.05]) as desk, Cluster(tmp_path, desk.address, LASTING) as cluster:
        master = cluster.master("-u", "6", "-r", "6", workers=1)
        (worker,) = cluster.workers(1)
        master.until(lambda: cluster.is_recorded(6))
        resource.prlimit(master.process.pid, resource.RLIMIT_FSIZE, (10_000, 10_000))

        assert master.ended() == USAGE
        assert worker.ended() == 0
        assert cluster.figures().total.started > 0


def test_a_second_load_from_the_web_page_begins_anew(tmp_path: Path) -> None:
    web = free_port()

    def post(path: str, data: str = "") -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/{path}", data=data.encode(), timeout=60) as answer:
            assert json.loads(answer.read())["success"]

    def shown() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/antiphon", timeout=60) as answer:
            text: str = answer.read().decode()
        return text

    with Desk(delays_s=[0.01]) as desk, Cluster(tmp_path, desk.address, STEADY) as cluster:
        options = ("--web-host", "127.0.0.1", "--web-port", str(web))
        master = cluster.master(*options, workers=2, is_headless=False)
        workers = cluster.workers(2)
        master.until_it_says("2 workers connected")
        seen = 0
        for number in (1, 2):
            post("swarm", "user_count=6&spawn_rate=6")
            master.until(lambda: desk.count("answered") > seen + 10)  # noqa: B023  # it is called at once
            master.until(lambda: "where the time of a step goes" in shown())
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{web}/stop", method="POST")).read()
            master.until(lambda: len(list(tmp_path.glob("runs/*/summary.json"))) == number)  # noqa: B023
            figures = read_figures(cluster.directories()[-1])
            assert figures.total.started == figures.total.passed == desk.count("opened") - seen, master.log
            assert problems(figures) == []
            assert is_late_only(figures), figures.doubts
            seen = desk.count("opened")
            master.until(lambda: master.log.count("reported as ready") == 2 * (number + 1))  # noqa: B023
        master.send(signal.SIGTERM)
        assert master.ended() in (0, INCONCLUSIVE)
        assert [worker.ended() for worker in workers] == [0, 0]


@pytest.mark.parametrize(
    ("parts", "options", "why"),
    [
        ("part(crowd, count=5)", ["--master"], "crowd has a count, and it is steered from elsewhere"),
        (STEADY, ["--headless"], "antiphon needs a master and workers"),
        (STEADY, ["--master", "--headless", "--on-loss", "sometimes"], "--on-loss is fail, abort or 'tolerate N'"),
    ],
)
def test_what_cannot_be_is_told_before_anything_begins(
    tmp_path: Path, parts: str, options: list[str], why: str
) -> None:
    with Cluster(tmp_path, "ws://127.0.0.1:9", parts):
        command = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--master-bind-port", str(free_port())]
        done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == USAGE, done.stderr
        assert why in done.stderr


def test_the_examples_plan_on_one_machine(tmp_path: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"
    shutil.copytree(examples / "call_tool", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runs"))
    shutil.copy(examples / "locust" / "locustfile.py", tmp_path)
    port, at = free_port(), str(free_port())
    with subprocess.Popen(
        [sys.executable, "-m", "antiphon", "testbed", "--users", "20", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as centre:
        try:
            assert centre.stdout is not None
            assert str(port).encode() in centre.stdout.readline()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--processes", "2"),
                    *("-u", "7", "-r", "7", "-t", "8s", "--master-bind-port", at, "--master-port", at),
                ],
                cwd=tmp_path,
                env=os.environ | {"CENTRE": f"http://127.0.0.1:{port}"},
                capture_output=True,
                text=True,
                timeout=200,
            )
        finally:
            centre.terminate()
    (directory,) = [path.parent for path in tmp_path.glob("runs/*/load.jsonl")]
    figures = read_figures(directory)
    assert figures.total.passed > 0, done.stderr
    assert {"make_calls", "long_case"} <= set(figures.parts)
    assert problems(figures) == []
    assert done.returncode in (0, 4, INCONCLUSIVE), done.stderr  # how fast this machine is, is not what is asked
