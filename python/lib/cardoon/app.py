"""The application: where its tasks are registered and how they are sent."""

from __future__ import annotations

import datetime
import importlib
import os
import sys
import warnings
import weakref
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast, overload

from cardoon import _missing, _trace, _values
from cardoon._arguments import located
from cardoon._connection import Connection
from cardoon._discovery import Packages, import_related
from cardoon._many import Call, Many, located_in
from cardoon._options import check_attributes, core_options, task_options
from cardoon._routes import route
from cardoon._schedule import Hook
from cardoon._sending import send_again
from cardoon.config import Config, settings_of_call
from cardoon.exceptions import CardoonError, EncodeError, ImproperlyConfigured, NotRegistered, OperationalError
from cardoon.request import current_request
from cardoon.result import AsyncResult
from cardoon.task import AsyncTask, Task

if TYPE_CHECKING:
    import uuid

    from typing_extensions import Unpack

    from cardoon._decorators import BoundDecorator, Decorator
    from cardoon._options import MoreSending, Sending
    from cardoon.schedules import Schedule

__all__ = ["App", "current_app", "shared_task"]

P = ParamSpec("P")
R = TypeVar("R")

_current: App | None = None
#: The application of :meth:`App.set_default`.
_default: App | None = None
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

    Other keywords are settings, such as ``timezone="Europe/Berlin"``; one that is not known raises ``TypeError``.
    """

    def __init__(
        self,
        main: str | None = None,
        *,
        broker: str | None = None,
        backend: str | None = None,
        include: Iterable[str] | str | None = (),
        config_source: object = None,
        namespace: str | None = None,
        task_cls: type[Task[..., Any]] = Task,
        set_as_current: bool = True,
        changes: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.main = main or "app"
        self.task_cls = task_cls
        self.tasks: dict[str, Task[..., Any]] = {}
        named = {"broker_url": broker, "result_backend": backend, "include": _modules(include) or None}
        given = {**(changes or {}), **settings_of_call(settings)}
        self.conf = Config({**given, **{name: value for name, value in named.items() if value is not None}})
        self._connections: dict[str, Connection] = {}
        self._autodiscover: list[tuple[Packages, str | None]] = []
        #: Functions that are called with ``sender=app`` when everything that defines tasks is imported.
        self.on_after_configure = Hook()
        self.on_after_finalize = Hook()
        if config_source is not None:
            self.config_from_object(config_source, namespace=namespace)
        for function, options in _shared:
            self._register(function, options)
        _apps[self.main] = self
        if set_as_current:
            self.set_current()

    # Tasks.

    @overload
    def task(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R]: ...
    @overload
    def task(self, *, bind: Literal[True], **options: Any) -> BoundDecorator: ...
    @overload
    def task(self, *, bind: Literal[False] = ..., **options: Any) -> Decorator: ...

    def task(self, function: Any = None, *, bind: bool = False, **options: Any) -> Any:
        """Makes a function a task. Options are the attributes of :class:`~cardoon.Task`, and ``name``, ``bind``,
        ``base``."""
        options["bind"] = bind
        if function is None:
            return lambda function: self._register(function, options)
        return self._register(function, options)

    def register_task(self, task: Task[P, R] | type[Task[P, R]]) -> Task[P, R]:
        """Registers an object of a subclass of :class:`~cardoon.Task`."""
        made = task() if isinstance(task, type) else task
        made.name = _values.task_name(made.name or self._name_of(type(made)))
        made.app = self
        check_attributes(made.name, made)
        self.tasks[made.name] = made
        return made

    def _register(self, function: Callable[..., Any], options: Mapping[str, Any]) -> Task[..., Any]:
        _check_function(function)
        given = options.get("name")
        name = _values.task_name(self._name_of(function) if given is None else given)
        known = self.tasks.get(name)
        if known is not None and not _is_new_version(known, function):
            return known
        task = _made(self, name, function, options, options.get("base") or self.task_cls)
        self.tasks[name] = task
        return task

    def _name_of(self, function: Callable[..., Any]) -> str:
        return self.gen_task_name(function.__name__, function.__module__)

    def gen_task_name(self, name: str, module: str) -> str:
        """The name of a task that is given none: that of its module and its own. A subclass may name tasks otherwise."""
        # A worker imports the file under its name; a script that runs it must name its tasks so too.
        return f"{self.main if module == '__main__' else module}.{name}"

    def autodiscover_tasks(
        self, packages: Packages = None, related_name: str | None = "tasks", force: bool = False
    ) -> None:
        """Imports ``package.tasks`` of each package when a worker starts, or at once with ``force``; a package without it is
        passed over. Without ``packages`` they are Django's installed applications."""
        if force:
            import_related(packages, related_name)
        else:
            self._autodiscover.append((packages, related_name))

    def import_tasks(self) -> None:
        """Imports everything that defines tasks. A worker does so before it starts."""
        for module in (*_modules(self.conf.include), *_modules(self.conf.imports)):
            importlib.import_module(module)
        for packages, related_name in self._autodiscover:
            import_related(packages, related_name)
        for hook in (self.on_after_configure, self.on_after_finalize):
            hook.fire(self)

    # Settings.

    def config_from_object(
        self, source: object, silent: bool = False, force: bool = False, namespace: str | None = None
    ) -> None:
        """Takes settings from a module, its name, an object or a mapping, when a setting is first asked for, or at once with
        ``force``. ``namespace``: only names that begin with ``NAMESPACE_`` count, without it. ``silent``: a module that
        cannot be imported says nothing."""
        self.conf.load(source, namespace, force, silent)

    def config_from_envvar(self, variable_name: str, silent: bool = False, force: bool = False) -> bool:
        """Takes settings from the module that an environment variable names. Answers whether there is one; without it
        raises :class:`~cardoon.exceptions.ImproperlyConfigured`, unless ``silent``."""
        module = os.environ.get(variable_name)
        if not module:
            if silent:
                return False
            raise ImproperlyConfigured(
                f"the environment variable {variable_name} is not set, which names the module of settings",
                code="CD4002",
                kind="Invalid",
                hint=f"{variable_name}=project.settings",
            )
        self.config_from_object(module, silent=silent, force=force)
        return True

    @property
    def timezone(self) -> datetime.tzinfo:
        """What times without a zone are meant in, by the setting ``timezone``."""
        return self.conf.zone()

    def now(self) -> datetime.datetime:
        """The time, in the time zone of the settings."""
        return datetime.datetime.now(self.timezone)

    def set_current(self) -> None:
        """Makes this the application that ``AsyncResult`` and ``current_app`` use by default."""
        global _current
        _current = self

    def set_default(self) -> None:
        """Makes this the application that is used where no other one is current."""
        global _default
        _default = self

    def finalize(self, auto: bool = False) -> None:
        """Celery evaluates its decorators by this. Here ``@app.task`` does so at once, and nothing is left to do."""

    # Sending.

    @property
    def connection(self) -> Connection:
        """The connection of this process. It connects with its first use."""
        connection = self._connections.get("one")
        if connection is None:
            conf = self.conf
            conf.check()
            made = Connection(conf.broker_url, conf.result_backend or None, conf.task_default_queue)
            # No lock, which a fork could catch: of two threads one finds what the other has made.
            connection = self._connections.setdefault("one", made)
        return connection

    def send_task(
        self,
        name: str,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        countdown: float | None = None,
        eta: datetime.datetime | str | None = None,
        task_id: str | uuid.UUID | None = None,
        **options: Unpack[MoreSending],
    ) -> AsyncResult[Any]:
        """Sends a task by its name, which may be defined anywhere: in another program, or in a Celery application. Options
        are those of :meth:`~cardoon.Task.apply_async`."""
        named = {"countdown": countdown, "eta": eta, "task_id": task_id}
        given = {name: value for name, value in named.items() if value is not None}
        name = _values.task_name(name)
        arguments = _values.positional(name, args), _values.named(name, kwargs)
        return self._send(name, *arguments, {**options, **given}, None)

    async def asend_task(
        self,
        name: str,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        countdown: float | None = None,
        eta: datetime.datetime | str | None = None,
        task_id: str | uuid.UUID | None = None,
        **options: Unpack[MoreSending],
    ) -> AsyncResult[Any]:
        """As :meth:`send_task`, for ``async def``."""
        import asyncio

        return await asyncio.to_thread(self.send_task, name, args, kwargs, countdown, eta, task_id, **options)

    def send_many(self, calls: Iterable[Call]) -> list[AsyncResult[Any]]:
        """Sends many tasks, in order, much faster than one at a time. A call is a task or its name, the positional
        arguments and, if needed, the named ones and the options of ``apply_async``.

        Arguments that are wrong are told before anything is sent. If the store does not take some of the calls, the others
        are sent all the same; the error is that of the first, and its ``failed`` lists the places of those that were not.
        """
        listed = [Many(*call) for call in calls]
        if self.conf.task_always_eager:
            return [self._send(*call.parts(), call.options, call.task) for call in listed]
        for call in listed:
            if call.task is not None:
                call.task._check_arguments(call.args, call.kwargs)
        ready = [(*call.parts(), self._options(*call.parts(), call.options, call.task)) for call in listed]
        try:
            answers = self.connection.send_many(ready)
        except EncodeError as error:
            raise located_in(listed, error) from None
        return self._results(answers, ready)

    async def asend_many(self, calls: Iterable[Call]) -> list[AsyncResult[Any]]:
        """As :meth:`send_many`, for ``async def``."""
        import asyncio

        return await asyncio.to_thread(self.send_many, calls)

    def _results(self, answers: list[str | Exception], sent: list[Any]) -> list[AsyncResult[Any]]:
        failed = [place for place, answer in enumerate(answers) if isinstance(answer, BaseException)]
        if failed:
            error = cast(Exception, answers[failed[0]])
            if isinstance(error, CardoonError):
                error.failed = failed
            raise error
        return [
            AsyncResult(str(answer), app=self, ignored=bool(core.get("ignore_result")))
            for answer, (_, _, _, core) in zip(answers, sent, strict=True)
        ]

    def _send(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: Mapping[str, Any],
        task: Task[..., Any] | None,
    ) -> AsyncResult[Any]:
        core = self._options(name, args, kwargs, options, task)
        if self.conf.task_always_eager:
            from cardoon._eager import apply_async

            return apply_async(task or self._task(name), args, kwargs, {**options, **core})
        try:
            id = self.connection.send(name, args, kwargs, core)
        except EncodeError as error:
            raise located(name, task._arguments if task else None, args, kwargs, error) from None
        except OperationalError as error:
            id = self._send_again(error, options, name, args, kwargs, core)
        return AsyncResult(id, app=self, ignored=bool(core.get("ignore_result")))

    def _send_again(
        self,
        error: OperationalError,
        options: Mapping[str, Any],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        core: dict[str, Any],
    ) -> str:
        if not options.get("retry", self.conf.task_publish_retry):
            raise error
        policy = {**self.conf.task_publish_retry_policy, **(options.get("retry_policy") or {})}
        return send_again(lambda: self.connection.send(name, args, kwargs, core), error, policy, "id" in core)

    def _options(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: Mapping[str, Any],
        task: Task[..., Any] | None,
    ) -> dict[str, Any]:
        """The options of a call as the compiled part takes them: its own, then those of its task, of its route, of the
        application."""
        conf = self.conf
        if task is not None:
            options = {**task._default_options(), **options}
        if conf.task_routes:
            options = {**route(conf.task_routes, name, args, kwargs, options, task), **options}
        core = core_options(name, options, conf.zone) if options else {}
        if conf.task_default_priority is not None:
            core.setdefault("priority", conf.task_default_priority)
        request = current_request()
        if not request.called_directly and "parent_id" not in core:
            core["parent_id"] = request.id
            core["root_id"] = request.root_id or request.id
        _trace.put_in(core, request)
        return core

    def _task(self, name: str) -> Task[..., Any]:
        try:
            return self.tasks[name]
        except KeyError:
            known = ", ".join(sorted(self.tasks)) or "none"
            raise NotRegistered(
                f"no task is named {name}", code="CD3005", kind="Invalid", checked=[f"known: {known}"]
            ) from None

    # Results, schedules and the rest.

    def AsyncResult(  # noqa: N802 - Celery's name.
        self, id: str, backend: None = None, task_name: str | None = None
    ) -> AsyncResult[Any]:
        """The result of a task that was sent before, or elsewhere."""
        return AsyncResult(id, backend, task_name, self)

    def add_periodic_task(
        self,
        schedule: float | Schedule,
        task: Task[..., Any] | str,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        **options: Unpack[Sending],
    ) -> str:
        """Has ``task`` sent on a schedule by ``cardoon beat`` or ``cardoon dev``: every so many seconds, or by a
        :class:`~cardoon.schedules.crontab`. Answers the entry's name, by default the task's and its arguments."""
        task_name = task if isinstance(task, str) else task.name
        arguments, named = _values.positional(task_name, args), _values.named(task_name, kwargs)
        entry_name = name or f"{task_name}{arguments!r}{named!r}"
        self.conf.beat_schedule[entry_name] = {
            "task": task_name,
            "schedule": schedule,
            "args": arguments,
            "kwargs": named,
            "options": options,
        }
        return entry_name

    # The command line.

    def start(self, argv: Sequence[str] | None = None) -> None:
        """Executes the command ``cardoon`` for this application, with the words of ``argv`` or of this program:
        ``["beat"]``. Raises ``SystemExit`` with its status, if that is not 0. The application has to be an attribute of a
        module, which the command's processes import anew."""
        from cardoon._program import run

        run(self, sys.argv[1:] if argv is None else argv)

    def worker_main(self, argv: Sequence[str] | None = None) -> None:
        """As :meth:`start`, for ``["worker", …]`` alone."""
        words = sys.argv[1:] if argv is None else argv
        if "worker" not in words:
            raise ValueError(f"worker_main executes the command worker: ['worker', …], not {list(words)!r}")
        self.start(words)

    def close(self) -> None:
        """Ends the connection. The next use connects again, to where the settings say then."""
        connection = self._connections.pop("one", None)
        if connection is not None:
            connection.close()

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    if not TYPE_CHECKING:  # A type checker is to find names that are not there.

        def __getattr__(self, name: str) -> Any:
            _missing.attribute(self, "an application", name, _missing.APP)

        @property
        def Task(self) -> type[Task[..., Any]]:  # noqa: N802 - Celery's name.
            """The class that tasks are made of, to be subclassed: ``class Audited(app.Task)``, then
            ``@app.task(base=Audited)``."""
            return self.task_cls

        @Task.setter
        def Task(self, cls: type[Task[..., Any]]) -> None:  # noqa: N802 - as above.
            self.task_cls = cls

    def __repr__(self) -> str:
        return f"<App {self.main}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _app_named, (self.main,)


