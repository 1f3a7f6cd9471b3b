"""A failure where it is read: at the end of `antiphon run`, and in pytest's report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from antiphon.cli import main

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "closed.txt"
EXAMPLES = ROOT / "examples" / "contact_centre"

CENTRE = """
from antiphon_testbed import Closed, ContactCentre

def centre():
    return ContactCentre(answer_after_s=0, release_s=0, seed=7, faults=[Closed("resultSetHold", 4000, "maintenance")])
"""


@pytest.fixture(autouse=True)
def faulty_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with a stand whose centre closes the connection in the middle of a call."""
    (tmp_path / "faulty_centre.py").write_text(CENTRE, encoding="utf-8")
    (tmp_path / "antiphon.toml").write_text('[stands.faulty]\nstart = "faulty_centre:centre"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def golden_lines(text: str) -> list[str]:
    """The lines of the text that the golden one has, as it has them."""
    text = re.sub(r"/\S*?(examples/)", r"\1", text)
    text = re.sub(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", "<id1>", text)
    text = re.sub(r"\b(?:\d+ ms|\d+\.\d{3} s)(?= to | of the run)", "<t>", text)
    text = re.sub(r"(?:waiting from <t> to|at) <t> of the run", "waiting from <t> to <t> of the run", text)
    text = re.sub(r"\n(E   )? +(?:\d+ ms|\d+\.\d{3} s)  ", lambda found: f"\n{found[1] or ''}    <t>  ", text)
    text = re.sub(r"\b(?:\d+ ms|\d+\.\d{3} s)(?= earlier)", "<t>", text)
    text = re.sub(r"\b[0-9a-f]{8}…", "<id>…", text)
    return re.sub(r"(\.py):\d+", r"\1:<line>", text).splitlines()


def test_the_end_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", f"{EXAMPLES / 'calls.py'}:on_hold", "--stand", "faulty"]) == 1
    out, err = capsys.readouterr()
    *text, command = golden_lines(err)
    # The verdict above says that it failed.
    assert "\n".join(text) == GOLDEN.read_text(encoding="utf-8").rstrip()
    recorded = out.splitlines()[-1].removeprefix("recorded in ")
    assert command == f"  transcript: antiphon show {recorded}"
    assert main(["show", recorded, "--no-open"]) == 0
    assert capsys.readouterr().out.rstrip() == f"{recorded}/trace.html"


def test_whoever_has_seen_nothing_is_shown_the_last_messages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", f"{EXAMPLES / 'calls.py'}:on_hold", "--stand", "faulty", "--quiet"]) == 1
    *_, last, command = capsys.readouterr().err.splitlines()
    assert last.endswith("operator.desk was closed by the server with code 4000 'maintenance'")
    assert command.startswith("  transcript: antiphon show runs/")


def test_the_end_of_a_test(pytester: pytest.Pytester, tmp_path: Path) -> None:
    for name in ("faulty_centre.py", "antiphon.toml"):
        (pytester.path / name).write_text((tmp_path / name).read_text(encoding="utf-8"), encoding="utf-8")
    pytester.makepyfile(
        """
        from calls import on_hold

        def test_hold(play):
            play(on_hold, stand="faulty")
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio", "--tb=short")
    result.assert_outcomes(failed=1)
    headline, *details = GOLDEN.read_text(encoding="utf-8").splitlines()
    # pytest shows the code itself, above.
    details.remove('      await self.ask("setHold", workitemID=self.workitem_id)')
    lines = golden_lines(result.stdout.str())
    told = [line.removeprefix("E   ") for line in lines if line.startswith("E   ")]
    assert told[0] == f"antiphon.errors.ChannelClosed: {headline}"
    # What was said last is a note of the error, which Python does not indent.
    assert [line.strip() for line in told[1:]] == [line.strip() for line in details]
    (run,) = (pytester.path / "runs").iterdir()
    result.stdout.fnmatch_lines(
        [
            "*- antiphon -*",
            "*→ setHold *",
            "*○ desk is closed by the server with 4000 'maintenance'",
            "*✗ hold *ChannelClosed",
            "failed: on_hold in *",
            f"recorded in {run}",
            f"transcript: antiphon show runs/{run.name}",
        ],
        consecutive=False,
    )
