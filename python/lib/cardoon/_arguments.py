"""Whether arguments fit a function, and where one stands that cannot be sent."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any

from cardoon import _core
from cardoon.exceptions import ArgumentError, EncodeError

#: Longer paths are shown without their middle.
_MOST_STEPS = 20

#: What the compiled part says of a value that is nested too deeply, behind a path of all its levels.
_TOO_DEEP = re.compile(r"is nested deeper than \d+(?: levels)?")

_ANY_NUMBER = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


class Arguments:
    """What a function can be called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.signature = inspect.signature(function)
        self._fits = _table(self.signature)

    def check(self, task: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raises :class:`ArgumentError` for arguments that do not fit."""
        # `Signature.bind` takes longer than all else that sending does in Python.
        if len(args) < len(self._fits):
            required, allowed = self._fits[len(args)]
            names = kwargs.keys()
            if names >= required and names <= allowed:
                return
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(
                f"{task}{self.signature}: {error}", code="CD2004", kind="Invalid", hint="mend the call"
            ) from None

    def merged(
        self,
        old: tuple[tuple[Any, ...], Mapping[str, Any]],
        args: tuple[Any, ...] | None,
        kwargs: Mapping[str, Any] | None,
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a retry that gives only the positional ones or only the named ones anew: of the others those stay
        that are not given in another way now."""
        old_args, old_kwargs = old
        if args is not None:
            return args, dict(kwargs) if kwargs is not None else self._without(old_kwargs, len(args))
        if kwargs is None:
            return old_args, dict(old_kwargs)
        return self._replaced(old_args, kwargs)

    def parameter(self, place: int) -> str | None:
        """The name of the parameter that the positional argument at ``place`` is for."""
        taken = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, parameter in self.signature.parameters.items() if parameter.kind in taken]
        if place < len(names):
            return names[place]
        rest = (name for name, one in self.signature.parameters.items() if one.kind is Parameter.VAR_POSITIONAL)
        return next(rest, None)

    def _without(self, kwargs: Mapping[str, Any], positional: int) -> dict[str, Any]:
        given = [self.parameter(place) for place in range(positional)]
        return {name: value for name, value in kwargs.items() if name not in given}

    def _replaced(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        positional, named = list(args), dict(kwargs)
        for place in range(len(args)):
            name = self.parameter(place) or ""
            if name in named and self.signature.parameters[name].kind is Parameter.POSITIONAL_OR_KEYWORD:
                positional[place] = named.pop(name)
        return tuple(positional), named


def located(
    task: str, arguments: Arguments | None, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: EncodeError
) -> EncodeError:
    """``error`` with the place of the value in the call: ``send.args[0]["when"] (parameter mail) is of type …``."""
    for place, value in enumerate(args):
        parameter = arguments.parameter(place) if arguments else None
        shown = f" (parameter {parameter})" if parameter else ""
        found = _unwritable(value, f"{task}.args[{place}]", shown)
        if found:
            return _said_so(error, found)
    for name, value in kwargs.items():
        found = _unwritable(value, f"{task}.kwargs[{json.dumps(name)}]", "")
        if found:
            return _said_so(error, found)
    return error


def located_result(task: str, value: Any, error: EncodeError) -> EncodeError:
    """``error`` with the place of the value in the result."""
    return _said_so(error, _unwritable(value, f"the result of {task}", "") or error.message)


def _unwritable(value: Any, path: str, parameter: str) -> str | None:
    """What is wrong with ``value``, beginning with the path of the innermost value that cannot be written."""
    problem = _problem(value)
    if problem is None:
        return None
    too_deep = _TOO_DEEP.search(problem)
    if too_deep:
        return f"{path}{parameter} {too_deep[0]}, or holds itself"
    steps: list[str] = []
    while True:
        inner = next((step for step in _steps(value) if _problem(step[1]) is not None), None)
        if inner is None:
            return f"{path}{_joined(steps)}{parameter} {_problem(value)}"
        steps.append(inner[0])
        value = inner[1]


def _joined(steps: list[str]) -> str:
    half = _MOST_STEPS // 2
    return "".join(steps if len(steps) <= _MOST_STEPS else (*steps[:half], "…", *steps[-half:]))


def _problem(value: Any) -> str | None:
    try:
        _core.dumps(value)
    except EncodeError as error:
        return error.message.removeprefix("the value").lstrip()
    return None


def _steps(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{json.dumps(key) if isinstance(key, str) else repr(key)}]", item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{place}]", item) for place, item in enumerate(value)]
    return []


def _said_so(error: EncodeError, message: str) -> EncodeError:
    return EncodeError(
        message, code=error.code, kind=error.kind, causes=error.causes, checked=error.checked, hint=error.hint
    )


def _table(signature: inspect.Signature) -> list[tuple[frozenset[str], frozenset[str]]]:
    """For each number of positional arguments: the names that must be given beside them, and those that can. Empty if the
    function takes any number of arguments."""
    parameters = list(signature.parameters.values())
    if any(parameter.kind in _ANY_NUMBER for parameter in parameters):
        return []
    positional = [one for one in parameters if one.kind is not Parameter.KEYWORD_ONLY]
    named = [one for one in parameters if one.kind is Parameter.KEYWORD_ONLY]
    return [_rest(positional[given:] + named) for given in range(len(positional) + 1)]


def _rest(parameters: list[Parameter]) -> tuple[frozenset[str], frozenset[str]]:
    by_name = [one.name for one in parameters if one.kind is not Parameter.POSITIONAL_ONLY]
    required = [one.name for one in parameters if one.default is Parameter.empty]
    return frozenset(required), frozenset(by_name)
