"""The Call tool of the examples: what its files say is performed, as Jenkins, GitHub and cron would do it."""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from antiphon.cli import main
from antiphon.load.target import target_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "call_tool"
BIN = Path(sys.executable).parent
DONE = {0, 5}
"""All calls were made; on a machine that is busy with tests their times may not be trusted."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's folder, in which one works."""
    copy = tmp_path / "call_tool"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", "runs"))
    monkeypatch.chdir(copy)
    return copy


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- the example itself -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_makes_the_calls_that_are_asked_for(folder: Path) -> None:
    columns = "interaction_id,telephone,user,started,ended,record.disposition,outcome"
    load = ["load", "call_tool.py:make_calls", "--count", "3", "--rate", "20/s", "--talk-s", "0", "--quiet"]

    code = main([*load, "--telephone", "890000007", "--disposition", "callback", "--table", f"calls.csv:{columns}"])

    assert code in DONE
    rows = rows_of(folder / "calls.csv")
    assert {(row["telephone"], row["record.disposition"], row["outcome"]) for row in rows} == {
        ("890000007", "callback", "passed")
    }
    assert len({row["interaction_id"] for row in rows}) == len({row["user"] for row in rows}) == 3
    assert all(row["started"] < row["ended"] for row in rows)


@pytest.mark.slow
def test_a_call_that_fails_is_a_row_and_a_verdict(folder: Path) -> None:
    load = ["load", "call_tool.py:make_calls", "--count", "2", "--rate", "20/s", "--talk-s", "0", "--quiet"]

    code = main([*load, "--telephone", "busy", "--table", "calls.csv:telephone,outcome,cause"])

    assert code in {4, 5}
    rows = rows_of(folder / "calls.csv")
    assert [(row["telephone"], row["outcome"]) for row in rows] == [("busy", "failed")] * 2
    assert all("busy" in row["cause"] for row in rows)


def test_the_busy_day_is_a_plan_of_two_parts(folder: Path) -> None:
    _, plan = target_of("busy_day.py:busy_day")

    assert [part.name for part in plan.parts] == ["make_calls", "long_case"]
    assert [str(each) for each in plan.thresholds if "baseline" in str(each)] == []
    assert len(plan.thresholds) >= 4
    assert plan.duration_s == 25


@pytest.mark.slow
def test_the_busy_day_goes_by(folder: Path) -> None:
    code = main(["load", "busy_day.py:busy_day", "--table", "calls.csv:part,outcome", "--quiet"])

    rows = rows_of(folder / "calls.csv")
    assert {row["part"] for row in rows} == {"make_calls", "long_case"}
    assert {row["outcome"] for row in rows} == {"passed"}
    assert code in {*DONE, 4}, "a threshold of times is crossed where the machine is busy"


# -- Jenkins, GitHub, cron --------------------------------------------------------------------------------------------


JENKINSFILE = (EXAMPLE / "Jenkinsfile").read_text(encoding="utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load((EXAMPLE / "workflow.yml").read_text(encoding="utf-8"))
CRONTAB = [line for line in (EXAMPLE / "crontab").read_text().splitlines() if not line.startswith("#")]
STANDS = list(tomllib.loads((EXAMPLE / "antiphon.toml").read_text())["stands"])
FIELDS = {"STAND", "NUMBER_OF_CALLS", "TELEPHONE"}
USED = re.findall(r"uses: (\S+)", "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")))


def test_the_page_has_the_three_fields() -> None:
    assert set(re.findall(r"(?:string|choice)\(name: '(\w+)'", JENKINSFILE)) == FIELDS
    (choices,) = re.findall(r"choices: \[([^]]*)\]", JENKINSFILE)
    assert re.findall(r"'(\w+)'", choices) == STANDS


def test_the_workflow_is_one() -> None:
    on = WORKFLOW[True]  # `on` is a yes in YAML 1.1
    (job,) = WORKFLOW["jobs"].values()
    assert {name.upper() for name in on["workflow_dispatch"]["inputs"]} == FIELDS == set(job["env"])
    for name, given in on["workflow_dispatch"]["inputs"].items():
        assert job["env"][name.upper()] == f"${{{{ inputs.{name} || '{given['default']}' }}}}"
    assert on["workflow_dispatch"]["inputs"]["stand"]["options"] == STANDS
    assert all(len(each["cron"].split()) == 5 for each in on["schedule"])
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert job["timeout-minutes"]


