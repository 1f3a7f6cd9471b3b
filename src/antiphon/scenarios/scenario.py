"""Scenarios: functions with actors and typed parameters that perform steps or return a workflow."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Generic, ParamSpec, TypeVar, overload

import msgspec

from antiphon.actor.actor import Actor
from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.runtime.call_site import local_names, place, place_of
from antiphon.runtime.tracebacks import author_frame

__all__ = ["Parameter", "Scenario", "find_scenario", "load_file", "scenario", "scenarios_of"]

P = ParamSpec("P")
R = TypeVar("R")

REQUIRED: Final = inspect.Parameter.empty


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a scenario that is no actor. `default` is `REQUIRED` if it must be given."""

    name: str
    type: Any
    default: Any

    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED

    @property
    def actor_hint(self) -> str:
        """What to do if it has no type, and was meant to be an actor."""
        return f"an actor is known by its class: {self.name}: {self.name.capitalize()}"


class Scenario(Generic[P, R]):
    """A function that can be performed; `names` are those that its types may refer to beside its module's.

    `actors` are its parameters whose type is a class of actors; `parameters` are the others. Called, it is the plain
    function: one scenario may be a part of another.
    """

    def __init__(
        self, function: Callable[P, R], names: Mapping[str, Any] | None = None, is_strict: bool = False
    ) -> None:
        self.function = function
        self.is_strict = is_strict
        self.name: str = function.__name__
        self.doc: str = inspect.getdoc(function) or ""
        self.is_async = inspect.iscoroutinefunction(function)
        self.place = place_of(function)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function
        self.actors: dict[str, type[Actor]] = {}
        self._default_actors: dict[str, Actor] = {}
        self.parameters: dict[str, Parameter] = {}
        self._read_signature(function, names)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Scenario {self.name} at {self.place}>"

    @property
    def folder(self) -> Path:
        """Where the file lies that it is written in."""
        return Path(inspect.getfile(self.function)).resolve().parent

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return self.doc.partition("\n")[0]

    def _read_signature(self, function: Callable[..., Any], names: Mapping[str, Any] | None) -> None:
        try:
            hints = typing.get_type_hints(function, localns=dict(names) if names is not None else None)
        except Exception as error:
            raise ScenarioError(f"the types of {self.name} cannot be read: {error}", place=self.place) from error
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise ScenarioError(
                    f"{self.name} takes {parameter}, but a scenario has named parameters only", place=self.place
                )
            kind = hints.get(parameter.name, Any)
            if isinstance(kind, type) and issubclass(kind, Actor):
                # An actor is given by its class, so that each run has a new one, with nothing learnt by the last.
                self.actors[parameter.name] = kind
                if isinstance(parameter.default, Actor):
                    self._default_actors[parameter.name] = parameter.default
            elif parameter.name in _RESERVED:
                raise ScenarioError(
                    f"{self.name} has a parameter {parameter.name!r}, which play() and perform() use themselves",
                    place=self.place,
                    hint="call it otherwise",
                )
            else:
                self.parameters[parameter.name] = Parameter(parameter.name, kind, parameter.default)

    def new_actor(self, name: str) -> Actor:
        """A new actor for that parameter: a copy of its default value, or one of its class.

        Raises ScenarioError if the class needs arguments.
        """
        if name in self._default_actors:
            # A default value is made once, when the function is defined; runs must not share it.
            return copy.deepcopy(self._default_actors[name])
        kind = self.actors[name]
        try:
            return kind()
        except TypeError as error:
            raise ScenarioError(
                f"{kind.__name__} cannot be made without arguments: {error}",
                place=self.place,
                hint="give defaults to its __init__, or pass a ready actor to play() and perform()",
            ) from error

    def arguments(self, given: Mapping[str, Any], *, later: Container[str] = ()) -> dict[str, Any]:
        """The values of all parameters, checked against their types; defaults where nothing is given.

        Those whose names are in `later` are left out: they get their value when the scenario is performed. Raises
        ScenarioError for a parameter that is missing, unknown or of a wrong type.
        """
        unknown = [name for name in given if name not in self.parameters]
        if unknown:
            raise ScenarioError(
                f"{self.name} has no parameter {unknown[0]!r}",
                place=self.place,
                hint=f"it has {', '.join(self.parameters) or 'none'}",
            )
        own = self.parameters.items()
        return {name: self._argument(parameter, given) for name, parameter in own if name not in later}

    def _argument(self, parameter: Parameter, given: Mapping[str, Any]) -> Any:
        if parameter.name not in given:
            if parameter.is_required:
                hint = f"{parameter.name}=… in play(), --{parameter.name.replace('_', '-')} on the command line"
                raise ScenarioError(
                    f"{self.name} needs a value for {parameter.name!r}",
                    place=self.place,
                    hint=f"{hint}; {parameter.actor_hint}" if parameter.type is Any else hint,
                )
            return parameter.default
        value = given[parameter.name]
        if not _is_of_type(value, parameter.type):
            kind = getattr(parameter.type, "__name__", str(parameter.type))
            raise ScenarioError(
                f"{self.name} takes {parameter.name} as {kind}, not {shorten(value)}",
                place=self.place,
            )
        return value


