"""What a zygote tells its worker of the application."""

from __future__ import annotations

import datetime
import os
import sys
import time
from typing import Any

from cardoon import _core
from cardoon._loader import Unusable
from cardoon._schedule import schedule
from cardoon.app import App
from cardoon.task import Task


def greeting(app: App, pool: str) -> dict[str, Any]:
    """The application, with its tasks in the order by which calls name them."""
    app.conf.check()
    return {
        "version": _core.PROTOCOL,
        "pid": os.getpid(),
        "threads": _threads(),
        "language": f"CPython {sys.version.split()[0]}",
        "tasks": [_task(app, task) for task in tasks_of(app)],
        "app": {
            "name": app.main,
            "broker": _text(app, "broker_url"),
            "backend": _text(app, "result_backend"),
            "queue": _text(app, "task_default_queue"),
            "queues": _queues(app),
            "pool": pool,
            "concurrency": _count(app, "worker_concurrency"),
            "max_tasks_per_child": _count(app, "worker_max_tasks_per_child"),
            "max_memory_per_child": _count(app, "worker_max_memory_per_child"),
            "schedule": schedule(app),
        },
    }


def _queues(app: App) -> list[str]:
    """Those of ``task_queues``: names, or objects that have one, as kombu's do."""
    return [str(getattr(queue, "name", queue)) for queue in app.conf.get("task_queues") or ()]


def _threads() -> int:
    """Those of a connection that was closed just before take a moment to end."""
    end = time.monotonic() + 0.2
    while (threads := len(os.listdir("/proc/self/task"))) > 1 and time.monotonic() < end:
        time.sleep(0.005)
    return threads


def tasks_of(app: App) -> list[Task[..., Any]]:
    """The tasks in the order by which calls name them."""
    return [task for _, task in sorted(app.tasks.items())]


def _task(app: App, task: Task[..., Any]) -> dict[str, Any]:
    return {
        "name": task.name,
        "queue": task.queue,
        "priority": task.priority,
        "soft_time_limit": _limit(app, task, "soft_time_limit"),
        "time_limit": _limit(app, task, "time_limit"),
        "ignore_result": task._ignores_result(),
        "early": task._acks_early(),
    }


def _text(app: App, setting: str) -> str | None:
    value = app.conf[setting]
    return None if value is None else str(value)


def _count(app: App, setting: str) -> int | None:
    """A number of things. Settings from the environment are texts."""
    value = app.conf[setting]
    try:
        count = None if value is None else int(value)
    except (TypeError, ValueError):
        count = -1
    if count is not None and count < 0:
        raise _wrong(setting, value, "a whole number that is not negative")
    return count


def _limit(app: App, task: Task[..., Any], option: str) -> float | None:
    """Seconds."""
    value = getattr(task, option)
    where = f"{option} of {task.name}"
    if value is None:
        value, where = app.conf[f"task_{option}"], f"task_{option}"
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    try:
        # Celery takes 0 for no limit.
        return float(value) or None if value is not None else None
    except (TypeError, ValueError):
        raise _wrong(where, value, "a number of seconds") from None


def _wrong(where: str, value: object, wanted: str) -> Unusable:
    return Unusable(f"{where} is {value!r}", [], f"write {wanted}")
