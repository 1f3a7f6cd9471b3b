"""Steps: things to be done, as values. Awaited, a step is done now; in a list, it is part of a workflow."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache, partial
from types import FunctionType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from antiphon.errors import AntiphonError, ScenarioError
from antiphon.journal import Argument
from antiphon.journal.arguments import GivenArguments, arguments_told, mask_argument
from antiphon.journal.masking import Masker
from antiphon.journal.masking.field_names import field_names
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.call_site import Place, caller
from antiphon.runtime.discarded import is_discarded
from antiphon.runtime.runtime import STEP, Runtime, step_under_way
from antiphon.runtime.tracebacks import author_frame
from antiphon.scenarios.signals import Signals
from antiphon.scenarios.timers import Timers

__all__ = ["STAGE", "Stage", "Step", "WrittenStep", "parameter_names", "require_fit", "told_arguments"]

R = TypeVar("R", covariant=True)


class Stage(Protocol):
    """Where steps are performed: the run's engine, its actors, its signals, and what was saved so far."""

    runtime: Runtime

    @property
    def signals(self) -> Signals:
        """The run's signals."""
        ...

    @property
    def timers(self) -> Timers:
        """The run's timers."""
        ...

    def actor_for(self, kind: type, step: Step[Any]) -> Any:
        """The one actor of that class."""
        ...

    def resolve(self, value: Any) -> Any:
        """The value with every reference to something saved replaced by what it is now."""
        ...

    def save(self, name: str, value: Any) -> None:
        """Keep what a called function returned."""
        ...


STAGE: ContextVar[Stage | None] = ContextVar("antiphon_stage", default=None)
"""The stage that the running code is on."""

_enter, _leave = STEP.set, STEP.reset  # made once, as `step_under_way`


class Step(Generic[R]):
    """Something to be done, with its arguments. It may be performed any number of times.

    `source` is where the author wrote it. `is_awaited` is True once it has been awaited.
    """

    __slots__ = ()

    is_action: ClassVar[bool] = False
    """Whether it is an actor's own, in the words of the business, and no word of a workflow."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    source: Place
    is_awaited: bool

    def __repr__(self) -> str:
        return f"<Step {self.title} at {self.source}>"

    def __del__(self) -> None:
        if self.is_awaited:
            return
        if (stage := STAGE.get()) is not None and is_discarded(self.source):
            for part in self.with_parts():
                part.is_awaited = True  # type: ignore[misc]  # it is told of once
            text = f"{self.title} was made, and neither awaited nor put into a workflow"
            stage.runtime.fail_from_anywhere(
                ScenarioError(text, place=self.source, hint="write `await` before it, or put it into the list")
            )

    def __await__(self) -> Generator[Any, Any, R]:
        """Do it, in the journal."""
        self.is_awaited = True  # type: ignore[misc]  # whoever is a step has the slot
        stage = STAGE.get()
        if stage is None:
            stage = self.stage_outside()
        begun, done, read_ns, origin_ns, masker, next_number = stage.runtime.for_steps
        step = PerformedStep(self, masker, next_number(), step_under_way(), self.who, read_ns() - origin_ns)
        # What is sent and awaited inside carries the step's number, also in tasks that copy this context.
        token = _enter(step)
        begun(step)
        try:
            # No coroutine of ours around the author's: each would have to be resumed for every message.
            return (yield from self._do(stage, step).__await__())
        # Cancellation too must have its end in the journal: that is how consequences are told from causes.
        except BaseException as error:
            self._place(error, step)
            step.outcome = "failed" if isinstance(error, Exception) else "cancelled"
            step.error = type(error).__name__ if step.outcome == "failed" else ""
            done = stage.runtime.record
            raise
        finally:
            _leave(token)
            step.ended_ns = read_ns() - origin_ns
            done((step,))

    @property
    def title(self) -> str:
        """The step as it was written, without secrets."""
        return f"{self.name}({arguments_told(self.arguments(Masker()))})"

    def arguments(self, masker: Masker) -> Iterator[Argument]:
        """The arguments without the secrets: those of parameters that are named like secrets are learnt by the
        masker."""
        return told_arguments(masker, self.argument_names(), self.args, self.kwargs)

    def given(self, masker: Masker) -> Sequence[Argument]:
        """The arguments for the record, made when somebody reads them: a run that nobody watches makes nothing of
        them."""
        return GivenArguments(partial(self.arguments, masker))

    def teach(self, masker: Masker) -> None:
        """Have the masker learn the arguments of parameters that are named like secrets.

        A run that is recorded learns them when the step is written; without a record its entry may fall out of memory
        before anybody reads it.
        """
        masker.learn_from([{called: value} for called, value in zip(self.argument_names(), self.args, strict=True)])
        masker.learn_from(self.kwargs)

    def argument_names(self) -> Sequence[str]:
        """What the positional arguments are called by whoever takes them, "" for what has no name."""
        return ("",) * len(self.args)

    def stage_outside(self) -> Stage:
        """The stage that it is performed on when it is awaited outside every scenario."""
        raise ScenarioError(
            f"{self.name} is not performed in a scenario",
            place=self.source,
            hint="await it in a function with @scenario, and perform that with play() or perform()",
        )

    @property
    def actor_kind(self) -> type | None:
        """The class whose one actor performs it, for a step that was made on the class."""
        return None

    def with_parts(self) -> Iterable[Step[Any]]:
        """The step, and those that it is made of."""
        return (self,)

    def check(self) -> None:
        """Raises ScenarioError for arguments that it cannot be done with."""

    @property
    def who(self) -> str:
        """The name of the actor that performs it, "" if none does."""
        return ""

    def _place(self, error: BaseException, step: PerformedStep) -> None:
        """Have the error say in which step it was raised; the innermost counts."""
        if isinstance(error, AntiphonError):
            # A wrong scenario has a place of its own, and is wrong before any step is done. Without either, no line of
            # the author's was under way: it is the step as it stands in a list that is wrong.
            if isinstance(error, ScenarioError):
                if error.place is None and author_frame(error) is None:
                    error.place = self.source
            elif not error.step:
                error.step = f"{step.title} at {self.source}"
        # Only the innermost step adds its note; those around it find it there.
        elif isinstance(error, Exception) and not hasattr(error, "__notes__"):
            error.add_note(f"in the step {step.title} at {self.source}")

    def _do(self, stage: Stage, step: PerformedStep) -> Awaitable[R]:
        raise NotImplementedError


class WrittenStep(Step[R]):
    """A step of any kind but the most frequent, an actor's action."""

    __slots__ = ("args", "is_awaited", "kwargs", "name", "source")

    def __init__(
        self,
        name: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        source: Place | None = None,
    ) -> None:
        self.name = name
        self.args = args
        self.kwargs = kwargs if kwargs is not None else {}
        self.source = source if source is not None else caller()
        self.is_awaited = False


