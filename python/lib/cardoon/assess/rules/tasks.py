"""What tasks do by themselves: retries, handlers, classes, workflows."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, Kind, Where
from ..view import AppView, Task
from .places import at_members, at_setting, at_task
from .urls import REDIS, broker_scheme

_MEMBERS = {
    "custom-call": frozenset({"__call__"}),
    "task-handlers": frozenset({"on_failure", "on_success", "on_retry", "on_replace", "after_return", "before_start"}),
    "custom-send": frozenset({"apply_async", "delay", "retry", "signature_from_request"}),
    "custom-request": frozenset({"Request", "Strategy"}),
}


def replaced_members(view: AppView) -> Iterator[Finding]:
    for finding, members in _MEMBERS.items():
        for task in view.tasks:
            if task.overrides & members:
                yield at_members(finding, task, task.overrides & members)


def bound(view: AppView) -> Iterator[Finding]:
    return (at_task("bound-task", task) for task in view.tasks if task.is_bound)


def coroutines(view: AppView) -> Iterator[Finding]:
    return (at_task("async-task", task) for task in view.tasks if task.is_async)


def autoretry(view: AppView) -> Iterator[Finding]:
    return (at_task("autoretry", task) for task in view.tasks if task.get("autoretry_for"))


def endless_retries(view: AppView) -> Iterator[Finding]:
    return (at_task("endless-retries", task, "max_retries") for task in view.tasks if _never_gives_up(task))


def _never_gives_up(task: Task) -> bool:
    options = task.get("retry_kwargs")
    given = options if isinstance(options, dict) and task.get("autoretry_for") else {}
    return given.get("max_retries", task.get("max_retries")) is None


def track_started(view: AppView) -> Iterator[Finding]:
    if view.get("task_track_started"):
        yield at_setting("track-started", view, "task_track_started")
        return
    for task in view.tasks:
        if task.get("track_started"):
            yield at_task("track-started", task, "track_started")


def always_eager(view: AppView) -> Iterator[Finding]:
    if view.get("task_always_eager"):
        yield at_setting("always-eager", view, "task_always_eager")


def priority(view: AppView) -> Iterator[Finding]:
    if broker_scheme(view) not in REDIS | {"sentinel"}:
        return
    usual = view.get("task_default_priority")
    if usual is not None:
        yield at_setting("priority", view, "task_default_priority")
    for task in view.tasks:
        if task.get("priority") is not None and task.get("priority") != usual:
            yield at_task("priority", task, "priority")


def canvas(view: AppView) -> Iterator[Finding]:
    for task in view.tasks:
        if task.canvas:
            where = Where(Kind.TASK, task.name, ", ".join(task.canvas), task.source)
            yield Finding("canvas-in-task", where)
    yield Finding("canvas", Where(Kind.MESSAGES, "chain, group, chord"))


def chosen_ids(view: AppView) -> Iterator[Finding]:
    for task in view.tasks:
        if task.chooses_ids:
            yield Finding("chosen-id", Where(Kind.TASK, task.name, "task_id=…", task.source))


RULES = (
    replaced_members,
    coroutines,
    always_eager,
    endless_retries,
    priority,
    bound,
    autoretry,
    track_started,
    chosen_ids,
    canvas,
)