_RESERVED: Final = frozenset({"stand", "runs", "directory", "reports", "watch", "linger_s", "strict", "keep"})


@overload
def scenario(function: Callable[P, R]) -> Scenario[P, R]: ...
@overload
def scenario(*, strict: bool = False) -> Callable[[Callable[P, R]], Scenario[P, R]]: ...
def scenario(function: Callable[..., Any] | None = None, *, strict: bool = False) -> Any:
    """Makes a function a scenario: `play` and `perform` perform it, the command line and pytest find it.

    Its parameters are actors (annotated with their class) and values (annotated with their types). It is either
    `async def` and performs steps, or an ordinary function that returns a workflow: a list of steps. strict: every
    message that is received must be expected, handled, or declared ignored; what is left at the end fails the run.
    """
    # Types may be written as text (PEP 563) and name classes that are local to where the decorator stands.
    names = local_names()
    if function is not None:
        return Scenario(function, names, strict)
    return lambda function: Scenario(function, names, strict)


def scenarios_of(module: ModuleType) -> dict[str, Scenario[Any, Any]]:
    """The scenarios that a module has, by name, in the order of their definition; not those that it imports."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, Scenario) and value.__module__ == module.__name__
    }


def find_scenario(target: str) -> Scenario[Any, Any]:
    """The scenario that `FILE.py:NAME` means; `FILE.py` alone if it has one only.

    Raises ScenarioError if there is no such file, it cannot be imported, or has no such scenario.
    """
    file, _, name = target.rpartition(":") if ".py:" in target else (target, "", "")
    module = load_file(file)
    found = scenarios_of(module)
    if name in found:
        return found[name]
    if inspect.isfunction(plain := getattr(module, name, None)) and plain.__module__ == module.__name__:
        hint = f"write @scenario above `def {name}`"
        raise ScenarioError(f"{name!r} is a function, and no scenario yet", place=place_of(plain), hint=hint)
    there = f"there is {', '.join(found)}" if found else "it has none: a scenario is a function with @scenario"
    if name:
        raise ScenarioError(f"there is no scenario {name!r}", place=file, hint=there)
    if len(found) != 1:
        raise ScenarioError("which scenario is meant?", place=file, hint=f"{file}:NAME; {there}")
    return next(iter(found.values()))


def load_file(file: str) -> ModuleType:
    """Import a file of scenarios, with its folder importable, as Python does with a script."""
    path = Path(file)
    if not path.is_file():
        hint = "FILE.py:SCENARIO" if ".py" not in file else f"the working directory is {Path.cwd()}"
        raise ScenarioError(f"there is no file {file!r}", hint=hint)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise ScenarioError(f"{file!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up there while it is still being executed.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except ScenarioError:
        raise
    except Exception as error:
        raise ScenarioError(
            f"{file} cannot be imported: {type(error).__name__}: {error}", place=_last_place(error) or file
        ) from error
    return module


def _last_place(error: BaseException) -> str | None:
    """The innermost line of the traceback that is the author's."""
    if isinstance(error, SyntaxError):
        # It has neither for a file with NUL bytes, as of UTF-16.
        return f"{error.filename}:{error.lineno}" if error.filename else None
    frame = author_frame(error)
    return place(frame.filename, frame.lineno or 0) if frame is not None else None


def _is_of_type(value: Any, kind: Any) -> bool:
    if kind is Any:
        return True
    try:
        # First as it is: an enum or a datetime that was given ready is what it should be.
        return _converts(value, kind) or _converts(msgspec.to_builtins(value), kind)
    except TypeError:  # a type, or a value, that msgspec does not know
        return not isinstance(kind, type) or isinstance(value, kind)


def _converts(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, strict=True, builtin_types=(bytes, bytearray))
    except msgspec.ValidationError:
        return isinstance(kind, type) and isinstance(value, kind) and not isinstance(value, bool)
    return True
