"""Shows a load that was made up as `antiphon load` shows one: `python show_load.py PACE_S [--quiet] [--raise]`.

A second of it is played every PACE_S seconds, for two minutes of it, or until it is ended; then it tells its end. With
`--raise` it breaks after ten of them. What the keys said is written to standard error.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from typing import Any

from load_records import LoadBook
from load_watching import FakeDirector

from antiphon.cli.interruption import run_until_told
from antiphon.cli.load_view import LoadView
from antiphon.cli.screen import Screen
from antiphon.journal.figures import LoadChanged, LoadStarted, Second


class Steered(FakeDirector):
    """Its changes are in the record, as a director's are."""

    def __init__(self, view: LoadView) -> None:
        super().__init__()
        self._view = view

    def change(self, asked: Any, text: str) -> None:
        super().change(asked, text)
        self.play(self._view, [LoadChanged(at_ns=round(self.now_s * 1e9), text=text, asked=dict(asked))])


async def show(pace_s: float, view: LoadView, *, breaks: bool) -> Steered:
    director = Steered(view)
    with closing(view):
        for number, entry in enumerate(LoadBook(failing=0.2).entries()):
            if director.said and str(director.said[-1]) == "end 0":
                break
            if breaks and number == 10:
                raise RuntimeError("the load broke")
            director.play(view, [entry])
            if isinstance(entry, LoadStarted):
                view.begin(director)
            if isinstance(entry, Second):
                await asyncio.sleep(pace_s)
    return director


def main() -> None:
    view = LoadView(Screen(), is_quiet="--quiet" in sys.argv)
    director = run_until_told(show(float(sys.argv[1]), view, breaks="--raise" in sys.argv))
    view.tell_end()
    sys.stderr.write(f"said: {director.said}\n")
    if view.error is not None:
        raise view.error


if __name__ == "__main__":
    main()
