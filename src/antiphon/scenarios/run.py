"""A scenario performed: its actors, what came of it, and where it is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from antiphon.actor.actor import Actor
from antiphon.errors import ScenarioError
from antiphon.journal import RunVerdict
from antiphon.journal.recordable import Recordable, entries_of
from antiphon.runtime.runtime import Runtime
from antiphon.scenarios.saved import Returned, resolve
from antiphon.scenarios.scenario import Scenario
from antiphon.scenarios.signals import Signals
from antiphon.scenarios.step import Step
from antiphon.scenarios.timers import Timers

__all__ = ["Run"]


class Run:
    """A scenario performed, or being performed.

    verdict: "passed", "failed" (the peer did not do what was expected), "error" (anything else), "interrupted", or ""
    while it is under way. error: what it failed with. returned: what called functions returned. value: what an async
    scenario returned. is_strict: whether what nobody expected fails it.
    directory: where it was recorded, None if it was not. Its actors are attributes: `run.operator`.
    """

    def __init__(
        self, scenario: Scenario[Any, Any], parameters: dict[str, Any], directory: Path | None, runtime: Runtime
    ) -> None:
        self.scenario = scenario
        self.parameters = parameters
        self.directory = directory
        self.runtime = runtime
        self.actors: dict[str, Actor] = {}
        self.signals = Signals(runtime)
        self.timers = Timers(runtime)
        self.is_strict = scenario.is_strict
        self.returned = Returned()
        self.value: Any = None
        self.verdict: RunVerdict | Literal[""] = ""
        self.error: BaseException | None = None
        self.duration_s = 0.0
        self._recorded: Sequence[Recordable] = ()
        self._players: dict[type, Actor] = {}

    def __getattr__(self, name: str) -> Any:
        # By way of `__dict__`: copies ask for attributes before `__init__` has set any.
        actors = self.__dict__.get("actors", {})
        if name in actors:
            return actors[name]
        raise AttributeError(
            f"the run of {self.scenario.name} has no {name!r}; its actors are {', '.join(actors) or 'none'}"
        )

    def __repr__(self) -> str:
        return f"<Run of {self.scenario.name}: {self.verdict or 'under way'}>"

    @property
    def journal(self) -> list[Any]:
        """The latest entries, unmasked: messages and whatever else happened, in order."""
        return [*entries_of(self._recorded), *self.runtime.journal.entries]

    def take_record(self) -> None:
        """The run is over: have its record here only, where nothing of it leads to.

        As it is: entries are made when somebody reads them, and of most runs under load nobody does.
        """
        self._recorded = self.runtime.journal.hand_over()

    # -- the stage that its steps are performed on --------------------------------------------------------------------

    def actor_for(self, kind: type, step: Step[Any]) -> Actor:
        """The one actor of that class. Raises ScenarioError if there is none, or more than one."""
        known = self._players.get(kind)
        if known is not None:
            return known
        found = [actor for actor in self.actors.values() if isinstance(actor, kind)]
        if len(found) == 1:
            self._players[kind] = found[0]  # a run's actors are the same to its end
            return found[0]
        have = ", ".join(f"{name} ({type(actor).__name__})" for name, actor in self.actors.items()) or "none"
        place = step.source
        if not found:
            raise ScenarioError(
                f"{step.name} is a step of {kind.__name__}, and {self.scenario.name} has no such actor",
                place=place,
                hint=f"its actors are: {have}",
            )
        raise ScenarioError(
            f"{step.name} could be done by several actors: {', '.join(actor.name for actor in found)}",
            place=place,
            hint=f"say who: {found[0].name}.{step.name}(…), or by={found[0].name} for send() and expect()",
        )

    def resolve(self, value: Any) -> Any:
        """The value with references to saved things looked up."""
        return resolve(value, _Namespace(self)) if _may_refer(value) else value

    def save(self, name: str, value: Any) -> None:
        """Keep what a call returned."""
        self.returned.add(name, value)


class _Namespace(Mapping[str, Any]):
    """What `saved.x` may mean: results first, then actors, then the attributes of a sole actor.

    The first is nearest: what a call returned may have the name of an attribute by chance.
    """

    def __init__(self, run: Run) -> None:
        self._nearest = (run.returned.by_name(), run.actors)
        self._own = vars(next(iter(run.actors.values()))) if len(run.actors) == 1 else {}

    def __getitem__(self, name: str) -> Any:
        for layer in self._nearest:
            if name in layer:
                return layer[name]
        if str(name).startswith("_"):
            raise KeyError(name)
        return self._own[name]

    def __iter__(self) -> Iterator[str]:
        own = (name for name in self._own if not name.startswith("_"))
        return iter(dict.fromkeys((*own, *self._nearest[1], *self._nearest[0])))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _may_refer(value: Any) -> bool:
    return type(value) not in (str, int, float, bool, bytes, type(None))