def told_arguments(
    masker: Masker, called: Sequence[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[Argument]:
    """What a step is done with, as `Step.arguments` has it; `called` are the names of the positional ones."""
    for name, value in zip(called, args, strict=True):
        yield mask_argument(masker, value, name)
    for name, value in kwargs.items():
        yield mask_argument(masker, value, name, name)


@lru_cache(1024)  # an action is called by name in a report each time that it is done
def parameter_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names of the first `count` parameters that a function takes by position; "" where it has none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some functions in C have none
        parameters = []
    names = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    others = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "")
    return (*names[:count], *[others] * (count - len(names)))


@lru_cache(1024)
def may_take_secrets(function: Callable[..., Any]) -> bool:
    """Whether a parameter is named like a secret, or may be by whoever gives it (`**more`)."""
    secrecy = field_names(()).secrecy
    parameters = inspect.signature(function).parameters.values()
    return any(each.kind is each.VAR_KEYWORD or secrecy(each.name) for each in parameters)


def require_fit(step: Step[Any], function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Raises ScenarioError, at the step's place, if the function does not take these arguments."""
    # One that nobody else may keep alive: a function of its own for each run could hold all of that.
    if isinstance(function, FunctionType) and function.__closure__ is None and _fits(function, len(args), (*kwargs,)):
        return
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions in C have none
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        taken = str(signature).replace("(self, ", "(").replace("(self)", "()")
        raise ScenarioError(
            f"{step.title} does not fit: {error}",
            place=step.source,
            hint=f"it takes {taken}",
        ) from None


@lru_cache(1024)  # a workflow is checked before each of its runs, and is mostly the same
def _fits(function: FunctionType, count: int, names: tuple[str, ...]) -> bool:
    """Whether a function takes so many arguments by position, and those of these names."""
    try:
        inspect.signature(function).bind(*[None] * count, **dict.fromkeys(names))
    except (TypeError, ValueError):
        return False
    return True
