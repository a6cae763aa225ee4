"""What an application says of its periodic tasks, and the hook that adds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cardoon import _core, _values
from cardoon.schedules import as_json

if TYPE_CHECKING:
    from cardoon.app import App

F = TypeVar("F", bound=Callable[..., Any])

#: What an entry of ``beat_schedule`` may say. ``relative`` has no effect: ticks never depend on when beat was started.
_ENTRY = frozenset({"task", "schedule", "args", "kwargs", "options", "relative"})


class Hook:
    """Functions that are called once with the application: Celery's signals of the same names.

    >>> from cardoon import App
    >>> app = App("tasks")
    >>> hook = Hook()
    >>> @hook.connect
    ... def setup(sender, **kwargs):
    ...     print(sender)
    >>> hook.fire(app)
    <App tasks>
    """

    def __init__(self) -> None:
        self._functions: list[Callable[..., Any]] = []

    def connect(
        self,
        function: F | None = None,
        *,
        sender: object = None,
        weak: bool = True,
        dispatch_uid: object = None,
        retry: bool = False,
    ) -> Any:
        """Has ``function(sender=app)`` called when everything that defines tasks is imported. To be used as a
        decorator, with or without parentheses. The named parameters are Celery's, and have no effect."""
        if function is None:
            return self.connect
        self._functions.append(function)
        return function

    def fire(self, app: App) -> None:
        """Calls the functions. What they raise is passed on; none is called a second time."""
        while self._functions:
            self._functions.pop(0)(sender=app)


def schedule(app: App) -> dict[str, Any]:
    """The entries of ``app.conf.beat_schedule`` and the time zone of their crontabs.

    What is wrong with an entry is told instead of it. ``cardoon beat`` says it and does not start; ``cardoon dev`` and
    ``worker -B`` say it and send the others.
    """
    return {"timezone": str(app.conf.timezone or "UTC"), "entries": _entries(app, app.conf.beat_schedule or {})}


def _entries(app: App, entries: Any) -> list[dict[str, Any]]:
    if not isinstance(entries, Mapping):
        problem = f"{entries!r} is no mapping: write {{name: {{'task': …, 'schedule': …}}}}"
        return [{"name": "beat_schedule", "problem": problem}]
    return [_entry(app, str(name), entry) for name, entry in entries.items()]


def _entry(app: App, name: str, entry: Any) -> dict[str, Any]:
    try:
        return {"name": name, **_read(app, entry)}
    except Exception as error:  # noqa: BLE001 - whatever is wrong is said by whoever sends the entry.
        return {"name": name, "problem": str(error) or type(error).__name__}


def _read(app: App, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise TypeError(f"{entry!r} is no mapping: write {{'task': …, 'schedule': …}}")
    unknown = sorted(str(key) for key in entry.keys() - _ENTRY)
    if unknown:
        raise TypeError(f"there is no {', '.join(unknown)}; known: {', '.join(sorted(_ENTRY))}")
    for key in ("task", "schedule"):
        if key not in entry:
            raise TypeError(f"{key} is missing")
    task = _name(entry["task"])
    args, kwargs = _values.positional(task, entry.get("args")), _values.named(task, entry.get("kwargs"))
    return {
        "task": task,
        "schedule": as_json(entry["schedule"]),
        "args": _core.dumps(list(args)).decode(),
        "kwargs": _core.dumps(kwargs).decode(),
        "options": _options(app, task, args, kwargs, entry.get("options") or {}),
    }


def _name(task: Any) -> str:
    return task if isinstance(task, str) else str(task.name)


def _options(
    app: App, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """How the task is sent: as ``apply_async`` with these options sends it."""
    if options.get("task_id") is not None:
        raise ValueError("options: task_id: each tick has an id of its own, by which schedulers know what was sent; leave it out")
    task = app.tasks.get(name)
    if task is not None:
        task._check_arguments(args, kwargs)
    core = app._options(name, args, kwargs, options, task)
    if "headers" in core:
        core["headers"] = _core.dumps(dict(core["headers"])).decode()
    return core
