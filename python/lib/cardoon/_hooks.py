"""The hooks of tasks: methods that a subclass overrides."""

from __future__ import annotations

import traceback
from typing import Any

from cardoon.request import Context
from cardoon.task import Task


def overrides(task: Task[..., Any], name: str) -> bool:
    """Whether the task has a method of its own. Hooks that are not overridden do nothing, and need not be called."""
    return getattr(type(task), name) is not getattr(Task, name)


def on_failure(task: Task[..., Any], request: Context, error: BaseException, text: str) -> None:
    """Says that the task has failed for good; ``text`` is the traceback."""
    _call(task, "on_failure", request, error, text)
    if overrides(task, "after_return"):
        arguments = ("FAILURE", error, request.id or "", request.args, request.kwargs, text)
        _guarded(lambda: task.after_return(*arguments))


def on_retry(task: Task[..., Any], request: Context, error: BaseException, text: str) -> None:
    """Says that the task is tried again."""
    _call(task, "on_retry", request, error, text)


def _call(task: Task[..., Any], hook: str, request: Context, error: BaseException, text: str) -> None:
    if overrides(task, hook):
        _guarded(lambda: getattr(task, hook)(error, request.id or "", request.args, request.kwargs, text))


def _guarded(call: Any) -> None:
    try:
        call()
    except Exception:  # noqa: BLE001 - a hook's mistake must not change how the task ended.
        traceback.print_exc()
