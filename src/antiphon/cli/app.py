"""A command, as all of ours are: it raises its errors, gives its exit code, and shows its help on the screen."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from antiphon.cli.screen import Screen

__all__ = ["Flag", "OurScreen", "ShowsTraceback", "plain_app"]

Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option without a value, which is off unless it is given."""

OurScreen = Annotated[Screen, Parameter(parse=False)]
"""What a command takes as `screen`: where it writes. It is no option."""

ShowsTraceback = Annotated[bool, Parameter(parse=False)]
"""What a command takes as `shows_traceback`: whether --traceback was given, which any command line may have."""


def plain_app(name: str, screen: Screen) -> App:
    """A command without commands of its own yet, which raises its errors and shows its help on the screen."""
    return App(
        name=name,
        version_flags=[],
        help_format="plaintext",
        help_formatter="default" if screen.output.is_terminal else "plain",
        console=screen.help_console(),
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
    )
