"""Where code of the user stands."""

from __future__ import annotations

import functools
import inspect
import os
from types import FunctionType, MethodType

from ..view import Source

_LIBRARIES = ("celery", "kombu", "billiard", "vine")


def function_of(value: object) -> FunctionType | None:
    """The function behind decorators, methods and partial applications."""
    while not isinstance(value, FunctionType) or hasattr(value, "__wrapped__"):
        inner = _inner(value)
        if inner is None or inner is value:
            return value if isinstance(value, FunctionType) else None
        value = inner
    return value


def _inner(value: object) -> object | None:
    if isinstance(value, MethodType):
        return value.__func__
    if isinstance(value, functools.partial):
        return value.func
    return getattr(value, "__wrapped__", None)


def source_of(value: object) -> Source | None:
    """The file and first line of a function or class, decorators included."""
    if isinstance(value, type):
        return _source_of_class(value)
    function = function_of(value)
    if function is None:
        return None
    code = function.__code__
    return Source(_short(code.co_filename), code.co_firstlineno)


def _source_of_class(value: type) -> Source | None:
    try:
        return Source(_short(inspect.getsourcefile(value) or ""), inspect.getsourcelines(value)[1])
    except (OSError, TypeError):
        # A bootstep's changed name is not found in its file; its first method is near enough.
        members = (member for member in vars(value).values() if isinstance(member, FunctionType))
        return next((source_of(member) for member in members if not is_of_celery(member.__module__)), None)


def _short(path: str) -> str:
    here = os.path.join(os.getcwd(), "")
    return path[len(here) :] if path.startswith(here) else path


def is_of_celery(module: object) -> bool:
    """Whether a module of this name comes with Celery."""
    return isinstance(module, str) and module.split(".")[0] in _LIBRARIES


def qualified(value: object) -> str:
    """`module.name` of a function, class or instance."""
    named = function_of(value) or (value if isinstance(value, type) else type(value))
    # Celery writes the module into the name of a bootstep.
    name = named.__qualname__.removeprefix(f"{named.__module__}.")
    return f"{named.__module__}.{name}"
