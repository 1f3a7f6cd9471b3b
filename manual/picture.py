"""The picture of the README: `make picture`, which needs a chromium.

Two operators and a customer at the contact centre, and the trace of what they said, as `antiphon show` opens it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import sync_playwright

import antiphon
from antiphon.scenarios.scenario import find_scenario
from manual.places import ROOT

__all__ = ["take"]

PICTURE: Final = ROOT / "docs" / "trace.png"
_SCENARIO: Final = ROOT / "examples" / "contact_centre" / "transfers.py"
_WIDTH, _HEIGHT = 1180, 660


def take(into: Path) -> None:
    """Play, and take the picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("there is no chromium: apt-get install chromium")
    with TemporaryDirectory() as folder:
        stand = antiphon.Stand("centre", start="antiphon_testbed:ContactCentre")
        run = antiphon.play(find_scenario(f"{_SCENARIO}:consult"), stand=stand, runs=Path(folder), reports=["trace"])
        assert run.directory is not None
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light")
            page.goto((run.directory / "trace.html").as_uri())
            page.wait_for_load_state()
            page.screenshot(path=into)
            browser.close()


if __name__ == "__main__":
    take(PICTURE)
