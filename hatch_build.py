"""Puts the example into the wheel.

In a checkout `src/antiphon_testbed/example` is a link to `examples/contact_centre`, which an sdist does not hold. An
editable install has the link itself: a copy in site-packages beside it would be a second, stale example.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ExampleHook(BuildHookInterface):  # type: ignore[type-arg]
    """Found by hatchling, as the only build hook of this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Copy the example into a wheel that is no editable one."""
        if version != "editable":
            build_data["force_include"]["examples/contact_centre"] = "antiphon_testbed/example"
