"""Shards on machines of their own: what the Kubernetes example has a pod do, and what the shards are together."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from antiphon.cli import main
from antiphon.cli.load_options import FLAGS, WITH_VALUE, Asked, load_app
from antiphon.cli.options import split_target
from antiphon.cli.screen import Screen
from antiphon.load.shares import Share
from antiphon.load.target import plan_of, target_of
from antiphon.report.load.figures import read_figures

EXAMPLES = Path(__file__).parents[2] / "examples"
KUBERNETES = EXAMPLES / "kubernetes"
CLAIM, JOB = yaml.safe_load_all((KUBERNETES / "job.yaml").read_text(encoding="utf-8"))
POD = yaml.safe_load((KUBERNETES / "results.yaml").read_text(encoding="utf-8"))
START_AT = "2126-11-27T14:30:00Z"


def expanded(text: str, environment: dict[str, str]) -> str:
    """As Kubernetes reads an argument: `$(NAME)` is a variable if there is one, `$$` is a `$`."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return environment.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


def said_by(index: int, tmp_path: Path, code: int = 0) -> tuple[list[str], int]:
    """What the pod of that index says behind `antiphon`, and how it ends if that ends with this code."""
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    environment = {
        "JOB_COMPLETION_INDEX": str(index),
        **{each["name"]: each.get("value", START_AT) for each in container["env"]},
    }
    shim = tmp_path / "antiphon"
    shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/said\nexit {code}\n')
    shim.chmod(0o755)
    words = [expanded(word, environment) for word in [*container["command"], *container["args"]]]
    done = subprocess.run(words, env={**environment, "PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False, timeout=60)
    return (tmp_path / "said").read_text().splitlines(), done.returncode


def read(tokens: list[str]) -> Asked:
    """What `antiphon load` understands by them."""
    asked: list[Asked] = []
    named, rest = split_target("load", tokens, with_value=WITH_VALUE, flags=FLAGS)
    target, meant = target_of(named)

    def run(said: Asked) -> int:
        asked.append(said)
        return 0

    load_app(meant, target, run, Screen())(rest)
    return asked[0]


def test_each_pod_performs_a_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES / "call_tool")
    many = JOB["spec"]["completions"]
    assert many == JOB["spec"]["parallelism"]
    assert JOB["spec"]["completionMode"] == "Indexed"

    seen = []
    for index in range(many):
        (verb, *tokens), code = said_by(index, tmp_path)
        assert (verb, code) == ("load", 0)
        asked = read(tokens)
        assert asked.shard is not None
        seen.append(Share.parse(asked.shard))
        assert asked.seed == 1
        assert asked.at == datetime(2126, 11, 27, 14, 30, tzinfo=UTC).timestamp()
        assert asked.runs == Path(f"/results/shard-{index + 1}")
        assert plan_of(asked.target).shard(index + 1, many).most_users == 2

    assert seen == [Share.numbered(k, many) for k in range(1, many + 1)]


@pytest.mark.parametrize(("code", "pod"), [(0, 0), (4, 0), (5, 0), (2, 1), (70, 1), (143, 1)])
def test_what_is_judged_of_the_whole_fails_no_pod(tmp_path: Path, code: int, pod: int) -> None:
    assert said_by(0, tmp_path, code)[1] == pod


def test_the_documents_fit_together() -> None:
    assert [each["kind"] for each in (CLAIM, JOB, POD)] == ["PersistentVolumeClaim", "Job", "Pod"]
    for spec in (JOB["spec"]["template"]["spec"], POD["spec"]):
        (container,) = spec["containers"]
        (volume,) = spec["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]
        assert [each["name"] for each in container["volumeMounts"]] == [volume["name"]]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["restartPolicy"] == "Never"
    docker = (KUBERNETES / "Dockerfile").read_text()
    users = re.findall(r"^USER (\S+)$", docker, re.MULTILINE)
    assert users == [str(POD["spec"]["securityContext"]["runAsUser"])]
    assert docker.index("COPY") < docker.index("USER ") < docker.index("ENTRYPOINT")


@pytest.mark.slow
def test_shards_of_a_load_are_the_load(tmp_path: Path) -> None:
    """Seven conversations of three machines, each with a centre of its own, that begin at one moment."""
    load = [sys.executable, "-m", "antiphon", "load", str(EXAMPLES / "call_tool" / "call_tool.py:make_calls")]
    at = datetime.fromtimestamp(int(time.time()) + 30, UTC).isoformat()
    begun = []
    for k in (1, 2, 3):
        amount = ["--count", "7", "--rate", "5/s", "--talk-s", "0.1", "--shard", f"{k}/3", "--start-at", at]
        where = ["--runs", str(tmp_path / f"m{k}"), "--table", f"{tmp_path}/calls-{k}.csv:conversation,outcome"]
        command = [*load, *amount, *where, "--quiet"]
        begun.append(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL))
    assert {process.wait(timeout=120) for process in begun} <= {0, 5}
    shards = [str(path) for k in (1, 2, 3) for path in (tmp_path / f"m{k}").iterdir()]

    assert main(["merge", *shards, "--into", str(tmp_path / "whole"), "--threshold", "errors == 0"]) in {0, 5}

    figures = read_figures(tmp_path / "whole")
    total = figures.total
    assert (total.due, total.started, total.passed, total.failed) == (7, 7, 7, 0)
    rows = [line for k in (1, 2, 3) for line in (tmp_path / f"calls-{k}.csv").read_text().splitlines()[1:]]
    assert (tmp_path / "whole" / "table.csv").read_text().splitlines() == ["conversation,outcome", *rows]
    assert sorted(rows) == [f"make_calls-{number},passed" for number in range(7)]
    apart = [read_figures(Path(shard)) for shard in shards]
    assert {name: measured.histogram.count for name, measured in figures.series.items()} == {
        name: sum(each.series[name].histogram.count for each in apart if name in each.series) for name in figures.series
    }
    assert len(figures.kept) == len(list((tmp_path / "whole" / "conversations").iterdir())) == 7
    assert not [
        doubt for doubt in figures.doubts if any(word in doubt for word in ("missing", "after the first", "books"))
    ]
    assert figures.duration_ns < 20e9
