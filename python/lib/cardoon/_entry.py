"""What a worker calls for a task."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cardoon import _trace
from cardoon._hooks import overrides
from cardoon.request import current_request
from cardoon.task import Task


def entry_of(task: Task[..., Any]) -> Callable[..., Any]:
    """The function itself where that is all; else one that calls the hooks too, within the trace of the call."""
    entry = _hooked(task)
    return _trace.within(task, entry) if _trace.is_used() else entry


def _hooked(task: Task[..., Any]) -> Callable[..., Any]:
    called: Callable[..., Any] = task if overrides(task, "__call__") else task.run
    if not any(overrides(task, name) for name in ("before_start", "on_success", "after_return")):
        return called
    return _with_async_hooks(task, called) if task._is_async() else _with_hooks(task, called)


def _with_hooks(task: Task[..., Any], called: Callable[..., Any]) -> Callable[..., Any]:
    def entry(*args: Any, **kwargs: Any) -> Any:
        id = current_request().id or ""
        task.before_start(id, args, kwargs)
        value = called(*args, **kwargs)
        task.on_success(value, id, args, kwargs)
        task.after_return("SUCCESS", value, id, args, kwargs, None)
        return value

    return entry


def _with_async_hooks(task: Task[..., Any], called: Callable[..., Any]) -> Callable[..., Any]:
    async def entry(*args: Any, **kwargs: Any) -> Any:
        id = current_request().id or ""
        task.before_start(id, args, kwargs)
        value = called(*args, **kwargs)
        if inspect.isawaitable(value):
            value = await value
        task.on_success(value, id, args, kwargs)
        task.after_return("SUCCESS", value, id, args, kwargs, None)
        return value

    return entry
