"""Periodic tasks."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, Kind, Where
from ..secrets import cut
from ..view import AppView
from .places import at_entry, at_setting

_USUAL_SCHEDULERS = frozenset({"celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler"})


def scheduler(view: AppView) -> Iterator[Finding]:
    chosen = view.get("beat_scheduler")
    if chosen and chosen not in _USUAL_SCHEDULERS:
        yield at_setting("beat-scheduler", view, "beat_scheduler")


def schedules(view: AppView) -> Iterator[Finding]:
    for entry in view.beat:
        if entry.kind == "solar":
            yield at_entry("beat-solar", entry, "solar")
        elif entry.kind == "custom":
            yield at_entry("beat-custom-schedule", entry, entry.schedule_class)
    usual = [entry for entry in view.beat if entry.kind in ("interval", "crontab")]
    if usual:
        names = cut(", ".join(sorted(entry.name for entry in usual)))
        yield Finding("beat-schedule", Where(Kind.SETTING, "beat_schedule", names))


def unknown_tasks(view: AppView) -> Iterator[Finding]:
    known = {task.name for task in view.tasks}
    for entry in view.beat:
        if entry.task not in known and not entry.task.startswith("celery."):
            yield at_entry("beat-unknown-task", entry, entry.task, task=entry.task)


def chosen_ids(view: AppView) -> Iterator[Finding]:
    for entry in view.beat:
        if entry.options.get("task_id"):
            yield at_entry("beat-id", entry, f"task_id={entry.options['task_id']}")


RULES = (scheduler, schedules, unknown_tasks, chosen_ids)
