"""Tasks: functions that run elsewhere."""

from __future__ import annotations

import datetime
import functools
import inspect
import random
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, TypeVar, cast

from cardoon import _missing, _values, _warnings, exceptions
from cardoon._arguments import Arguments
from cardoon._options import core_options
from cardoon.request import Context, current_request
from cardoon.result import AsyncResult, EagerResult

if TYPE_CHECKING:
    import uuid

    from typing_extensions import Unpack

    from cardoon._options import AppliedSending, CelerysSending, MoreSending, Sending
    from cardoon.app import App

__all__ = ["AsyncTask", "Task"]

P = ParamSpec("P")
R = TypeVar("R")

_NO_END = "has no effect: a task does not end by saying so, and whoever waits for its result would wait for ever"

#: States that the end of a run gives, and how it does.
_BY_ITS_END = {
    "SUCCESS": f"{_NO_END}; return the value",
    "FAILURE": f"{_NO_END}; raise the exception, or raise Reject(reason) to be recorded as rejected",
    "REVOKED": f"{_NO_END}; raise the exception, or let who waits call result.revoke()",
    "RETRY": "has no effect: a task is not tried again by saying so; write raise self.retry(…)",
}


class Task(Generic[P, R]):
    """A function and how it is executed. Made by ``@app.task``; or subclass it, override :meth:`run` and register it by
    ``app.register_task``. One object serves all calls of a process.

    ``P`` are the parameters, ``R`` is what ``get`` returns: for ``async def`` what the coroutine returns.
    """

    name: str = ""
    app: App
    #: The function gets the task as its first argument.
    bind: bool = False
    #: Attempts after the first one that ``retry`` makes; None for no limit.
    max_retries: int | None = 3
    #: Seconds until the next attempt, unless ``retry`` says something else.
    default_retry_delay: float = 180
    #: Exceptions after which the task is tried again by itself.
    autoretry_for: tuple[type[BaseException], ...] = ()
    dont_autoretry_for: tuple[type[BaseException], ...] = ()
    retry_kwargs: dict[str, Any] = {}
    #: Seconds before the first retry; each further one doubles it. True for 1.
    retry_backoff: float | bool = False
    #: No pause is longer, in seconds.
    retry_backoff_max: float = 600
    #: Draw each pause between zero and its full length.
    retry_jitter: bool = True
    #: Exceptions that are expected: no traceback is kept of them.
    throws: tuple[type[BaseException], ...] = ()
    queue: str | None = None
    priority: int | None = None
    #: Seconds after which a run is told by SoftTimeLimitExceeded, and after which it is killed.
    soft_time_limit: float | None = None
    time_limit: float | None = None
    #: Seconds after sending in which it may still start.
    expires: float | None = None
    ignore_result: bool | None = None
    acks_late: bool | None = None
    #: Check the arguments against the function when the task is sent.
    typing: bool = True

    MaxRetriesExceededError = exceptions.MaxRetriesExceededError
    OperationalError = exceptions.OperationalError

    run: Callable[..., Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs the task here and now, as a plain function."""
        return cast(R, self.run(*args, **kwargs))

    @property
    def request(self) -> Context:
        """The call that runs: its id, how often it was tried, …"""
        return current_request()

    if not TYPE_CHECKING:  # A type checker is to find names that are not there.

        def __getattr__(self, name: str) -> Any:
            _missing.attribute(self, f"task {self.name}", name, _missing.TASK)

    # Sending.

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Sends the task. When this returns it is stored, and will be executed at least once."""
        return self.apply_async(args, kwargs)

    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """As :meth:`delay`, for ``async def``."""
        return await self.aapply_async(args, kwargs)

    def apply_async(
        self,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: str | uuid.UUID | None = None,
        *,
        countdown: float | None = None,
        eta: datetime.datetime | str | None = None,
        expires: float | datetime.timedelta | datetime.datetime | str | None = None,
        queue: str | None = None,
        priority: int | None = None,
        headers: Mapping[str, Any] | None = None,
        time_limit: float | datetime.timedelta | None = None,
        soft_time_limit: float | datetime.timedelta | None = None,
        ignore_result: bool | None = None,
        retry: bool | None = None,
        retry_policy: Mapping[str, Any] | None = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        **celerys: Unpack[CelerysSending],
    ) -> AsyncResult[R]:
        """Sends the task with options.

        ``countdown``: not before so many seconds; ``eta``: not before this time; ``expires``: not after this time, or so
        many seconds. Times may be texts as ISO 8601 writes them. ``priority``: 0 to 9, 9 is the most urgent. ``task_id``:
        on SQLite sending the same id again adds nothing, also when the task has ended; on Redis it is one more message, as
        with Celery.
        ``retry``: try again if the store cannot be reached, as ``retry_policy`` says with ``max_retries``,
        ``interval_start``, ``interval_step`` and ``interval_max``.

        Raises :class:`~cardoon.exceptions.EncodeError` for an argument that is no JSON, and says where it stands;
        :class:`~cardoon.exceptions.ArgumentError`, a ``TypeError``, for arguments that do not fit the function;
        :class:`~cardoon.exceptions.OperationalError` if the store cannot be reached; ``TypeError`` or ``ValueError`` for an
        option that is not what it has to be. Options of Celery that have no effect here are warned about.
        """
        named_options = {
            "task_id": task_id,
            "countdown": countdown,
            "eta": eta,
            "expires": expires,
            "queue": queue,
            "priority": priority,
            "headers": headers,
            "time_limit": time_limit,
            "soft_time_limit": soft_time_limit,
            "ignore_result": ignore_result,
            "retry": retry,
            "retry_policy": retry_policy,
            "root_id": root_id,
            "parent_id": parent_id,
        }
        options: dict[str, object] = {name: value for name, value in named_options.items() if value is not None}
        if celerys:
            options.update(celerys)
        arguments, named = _values.positional(self.name, args), _values.named(self.name, kwargs)
        self._check_arguments(arguments, named)
        return cast(AsyncResult[R], self.app._send(self.name, arguments, named, options, self))

    async def aapply_async(
        self, args: Iterable[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[Sending]
    ) -> AsyncResult[R]:
        """As :meth:`apply_async`, for ``async def``."""
        import asyncio

        return await asyncio.to_thread(self.apply_async, args, kwargs, **options)

    def send_many(
        self,
        calls: Iterable[Iterable[Any] | tuple[Iterable[Any], Mapping[str, Any]]],
        **options: Unpack[Sending],
    ) -> list[AsyncResult[R]]:
        """Sends the task once for each of ``calls``, much faster than one at a time. A call is a tuple of positional
        arguments, or a pair of a tuple and a dictionary of named ones."""
        return cast("list[AsyncResult[R]]", self.app.send_many((self, *_split(call), options) for call in calls))

    async def asend_many(
        self,
        calls: Iterable[Iterable[Any] | tuple[Iterable[Any], Mapping[str, Any]]],
        **options: Unpack[Sending],
    ) -> list[AsyncResult[R]]:
        """As :meth:`send_many`, for ``async def``."""
        import asyncio

        return await asyncio.to_thread(self.send_many, calls, **options)

    def apply(
        self,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        task_id: str | None = None,
        headers: Mapping[str, Any] | None = None,
        throw: bool | None = None,
        retries: int = 0,
        logfile: object = None,
        loglevel: object = None,
        **options: Unpack[AppliedSending],
    ) -> EagerResult[R]:
        """Runs the task at once, in this process, with its retries, and returns its result. Arguments and value are the very
        objects. ``throw``: raise what the task raises, by default what ``task_eager_propagates`` says. Options are those of
        :meth:`apply_async`, which say nothing for a task that runs at once; ``logfile`` and ``loglevel`` are Celery's, and
        have no effect."""
        from cardoon._eager import apply

        core_options(self.name, options, self.app.conf.zone)
        made = {"task_id": task_id, "headers": headers, "retries": retries}
        arguments, named = _values.positional(self.name, args), _values.named(self.name, kwargs)
        return cast(EagerResult[R], apply(self, arguments, named, {**options, **made}, throw))

    def AsyncResult(self, task_id: str) -> AsyncResult[R]:  # noqa: N802 - Celery's name.
        """The result of a call that was sent before, or elsewhere."""
        return AsyncResult(task_id, app=self.app)

    # For the function itself.

    def retry(
        self,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime.datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Unpack[MoreSending],
    ) -> NoReturn:
        """Asks for another attempt, by raising :class:`~cardoon.exceptions.Retry`, with ``throw=False`` too: write
        ``raise self.retry(…)`` so that a reader sees that nothing follows.

        After ``max_retries`` attempts ``exc`` is raised instead, or
        :class:`~cardoon.exceptions.MaxRetriesExceededError`. Outside of a worker ``exc`` is raised, or ``Retry``.

        The next attempt keeps the options of this one, its queue and limits too: other ``options`` have no effect, which a
        warning says once.
        """
        # No error: it would take the place of the exception that the task was about to be tried again for.
        for option in options:
            _warnings.once(
                f"retry {option}",
                f"task {self.name}: retry: {option} has no effect: the next attempt keeps the options of this one",
            )
        request = self.request
        if request.called_directly:
            _raise_from_current(exc or exceptions.Retry("the task can be retried, but was called directly"))
        most = self.max_retries if max_retries is None else max_retries
        if most is not None and request.retries >= most:
            _raise_from_current(exc or self._exhausted(request))
        when = eta if eta is not None else self.default_retry_delay if countdown is None else countdown
        raise exceptions.Retry(
            None,
            exc or sys.exc_info()[1],
            when,
            None if args is None else _values.positional(self.name, args),
            None if kwargs is None else _values.named(self.name, kwargs),
        )

    def update_state(
        self,
        task_id: str | None = None,
        state: str | None = None,
        meta: Any = None,
        request: object = None,
        traceback: object = None,
    ) -> None:
        """Says how far the task is: ``self.update_state(state="PROGRESS", meta={"done": 3, "total": 10})``. Whoever has
        the result sees ``state`` and ``meta``. At most 10 a second are stored, the last one counts. Outside of a worker
        there is nobody to tell.

        ``task_id``: the id of the task that runs here, which is the default; that of another task raises
        ``NotImplementedError``. A state that only the end of a run gives, such as ``FAILURE``, is not stored, and a warning
        says what to do. ``request`` and ``traceback`` are Celery's, and have no effect.
        """
        own = self.request.id
        if task_id is not None and task_id != own:
            here = f"here runs {own}" if own else "no task runs here"
            raise NotImplementedError(
                f"task {self.name}: update_state(task_id={task_id!r}): a task tells its own state only, and {here}"
            )
        if state in _BY_ITS_END:
            _warnings.once(f"update_state {state}", f"task {self.name}: update_state(state={state!r}) {_BY_ITS_END[state]}")
            return
        from cardoon import _child

        _child.say_state(state or "PROGRESS", meta)

    # Hooks; override them in a subclass.

    def before_start(self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called before each attempt."""

    def on_success(self, retval: Any, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called when an attempt has returned."""

    def on_retry(
        self, exc: BaseException, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Called when an attempt is to be repeated."""

    def on_failure(
        self, exc: BaseException, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Called when the task has failed for good. Not called when its process died."""

    def after_return(
        self,
        status: str,
        retval: Any,
        task_id: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        einfo: Any,
    ) -> None:
        """Called after the last attempt."""

    # For the package.

    def _is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.run)

    def _ignores_result(self) -> bool:
        return bool(self.app.conf.task_ignore_result if self.ignore_result is None else self.ignore_result)

    def _acks_early(self) -> bool:
        late = self.app.conf.task_acks_late if self.acks_late is None else self.acks_late
        return not late

    @functools.cached_property
    def _arguments(self) -> Arguments | None:
        """What the task can be called with; None for functions that do not say so."""
        try:
            return Arguments(self.run)
        except (TypeError, ValueError):
            return None

    def _check_arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raises :class:`ArgumentError` here, where the mistake was made, rather than in a worker."""
        if self.typing and self._arguments is not None:
            self._arguments.check(self.name, args, kwargs)

    def _default_options(self) -> dict[str, Any]:
        """Options of its own that every call has unless it says something else."""
        own = {"queue": self.queue, "priority": self.priority, "expires": self.expires}
        options = {name: value for name, value in own.items() if value is not None}
        if self._ignores_result():
            options["ignore_result"] = True
        return options

    def _retry_pause(self, retries: int) -> float:
        """Seconds until an attempt that the task makes by itself."""
        if not self.retry_backoff:
            return float(self.retry_kwargs.get("countdown", self.default_retry_delay))
        factor = max(1.0, float(self.retry_backoff))
        pause = min(factor * 2.0 ** min(retries, 64), self.retry_backoff_max)
        return random.uniform(0, pause) if self.retry_jitter else pause

    def _exhausted(self, request: Context) -> exceptions.MaxRetriesExceededError:
        return exceptions.MaxRetriesExceededError(
            f"Can't retry {self.name}[{request.id}] args:{request.args} kwargs:{request.kwargs}",
            task_args=request.args,
            task_kwargs=request.kwargs,
        )

    def __repr__(self) -> str:
        return f"<@task: {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from cardoon.app import _task_named

        return _task_named, (self.app.main, self.name)


class AsyncTask(Task[P, R]):
    """A task whose function is ``async def``: to call it gives a coroutine."""

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, *args: P.args, **kwargs: P.kwargs
        ) -> Coroutine[Any, Any, R]: ...


def _raise_from_current(error: BaseException) -> NoReturn:
    """Raises ``error`` as what follows from the exception that is handled now; that one itself with its own traceback."""
    current = sys.exc_info()[1]
    if current is error:
        raise
    raise error from current


def _split(call: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    call = tuple(call)
    if len(call) == 2 and isinstance(call[0], (tuple, list)) and isinstance(call[1], dict):
        return tuple(call[0]), call[1]
    return call, {}
