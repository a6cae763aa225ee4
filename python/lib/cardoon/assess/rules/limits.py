"""Rate limits, time limits, and options that settings give to tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..findings import Finding
from ..view import AppView, Task
from .places import at_setting, at_task
from .pools import pool_name

_TIME_LIMITS = ("time_limit", "soft_time_limit")


def rate_limit(view: AppView) -> Iterator[Finding]:
    if view.get("worker_disable_rate_limits"):
        return
    usual = view.get("task_default_rate_limit")
    if usual:
        yield at_setting("rate-limit", view, "task_default_rate_limit", pattern="*")
    for task in view.tasks:
        if task.get("rate_limit") and task.get("rate_limit") != usual:
            yield at_task("rate-limit", task, "rate_limit", pattern=task.name)


def time_limits(view: AppView) -> Iterator[Finding]:
    finding = "time-limit" if pool_name(view) in ("prefork", "processes") else "time-limit-pool"
    for limit in _TIME_LIMITS:
        if view.get(f"task_{limit}"):
            yield at_setting(finding, view, f"task_{limit}")
    for task in view.tasks:
        own = _own_limit(view, task)
        if own:
            yield at_task(finding, task, own)


def _own_limit(view: AppView, task: Task) -> str | None:
    given = _annotated(view, task)
    limits = (limit for limit in _TIME_LIMITS if task.get(limit) and task.get(limit) != view.get(f"task_{limit}"))
    return next((limit for limit in limits if limit not in given), None)


def _annotated(view: AppView, task: Task) -> frozenset[str]:
    """The options of a task that are those of `task_annotations`."""
    annotations = view.get("task_annotations")
    listed = annotations if isinstance(annotations, (list, tuple)) else [annotations]
    options = [one.get(name) for one in listed if isinstance(one, Mapping) for name in ("*", task.name)]
    return frozenset(str(option) for one in options if isinstance(one, Mapping) for option in one)


def annotated(view: AppView) -> Iterator[Finding]:
    if view.get("task_annotations"):
        yield at_setting("annotations", view, "task_annotations")


RULES = (rate_limit, time_limits, annotated)
