"""A command, as all of ours are: it raises its errors, gives its exit code, and shows its help on the screen."""

from __future__ import annotations

from cyclopts import App

from antiphon.cli.screen import Screen

__all__ = ["plain_app"]


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
