"""The live view of a load on a real terminal: drawn by its keys and its figures, and gone at the end."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

HARNESS = Path(__file__).parents[1] / "harness"
PATIENCE_S = 60


class Terminal:
    """A terminal on which the load of `show_load.py` is shown, at `pace_s` a second of it."""

    def __init__(self, pace_s: float, *flags: str, **environment: str) -> None:
        self.written = ""
        self.errors = ""
        self._seen = 0
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.master)
        self.process = subprocess.Popen(
            [sys.executable, str(HARNESS / "show_load.py"), str(pace_s), *flags],
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(slave)

    def read_until(self, pattern: str) -> None:
        """Read until that was written, beyond what was found before."""
        until_s = time.monotonic() + PATIENCE_S
        while (found := re.compile(pattern).search(self.written, self._seen)) is None:
            assert time.monotonic() < until_s, self.written[-3000:]
            assert self._read(), f"it ended without {pattern}: {self.written[-3000:]}"
        self._seen = found.end()

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def finish(self) -> int:
        """Its exit code; what it wrote until its end is in `written` and `errors`."""
        while self._read():
            pass
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read().decode()
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        os.close(self.master)

    def _read(self) -> bool:
        if not select.select([self.master], [], [], PATIENCE_S)[0]:
            pytest.fail(f"nothing more was written: {self.written[-3000:]}")
        try:
            chunk = os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # this is how Linux says that nobody has the terminal any more
                raise
            return False
        self.written += chunk.decode(errors="replace")
        return bool(chunk)


@pytest.fixture
def terminal() -> Iterator[Any]:
    made: list[Terminal] = []

    def make(pace_s: float, *flags: str, **environment: str) -> Terminal:
        made.append(Terminal(pace_s, *flags, **environment))
        return made[-1]

    yield make
    for each in made:
        each.close()


ENTERED, LEFT = r"\x1b\[\?1049h", r"\x1b\[\?1049l"


def test_the_load_is_drawn_and_steered_and_leaves_nothing_behind(terminal: Any) -> None:
    shown = terminal(0.2)
    shown.read_until(ENTERED)
    shown.read_until("running")
    assert termios.tcgetattr(shown.master) != shown.before, "keys come without Enter"
    shown.read_until(r"why conversations failed")
    shown.press("+")
    shown.press("p")
    shown.read_until("paused")
    shown.press("p")
    shown.read_until("running")
    shown.press("s")
    shown.read_until("nothing new begins")
    shown.press("s")
    shown.read_until(LEFT)
    assert shown.finish() == 0
    assert "said: [{'outgoing': 22.0, 'long_case': 9.0}, 'pause', 'go on', 'end 30', 'end 0']" in shown.errors
    assert termios.tcgetattr(shown.master) == shown.before
    # Below what was there before stands how it ended, in colours and otherwise plain.
    end = shown.written.rpartition("\x1b[?1049l")[2]
    assert "UNFINISHED" in end
    assert all(piece.split("m", 1)[0].replace(";", "").isdigit() for piece in end.split("\x1b[")[1:])


def test_it_is_drawn_without_flicker_and_not_too_often(terminal: Any) -> None:
    began_s = time.monotonic()
    shown = terminal(0.02)
    assert shown.finish() == 0
    took_s = time.monotonic() - began_s
    before, _, _ = shown.written.partition("\x1b[?1049l")
    entering, *frames = before.split("\x1b[?2026h")
    assert "\x1b[2J" in entering
    assert all(frame.startswith("\x1b[H") for frame in frames)
    assert not any("\x1b[2J" in frame for frame in frames), "once it is entered the screen is never cleared"
    assert {len(frame.split("\r\n")) for frame in frames} == {24}
    assert 2 <= len(frames) <= 4 * took_s + 1, "130 seconds of the load were played"


@pytest.mark.parametrize("how", ["raises", "interrupted"])
def test_the_terminal_is_restored_however_it_ends(terminal: Any, how: str) -> None:
    shown = terminal(0.2, *(["--raise"] if how == "raises" else []))
    shown.read_until(ENTERED)
    shown.read_until("running")
    if how == "interrupted":
        shown.process.send_signal(signal.SIGTERM)
    shown.read_until(LEFT)
    assert shown.finish() != 0
    assert termios.tcgetattr(shown.master) == shown.before
    assert ("the load broke" if how == "raises" else "SIGTERM") in shown.errors


def test_no_color_is_honoured(terminal: Any) -> None:
    shown = terminal(0.02, NO_COLOR="1")
    assert shown.finish() == 0
    assert "outbound_call" in shown.written
    assert not re.search(r"\x1b\[[\d;]*m", shown.written)


def test_a_dumb_terminal_gets_plain_lines(terminal: Any) -> None:
    shown = terminal(0.02, TERM="dumb")
    assert shown.finish() == 0
    assert "\x1b" not in shown.written
    assert "00:05  rate " in shown.written


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux: apt-get install tmux")
@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_on_tmux(tmp_path: Path, size: tuple[int, int]) -> None:
    """What a person sees, also after Ctrl-Z, `bg` and `fg`."""
    columns, rows = size
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "socket")]

    def run(*arguments: str) -> str:
        return subprocess.run([*tmux, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout

    def seen_until(pattern: str) -> list[str]:
        until_s = time.monotonic() + PATIENCE_S
        while not re.search(pattern, seen := run("capture-pane", "-p"), re.MULTILINE):
            assert time.monotonic() < until_s, seen
            time.sleep(0.1)
        return seen.splitlines()

    run("new-session", "-d", "-x", str(columns), "-y", str(rows), "env PS1='shell> ' bash --norc --noprofile -i")
    try:
        seen_until("shell>")
        run("send-keys", f"{sys.executable} {HARNESS / 'show_load.py'} 0.2", "Enter")
        seen = seen_until("why conversations failed")
        assert len(seen) == rows
        assert seen[0].startswith("outgoing+long_case on local")
        assert seen[0].endswith("running")
        assert seen[-1] == "+ more  - less  p pause  s stop  l look"
        assert not any("shell>" in line for line in seen)
        run("send-keys", "C-z")
        assert any("show_load.py" in line for line in seen_until(r"Stopped"))
        run("send-keys", "bg", "Enter")
        seen_until("&$")
        assert not any("running" in line for line in run("capture-pane", "-p").splitlines())
        run("send-keys", "fg", "Enter")
        seen_until(" running$")
        run("send-keys", "s")
        seen_until(" ending$")
        run("send-keys", "s")
        seen_until("^said: ")
        # What a shell needs of its terminal is as it was.
        run("send-keys", "clear", "Enter", "stty -a", "Enter")
        assert any(" icanon" in line for line in seen_until(" icanon"))
    finally:
        run("kill-server")
