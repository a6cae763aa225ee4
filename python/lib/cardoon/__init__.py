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

from __future__ import annotations

# Checkers take it for true. The module `typing` would stay in the memory of each worker, which needs none of it.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from cardoon.app import App, current_app, shared_task
    from cardoon.request import Context
    from cardoon.result import AsyncResult, EagerResult
    from cardoon.task import AsyncTask, Task

    Celery = App

__all__ = [
    "App",
    "AsyncResult",
    "AsyncTask",
    "Celery",
    "Context",
    "EagerResult",
    "Task",
    "current_app",
    "shared_task",
]

_HOMES = {
    "App": "app",
    "AsyncResult": "result",
    "AsyncTask": "task",
    "Celery": "app",
    "Context": "request",
    "EagerResult": "result",
    "Task": "task",
    "current_app": "app",
    "shared_task": "app",
}


if not TYPE_CHECKING:  # A type checker is to find names that are not there.

    def __getattr__(name: str) -> Any:
        """Imports what is asked for: the ``cardoon`` command, which is this package too, needs none of it."""
        from importlib import import_module

        home = _HOMES.get(name)
        if home is None:
            missing = import_module(f"{__name__}._missing")
            missing.of_module(__name__, name, missing.PACKAGE)
        # Celery is the name that its users know an application by.
        value = getattr(import_module(f"{__name__}.{home}"), "App" if name == "Celery" else name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
