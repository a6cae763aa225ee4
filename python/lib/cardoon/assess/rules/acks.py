"""When a message is acknowledged, and what is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..view import AppView, Task
from .places import at_setting, at_task


def early_ack(view: AppView) -> Iterator[Finding]:
    if not view.get("task_acks_late"):
        finding = "early-ack-chosen" if view.is_set("task_acks_late") else "early-ack"
        early = [task for task in view.tasks if not task.get("acks_late")]
        if early or not view.tasks:
            yield at_setting(finding, view, "task_acks_late", count=str(len(early)), total=str(len(view.tasks)))
        return
    for task in view.tasks:
        if not task.get("acks_late"):
            count, total = "1", str(len(view.tasks))
            yield at_task("early-ack-chosen", task, "acks_late", count=count, total=total)


def worker_lost_ack(view: AppView) -> Iterator[Finding]:
    losing = [task for task in view.tasks if _is_lost_with_its_process(task)]
    if view.get("task_reject_on_worker_lost") or view.get("task_retry_on_worker_lost"):
        yield from (at_task("worker-lost-ack", task, "reject_on_worker_lost") for task in losing)
    elif losing:
        yield at_setting("worker-lost-ack", view, "task_reject_on_worker_lost")


def _is_lost_with_its_process(task: Task) -> bool:
    return bool(task.get("acks_late")) and not (task.get("reject_on_worker_lost") or task.get("retry_on_worker_lost"))


def failure_dropped(view: AppView) -> Iterator[Finding]:
    settings = ("task_acks_on_failure_or_timeout", "task_acks_on_failure", "task_acks_on_timeout")
    chosen = [setting for setting in settings if view.get(setting) is False]
    if chosen and any(task.get("acks_late") for task in view.tasks):
        yield from (at_setting("failure-dropped", view, setting) for setting in chosen)
        return
    for task in view.tasks:
        option = _dropping_option(task)
        if option and task.get("acks_late"):
            yield at_task("failure-dropped", task, option, setting=f"task_{option}")


def _dropping_option(task: Task) -> str | None:
    options = ("acks_on_failure_or_timeout", "acks_on_failure", "acks_on_timeout")
    return next((option for option in options if task.get(option) is False), None)


RULES = (early_ack, worker_lost_ack, failure_dropped)
