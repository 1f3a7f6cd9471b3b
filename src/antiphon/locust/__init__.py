"""The same load on a Locust cluster: `users("plan.py:busy_day")` in a locustfile makes users of a plan's parts.

Locust patches the standard library for gevent when it is imported, and so do the modules here, which import it: so this
one does not, until it is asked for what a locustfile needs. The engines that hold the conversations are processes of
their own (`antiphon.load.worker`), and never do.
"""

from importlib import import_module
from typing import Any

__all__ = ["users"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("antiphon.locust.plugin"), name)