def _check_function(function: object) -> None:
    """Raises TypeError for what cannot be a task."""
    if not callable(function):
        raise TypeError(f"{function!r} is no function; options are named: @app.task(name=…)")
    if not hasattr(function, "__name__"):
        raise TypeError(
            f"{function!r} has no name, and a task is made of a function that has one: write `def` with this call in it"
        )


def _made(
    app: App | None, name: str, function: Callable[..., Any], options: Mapping[str, Any], base: type[Task[..., Any]]
) -> Task[..., Any]:
    """The task that is made of ``function``. Raises TypeError or ValueError for an option that is not what it has to be."""
    attributes = task_options(name, options, base)
    attributes.pop("base", None)
    body = {
        **attributes,
        "name": name,
        "app": app,
        "run": function if attributes.get("bind") else staticmethod(function),
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__wrapped__": function,
    }
    task: Task[..., Any] = type(function.__name__, (base,), body)()
    task.__name__ = function.__name__  # type: ignore[attr-defined]
    task.__qualname__ = function.__qualname__  # type: ignore[attr-defined]
    check_attributes(name, task)
    return task


def _is_new_version(known: Task[..., Any], function: Callable[..., Any]) -> bool:
    """Whether ``function`` takes the place of the task that has its name. It does so if it was defined again, as in a
    notebook; another function of the same name does not."""
    before = getattr(known, "__wrapped__", None)
    if before is function:
        return False
    if before is not None and _place(before) == _place(function):
        return True
    warnings.warn(
        f"a task is named {known.name} already: {_place(known)}; {_place(function)} needs another name, and is not executed",
        stacklevel=4,
    )
    return False


