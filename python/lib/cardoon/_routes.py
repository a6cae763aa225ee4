"""Which queue a task goes to, by ``task_routes``."""

from __future__ import annotations

import fnmatch
import importlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardoon.task import Task


def route(
    routes: Any,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: Mapping[str, Any],
    task: Task[..., Any] | None,
) -> dict[str, Any]:
    """The options that the first route that knows the task gives it. A route is a mapping of names or patterns, a list of
    pairs of them, a function, or the path of one."""
    for one in _listed(routes):
        if isinstance(one, str):
            one = _attribute(one)
        found = one(name, args, kwargs, options, task=task) if callable(one) else _in_map(dict(one), name)
        if found:
            return dict(found) if isinstance(found, Mapping) else {"queue": found}
    return {}


def _listed(routes: Any) -> list[Any]:
    if not isinstance(routes, (list, tuple)):
        return [routes]
    are_pairs = all(isinstance(one, tuple) and len(one) == 2 for one in routes)
    return [routes] if are_pairs else list(routes)


def _in_map(routes: dict[Any, Any], name: str) -> Any:
    """A name goes before patterns, wherever it stands."""
    if name in routes:
        return routes[name]
    return next((to for pattern, to in routes.items() if _matches(pattern, name)), None)


def _matches(pattern: Any, name: str) -> bool:
    if isinstance(pattern, re.Pattern):
        return bool(pattern.match(name))
    return fnmatch.fnmatchcase(name, pattern)


def _attribute(path: str) -> Any:
    module, _, name = path.rpartition(":" if ":" in path else ".")
    return getattr(importlib.import_module(module), name)
