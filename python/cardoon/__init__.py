"""Distributed tasks that are not lost.

>>> from cardoon import App
>>> app = App("tasks", broker="sqlite:tasks.db")
>>> @app.task
... def add(x: int, y: int) -> int:
...     return x + y
>>> add(2, 3)
5

``add.delay(2, 3)`` sends it; ``cardoon worker -A tasks`` executes it. Names are Celery's where Celery has one.
"""

from cardoon.app import App, current_app, shared_task
from cardoon.request import Context
from cardoon.result import AsyncResult, EagerResult
from cardoon.task import Task

#: Celery's name for an application.
Celery = App

__all__ = [
    "App",
    "AsyncResult",
    "Celery",
    "Context",
    "EagerResult",
    "Task",
    "current_app",
    "shared_task",
]