def _place(function: Any) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def _default_app() -> App:
    return _current or _default or App("default")


class _CurrentApp:
    """The application of this program: the one that was made last, or a new one on the project's database. Attributes are
    those of the application, and to call it gives the application itself."""

    def __call__(self) -> App:
        return _default_app()

    def __getattr__(self, name: str) -> Any:
        return getattr(_default_app(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_default_app(), name, value)

    def __repr__(self) -> str:
        return repr(_default_app())


current_app = _CurrentApp()


@overload
def shared_task(function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
@overload
def shared_task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def shared_task(*, bind: Literal[True], **options: Any) -> BoundDecorator: ...
@overload
def shared_task(*, bind: Literal[False] = ..., **options: Any) -> Decorator: ...


def shared_task(function: Any = None, *, bind: bool = False, **options: Any) -> Any:
    """Makes a function a task of every application, those that come later included. Its methods belong to the
    application that is current when they are called."""
    options["bind"] = bind
    if function is None:
        return lambda function: _share(function, options)
    return _share(function, options)


def _share(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    from cardoon._proxy import SharedTask

    _check_function(function)
    # There may be no application yet, and a mistake is to be told where it was made.
    _made(None, _values.task_name(options.get("name") or function.__name__), function, options, options.get("base") or Task)
    _shared.append((function, options))
    for app in list(_apps.values()):
        app._register(function, options)
    return SharedTask(function, options)


def _app_named(main: str) -> App:
    """What a pickled application becomes in another process."""
    return _apps.get(main) or _default_app()


def _task_named(main: str, name: str) -> Task[..., Any]:
    """What a pickled task becomes in another process."""
    return _app_named(main)._task(name)


def _modules(named: Iterable[str] | str | None) -> tuple[str, ...]:
    """Names of modules; a text is one name."""
    return (named,) if isinstance(named, str) else tuple(named or ())