def test_its_actions_are_pinned_as_ours_are() -> None:
    (job,) = WORKFLOW["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert set(used) <= set(USED)


def test_no_text_of_a_field_is_put_into_a_command() -> None:
    """It comes as a variable of the shell, in double quotes."""
    (job,) = WORKFLOW["jobs"].values()
    for command in [*commands_of_jenkins(), *commands_of_the_workflow()]:
        assert "${{" not in command
        assert "params." not in command
        for name in FIELDS:
            assert command.count(f"${name}") == command.count(f'"${name}"')
    assert all("${{" not in str(step.get("run", "")) for step in job["steps"])


def commands_of_jenkins() -> list[str]:
    """What the Jenkinsfile has the shell do: Groovy joins lines that end with a backslash."""
    found = re.findall(r"\bsh(?: |\(.*?script: )('''|')(.*?)\1", JENKINSFILE, re.DOTALL)
    return [text.replace("\\\n", "") for _, text in found]


def commands_of_the_workflow() -> list[str]:
    (job,) = WORKFLOW["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def commands_of_cron() -> list[str]:
    """The sixth field, in which cron takes `\\%` for a percent sign."""
    return [re.sub(r"\\%", "%", line.split(None, 5)[5]) for line in CRONTAB]


def test_cron_gets_a_line_each() -> None:
    assert CRONTAB
    for line in CRONTAB:
        *moment, command = line.split(None, 5)
        assert all(re.fullmatch(r"[\d*,/-]+", field) for field in moment)
        assert not re.search(r"(?<!\\)%", command), "a percent sign would end the command"


@pytest.fixture
def centre() -> Iterator[str]:
    """The address of a centre that runs by itself, as `local` finds it."""
    process = subprocess.Popen(
        [BIN / "antiphon", "testbed", "--port", "0", "--users", "20"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        shown = ""
        while "Ctrl-C" not in shown:
            shown += (line := process.stdout.readline())
            assert line, shown
        yield shown.split("The contact centre is at ")[1].split(";")[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def shell(folder: Path, centre: str, tmp_path: Path) -> Any:
    """Does what a command says, in the example's folder: `python3 -m venv` and pip give the antiphon that is here."""
    shims = tmp_path / "shims"
    shims.mkdir()
    ours = shlex.quote(str(BIN / "antiphon"))
    made = f"mkdir -p .venv/bin && ln -sf {ours} .venv/bin/ && ln -sf /bin/true .venv/bin/pip"
    for name, does in {
        "python3": made,
        "pip": "exit 0",
        "antiphon": f'exec {ours} "$@"',
    }.items():
        (shims / name).write_text(f"#!/bin/sh\n{does}\n")
        (shims / name).chmod(0o755)

    def run(command: str, **environment: str) -> int:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_"))}
        given = {"HOME": str(tmp_path), "CENTRE": centre, "BUILD_NUMBER": "7", "PATH": f"{shims}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=folder,
            env={**ours, **given, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert not re.search(r"(?m)^(error|failed): ", done.stdout), done.stdout
        return done.returncode

    return run


def perform(shell: Any, commands: list[str], **environment: str) -> None:
    *before, last = commands
    assert [shell(command, **environment) for command in before] == [0] * len(before)
    assert shell(last, **environment) in DONE


@pytest.mark.slow
def test_jenkins_makes_the_calls(shell: Any, folder: Path) -> None:
    perform(shell, commands_of_jenkins(), STAND="local", NUMBER_OF_CALLS="3", TELEPHONE="890000005")

    rows = rows_of(folder / "calls.csv")
    assert [(row["telephone"], row["outcome"]) for row in rows] == [("890000005", "passed")] * 3
    (artifacts,) = re.findall(r'artifacts: "([^"]*)"', JENKINSFILE)
    for pattern in artifacts.replace("${env.BUILD_NUMBER}", "7").split(", "):
        assert list(folder.glob(pattern)), pattern
    assert (folder / "junit.xml").is_file()


@pytest.mark.slow
def test_github_makes_the_calls(shell: Any, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    fields = {"STAND": "local", "NUMBER_OF_CALLS": "3", "TELEPHONE": "890000005"}
    perform(shell, commands_of_the_workflow(), **fields, GITHUB_STEP_SUMMARY=str(page))

    assert len(rows_of(folder / "calls.csv")) == 3
    (job,) = WORKFLOW["jobs"].values()
    for name in job["steps"][-1]["with"]["path"].split():
        assert (folder / name).exists(), name
    assert "3 conversations" in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_cron_makes_the_calls(shell: Any, folder: Path) -> None:
    shell("python3")
    for command in commands_of_cron():
        assert shell(command) in DONE, (folder / "calls.log").read_text()

    rows = rows_of(folder / "calls.csv")
    assert len(rows) == 20
    assert {row["outcome"] for row in rows} == {"passed"}


@pytest.mark.slow
def test_what_somebody_types_into_a_field_is_no_command(shell: Any, folder: Path) -> None:
    nasty = """89'; touch harm; "$(touch harm)`touch harm`"""
    fields = {"STAND": "local", "NUMBER_OF_CALLS": "1", "TELEPHONE": nasty}

    for commands in (commands_of_jenkins(), commands_of_the_workflow()):
        for command in commands:
            shell(command, **fields)
        assert [row["telephone"] for row in rows_of(folder / "calls.csv")] == [nasty]

    assert not (folder / "harm").exists()
