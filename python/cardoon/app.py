"""The application: where its tasks are registered and how they are sent."""

from __future__ import annotations

import fnmatch
import importlib
import importlib.util
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from cardoon import _core
from cardoon.config import Config
from cardoon.exceptions import NotRegistered
from cardoon.request import current_request
from cardoon.result import AsyncResult
from cardoon.task import Task, options_of_core

if TYPE_CHECKING:
    from cardoon.schedules import Schedule

__all__ = ["App", "current_app", "shared_task"]

P = ParamSpec("P")
R = TypeVar("R")

_current: App | None = None
_apps: weakref.WeakValueDictionary[str, App] = weakref.WeakValueDictionary()
#: Functions that are tasks of every application.
_shared: list[tuple[Callable[..., Any], dict[str, Any]]] = []


class App:
    """The application of a program.

    >>> app = App("tasks", broker="sqlite:tasks.db")
    >>> @app.task
    ... def add(x: int, y: int) -> int:
    ...     return x + y
    >>> add.name
    'tasks.add'

    ``broker``: where tasks wait, such as ``sqlite:tasks.db`` or ``redis://localhost:6379/0``. By default what
    ``CARDOON_BROKER`` or ``cardoon.toml`` say, else the database of the project. ``backend``: where results are kept; the
    broker's store by default. Nothing is connected until the first task is sent.
    """

    def __init__(
        self,
        main: str | None = None,
        *,
        broker: str | None = None,
        backend: str | None = None,
        include: Iterable[str] = (),
        config_source: object = None,
        namespace: str | None = None,
        task_cls: type[Task[..., Any]] = Task,
        set_as_current: bool = True,
        **settings: Any,
    ) -> None:
        self.main = main or "app"
        self.conf = Config(settings)
        self.task_cls = task_cls
        self.tasks: dict[str, Task[..., Any]] = {}
        self._lock = threading.Lock()
        self._client: _core.Client | None = None
        self._autodiscover: list[tuple[list[str], str]] = []
        if broker is not None:
            self.conf.broker_url = broker
        if backend is not None:
            self.conf.result_backend = backend
        if include:
            self.conf.include = tuple(include)
        if config_source is not None:
            self.config_from_object(config_source, namespace=namespace)
        for function, options in _shared:
            self._register(function, options)
        _apps[self.main] = self
        if set_as_current:
            self.set_current()

    # Tasks.

    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R]: ...

    @overload
    def task(
        self,
        *,
        name: str | None = ...,
        bind: bool = ...,
        base: type[Task[..., Any]] | None = ...,
        **options: Any,
    ) -> Callable[[Callable[..., R]], Task[..., R]]: ...

    def task(self, function: Any = None, /, **options: Any) -> Any:
        """Makes a function a task. Options are the attributes of :class:`~cardoon.Task`, and ``name``, ``bind``,
        ``base``."""
        if function is not None:
            return self._register(function, options)
        return lambda function: self._register(function, options)

    def register_task(self, task: Task[P, R] | type[Task[P, R]]) -> Task[P, R]:
        """Registers an object of a subclass of :class:`~cardoon.Task`."""
        made = task() if isinstance(task, type) else task
        made.name = made.name or f"{type(made).__module__}.{type(made).__name__}"
        made.app = self
        self.tasks[made.name] = made
        return made

    def _register(self, function: Callable[..., Any], options: dict[str, Any]) -> Task[..., Any]:
        options = dict(options)
        base = options.pop("base", None) or self.task_cls
        name = options.pop("name", None) or self._name_of(function)
        if name in self.tasks:
            return self.tasks[name]
        for option in ("serializer", "shared", "lazy", "compression", "rate_limit", "pydantic"):
            options.pop(option, None)
        _check_options(name, options)
        body = {
            **options,
            "name": name,
            "app": self,
            "run": function if options.get("bind") else staticmethod(function),
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "__wrapped__": function,
        }
        task: Task[..., Any] = type(function.__name__, (base,), body)()
        task.__name__ = function.__name__  # type: ignore[attr-defined]
        task.__qualname__ = function.__qualname__  # type: ignore[attr-defined]
        self.tasks[name] = task
        return task

    def _name_of(self, function: Callable[..., Any]) -> str:
        module = function.__module__
        if module == "__main__":
            # A worker imports the file under its name; a script that runs it must name its tasks so too.
            module = self.main
        return f"{module}.{function.__name__}"

    def autodiscover_tasks(
        self, packages: Iterable[str] | Callable[[], Iterable[str]] | None = None, related_name: str = "tasks"
    ) -> None:
        """Imports ``package.tasks`` of each package when a worker starts; a package without it is passed over. Without
        ``packages`` they are Django's installed applications."""
        if packages is None:
            packages = _django_apps
        listed = list(packages() if callable(packages) else packages)
        self._autodiscover.append((listed, related_name))

    def import_tasks(self) -> None:
        """Imports everything that defines tasks. A worker does so before it starts."""
        for module in (*self.conf.include, *self.conf.imports):
            importlib.import_module(module)
        for packages, related_name in self._autodiscover:
            for package in packages:
                name = f"{package}.{related_name}"
                if _exists(name):
                    importlib.import_module(name)

    # Settings.

    def config_from_object(self, source: object, *, namespace: str | None = None, **_celery: Any) -> None:
        """Takes settings from a module, its name, an object or a mapping. ``namespace``: only names that begin with
        ``NAMESPACE_`` count, without it."""
        self.conf.load(source, namespace)

    def set_current(self) -> None:
        """Makes this the application that ``AsyncResult`` and ``current_app`` use by default."""
        global _current
        _current = self

    # Sending.

    @property
    def client(self) -> _core.Client:
        """The connection of this process. It connects with its first use."""
        with self._lock:
            if self._client is None:
                self._client = _core.Client(
                    self.conf.broker_url, self.conf.result_backend or None, self.conf.task_default_queue
                )
            return self._client

    def send_task(
        self,
        name: str,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: str | None = None,
        **options: Any,
    ) -> AsyncResult[Any]:
        """Sends a task by its name, which may be defined anywhere: in another program, or in a Celery application."""
        arguments, named = tuple(args or ()), dict(kwargs or {})
        task = self.tasks.get(name)
        if self.conf.task_always_eager:
            if task is None:
                raise self._unknown(name)
            return task.apply(arguments, named, task_id=task_id)
        return AsyncResult(self._send(name, arguments, named, task_id, options, task), self)

    def send_many(
        self,
        calls: Iterable[
            tuple[str | Task[..., Any], Iterable[Any]]
            | tuple[str | Task[..., Any], Iterable[Any], Mapping[str, Any]]
            | tuple[str | Task[..., Any], Iterable[Any], Mapping[str, Any], Mapping[str, Any]]
        ],
    ) -> list[AsyncResult[Any]]:
        """Sends many tasks, in order, much faster than one at a time. A call is a task or its name, the positional
        arguments and, if needed, the named ones and the options of ``apply_async``.

        If some cannot be sent, the others are sent all the same; then an exception group's worth of errors is told by the
        first of them, whose ``failed`` lists the places of those that were not sent.
        """
        listed = [self._one_of_many(*call) for call in calls]
        if self.conf.task_always_eager:
            return [self.send_task(name, args, kwargs) for name, args, kwargs, _ in listed]
        answers = self.client.send_many(listed)
        failed = [place for place, answer in enumerate(answers) if isinstance(answer, BaseException)]
        if failed:
            error = answers[failed[0]]
            assert isinstance(error, Exception)
            error.failed = failed  # type: ignore[attr-defined]
            raise error
        return [AsyncResult(str(answer), self) for answer in answers]

    def _one_of_many(
        self,
        task: str | Task[..., Any],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> tuple[str, tuple[Any, ...], dict[str, Any], dict[str, Any]]:
        if isinstance(task, str):
            name, known = task, self.tasks.get(task)
        else:
            name, known = task.name, task
        arguments, named = tuple(args), dict(kwargs or {})
        return name, arguments, named, self._options(name, arguments, named, options or {}, known)

    def _send(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_id: str | None,
        options: Mapping[str, Any],
        task: Task[..., Any] | None,
    ) -> str:
        core = self._options(name, args, kwargs, options, task)
        if task_id is not None:
            core["id"] = task_id
        return self.client.send(name, args, kwargs, core)

    def _options(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: Mapping[str, Any],
        task: Task[..., Any] | None,
    ) -> dict[str, Any]:
        core = options_of_core(options)
        if self.conf.task_routes and "queue" not in core:
            route = self._route(name, args, kwargs, options, task)
            core.update({option: value for option, value in route.items() if option not in core})
        if "priority" not in core and self.conf.task_default_priority is not None:
            core["priority"] = self.conf.task_default_priority
        request = current_request()
        if not request.called_directly and "parent_id" not in core:
            core["parent_id"] = request.id
            core["root_id"] = request.root_id or request.id
        return core

    def _route(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: Mapping[str, Any],
        task: Task[..., Any] | None,
    ) -> dict[str, Any]:
        routes = self.conf.task_routes
        for route in routes if isinstance(routes, (list, tuple)) else [routes]:
            if isinstance(route, str):
                route = _attribute(route)
            if callable(route):
                found = route(name, args, kwargs, options, task=task)
            else:
                found = next((to for pattern, to in _pairs(route) if _matches(pattern, name)), None)
            if found:
                return options_of_core({"queue": found} if isinstance(found, str) else found)
        return {}

    def _unknown(self, name: str) -> NotRegistered:
        known = ", ".join(sorted(self.tasks)) or "none"
        return NotRegistered(f"no task is named {name}", code="CD3005", kind="Invalid", checked=[f"known: {known}"])

    # Results, schedules and the rest.

    def AsyncResult(self, task_id: str) -> AsyncResult[Any]:  # noqa: N802 - Celery's name.
        """The result of a task that was sent before, or elsewhere."""
        return AsyncResult(task_id, self)

    def add_periodic_task(
        self,
        schedule: float | Schedule,
        task: Task[..., Any] | str,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        **options: Any,
    ) -> str:
        """Has ``task`` sent on a schedule by ``cardoon beat`` or ``cardoon dev``: every so many seconds, or by a
        :class:`~cardoon.schedules.crontab`. Answers the entry's name, by default the task's and its arguments."""
        task_name = task if isinstance(task, str) else task.name
        entry_name = name or f"{task_name}{tuple(args)!r}{dict(kwargs or {})!r}"
        self.conf.beat_schedule[entry_name] = {
            "task": task_name,
            "schedule": schedule,
            "args": tuple(args),
            "kwargs": dict(kwargs or {}),
            "options": options,
        }
        return entry_name

    def close(self) -> None:
        """Ends the connection. The next use connects again."""
        if self._client is not None:
            self._client.close()

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<App {self.main}>"


def current_app() -> App:
    """The application of this program: the one that was made last, or a new one on the project's database."""
    return _current or App("default")


def shared_task(*args: Any, **options: Any) -> Any:
    """Makes a function a task of every application, those that come later included. Its methods belong to the
    application that is current when they are called."""
    if args and callable(args[0]):
        return _share(args[0], options)
    return lambda function: _share(function, options)


def _share(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    from cardoon._proxy import SharedTask

    _shared.append((function, options))
    for app in list(_apps.values()):
        app._register(function, options)
    return SharedTask(function, options)


def _task_named(main: str, name: str) -> Task[..., Any]:
    """What a pickled task becomes in another process."""
    return (_apps.get(main) or current_app()).tasks[name]


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    for option in options:
        if not hasattr(Task, option) or option.startswith("_"):
            known = sorted(option for option in vars(Task) if not option.startswith("_"))
            raise TypeError(f"task {name}: there is no option {option!r}; options: {', '.join(known)}")


def _matches(pattern: Any, name: str) -> bool:
    if hasattr(pattern, "match"):
        return bool(pattern.match(name))
    return fnmatch.fnmatchcase(name, pattern)


def _pairs(route: Any) -> Iterable[tuple[Any, Any]]:
    pairs: Iterable[tuple[Any, Any]] = route.items() if isinstance(route, Mapping) else route
    return pairs


def _attribute(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _django_apps() -> list[str]:
    from django.apps import apps  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return [config.name for config in apps.get_app_configs()]
