"""The registered tasks of the user."""

from __future__ import annotations

import inspect
from typing import Any

from ..view import Task
from .canvas import canvas_of, chooses_ids
from .sources import function_of, is_of_celery, source_of

OPTIONS = (
    "acks_late",
    "acks_on_failure_or_timeout",
    "acks_on_failure",
    "acks_on_timeout",
    "reject_on_worker_lost",
    "retry_on_worker_lost",
    "default_retry_delay",
    "max_retries",
    "autoretry_for",
    "retry_backoff",
    "retry_backoff_max",
    "retry_kwargs",
    "expires",
    "serializer",
    "compression",
    "rate_limit",
    "time_limit",
    "soft_time_limit",
    "track_started",
    "ignore_result",
    "priority",
)

REPLACEABLE = (
    "__call__",
    "on_failure",
    "on_success",
    "on_retry",
    "on_replace",
    "after_return",
    "before_start",
    "apply_async",
    "delay",
    "retry",
    "signature_from_request",
    "Request",
    "Strategy",
)


def read_tasks(app: Any) -> tuple[Task, ...]:
    """All tasks but those that Celery registers itself, in the order of their names."""
    names = sorted(name for name in app.tasks if not name.startswith("celery."))
    return tuple(_read_task(name, app.tasks[name]) for name in names)


def _read_task(name: str, task: Any) -> Task:
    function = function_of(getattr(task, "_orig_run", None) or task.run)
    return Task(
        name=name,
        source=source_of(function),
        options={option: getattr(task, option, None) for option in OPTIONS},
        is_bound=_is_bound(task),
        is_async=inspect.iscoroutinefunction(function),
        overrides=frozenset(member for member in REPLACEABLE if _is_replaced(type(task), member)),
        canvas=canvas_of(function) if function is not None else (),
        chooses_ids=function is not None and chooses_ids(function),
    )


def _is_bound(task: Any) -> bool:
    """A function gets the task as its first argument; methods of classes always do, which is no finding."""
    members = vars(type(task))
    return bool(members.get("_decorated")) and not isinstance(members.get("run"), staticmethod)


def _is_replaced(cls: type, member: str) -> bool:
    owner = next((base for base in cls.__mro__ if member in vars(base)), None)
    return owner is not None and not is_of_celery(owner.__module__)
