"""The page for beginners, walked through from its top to its end in one folder, as a newcomer does."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from manual.blocks import BLOCKS, Block

START = "docs/START.md"
BIN = Path(sys.executable).parent
FAILS = re.compile(r"^(?P<command>.*?) +# exit code (?P<code>\d+)$", re.MULTILINE)


def walk(block: Block, port: int) -> str:
    """What a reader does with a block, as commands of a shell that stops at the first that fails."""
    text = block.text.replace("8766", str(port))
    if block.title:
        return f"cat > {block.title} <<'END OF FILE'\n{text}END OF FILE\n"
    # Who reads waits as long as it takes; and the second time it is the port that must be free again.
    text = re.sub(r"(?<=kill %1\n)sleep 1\n", "wait || true\n", text)
    text = text.replace("sleep 1\n", f"until (: < /dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done\n")
    return FAILS.sub(r"code=0; \g<command> || code=$?; [ $code = \g<code> ]", text)


@pytest.mark.slow
def test_a_newcomer_comes_to_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    blocks = [block for block in BLOCKS if block.page == START and block.reason is None and block.language]
    script = "set -e\n" + "\n".join(walk(block, port) for block in blocks)
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_"))}

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**usual, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout
    assert re.search(r"waited 1\.\d+ s for newAgentState where \{state: 'gone'\}, and it did not come", done.stdout)
    assert "state is 'ready', wanted 'gone'" in done.stdout
    assert "2 passed" in done.stdout
    assert "passed: echoes" in done.stdout
    assert "no server is listening" in done.stdout


def test_what_it_shows_of_a_failure_are_lines_of_the_project_that_new_makes() -> None:
    project = (Path(__file__).parents[2] / "examples/new_project/calls.py").read_text(encoding="utf-8").splitlines()
    shown = "".join(block.text for block in BLOCKS if block.page == START and not block.language)
    waits, performs = (int(number) for number in re.findall(r"at calls\.py:(\d+)", shown))
    assert 'self.expect("newAgentState"' in project[waits - 1]
    assert "Operator.become(state)" in project[performs - 1]
