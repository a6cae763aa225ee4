"""What a zygote tells its worker of the application."""

from __future__ import annotations

import os
import platform
from typing import Any

from cardoon import _core
from cardoon.app import App
from cardoon.task import Task


def greeting(app: App, pool: str) -> dict[str, Any]:
    """The application, with its tasks in the order by which calls name them."""
    return {
        "version": _core.PROTOCOL,
        "pid": os.getpid(),
        "threads": len(os.listdir("/proc/self/task")),
        "language": f"{platform.python_implementation()} {platform.python_version()}",
        "tasks": [_task(app, task) for task in tasks_of(app)],
        "app": {
            "name": app.main,
            "broker": app.conf.broker_url,
            "backend": app.conf.result_backend,
            "queue": app.conf.task_default_queue,
            "pool": pool,
            "concurrency": app.conf.worker_concurrency,
            "max_tasks_per_child": app.conf.worker_max_tasks_per_child,
            "max_memory_per_child": app.conf.worker_max_memory_per_child,
        },
    }


def tasks_of(app: App) -> list[Task[..., Any]]:
    """The tasks in the order by which calls name them."""
    return [task for _, task in sorted(app.tasks.items())]


def _task(app: App, task: Task[..., Any]) -> dict[str, Any]:
    return {
        "name": task.name,
        "queue": task.queue,
        "priority": task.priority,
        "soft_time_limit": app.conf.task_soft_time_limit if task.soft_time_limit is None else task.soft_time_limit,
        "time_limit": app.conf.task_time_limit if task.time_limit is None else task.time_limit,
        "ignore_result": task._ignores_result(),
        "early": task._acks_early(),
    }
