"""`antiphon new`: a project that is green as it stands, wherever it is tried."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from antiphon.cli import main

ROOT = Path(__file__).parents[2]
FILES = {
    *(".github/workflows/calls.yml", ".gitignore", "Jenkinsfile", "README.md"),
    *("antiphon.toml", "calls.py", "pytest.ini", "requirements.txt", "test_calls.py"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A new project, which is the working directory."""
    folder = tmp_path / "mine"
    assert main(["new", str(folder)]) == 0
    capsys.readouterr()
    monkeypatch.chdir(folder)
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_"))}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=usual, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_has_all_that_a_project_needs_and_nothing_that_was_left_there(project: Path) -> None:
    assert {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()} == FILES


def test_what_to_do_next_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a/b"

    assert main(["new", str(folder)]) == 0

    told = capsys.readouterr().out
    assert f"{folder / 'calls.py'}\n" in told
    assert f"  cd {folder}\n  antiphon run calls.py:greet\n" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("-m", "antiphon", "run", "calls.py:greet"),
        ("calls.py", "--state", "notReady"),
        ("-m", "pytest", "-q"),
    ],
    ids=["job", "script", "tests"],
)
def test_it_is_green(project: Path, command: tuple[str, ...]) -> None:
    done = run(project, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


@pytest.mark.slow
def test_it_is_a_project_of_its_own_within_another(project: Path) -> None:
    """As within a clone of antiphon, whose tests have other settings."""
    (project.parent / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n')
    done = run(project, "-m", "pytest", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([*project.glob("runs/*/junit.xml")]) == 2


@pytest.mark.slow
def test_it_is_red_when_it_should_be(project: Path) -> None:
    done = run(project, "-m", "antiphon", "run", "calls.py:greet", "--state", "asleep")
    assert done.returncode == 1
    assert "operator.desk was refused changeAgentState" in done.stderr


def test_its_settings_can_be_read(project: Path) -> None:
    stands = tomllib.loads((project / "antiphon.toml").read_text())
    workflow = yaml.safe_load((project / ".github/workflows/calls.yml").read_text())

    assert stands["default"] in stands["stands"]
    assert {"run": "pytest --antiphon-report summary"} in workflow["jobs"]["calls"]["steps"]
    assert (project / "Jenkinsfile").read_text().count("{") == (project / "Jenkinsfile").read_text().count("}")


def test_the_head_of_its_script_can_be_read(project: Path) -> None:
    """As PEP 723 has it: `uv run calls.py`."""
    head, _, _ = (project / "calls.py").read_text().removeprefix("# /// script\n").partition("# ///\n")
    told = tomllib.loads("".join(line.removeprefix("# ") for line in head.splitlines(keepends=True)))
    assert told == {"requires-python": ">=3.11", "dependencies": ["antiphon"]}


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "calls.py").write_text("mine")
    (tmp_path / "more").mkdir()

    assert main(["new", str(tmp_path)]) == 2

    told = capsys.readouterr().err
    assert f"{tmp_path} is not empty: there is calls.py and 1 more" in told
    assert "hint: name a folder that is not there yet" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calls.py", "more"]
    assert (tmp_path / "calls.py").read_text() == "mine"


def test_an_empty_folder_will_do_and_a_file_or_a_link_will_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["new", str(tmp_path / "empty")]) == 0

    (tmp_path / "file").write_text("")
    assert main(["new", str(tmp_path / "file")]) == 2
    assert "file is a file" in capsys.readouterr().err

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    assert main(["new", str(tmp_path / "link")]) == 2
    assert "link is a link to elsewhere" in capsys.readouterr().err
    assert list((tmp_path / "elsewhere").iterdir()) == []
