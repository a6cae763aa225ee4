"""Tasks: functions that run elsewhere."""

from __future__ import annotations

import asyncio
import datetime
import inspect
import random
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, ParamSpec, TypeVar, cast

from cardoon import exceptions
from cardoon.request import Context, EagerContext, current_request
from cardoon.result import AsyncResult, EagerResult

if TYPE_CHECKING:
    from cardoon.app import App

__all__ = ["Task"]

P = ParamSpec("P")
R = TypeVar("R")

#: Options of ``apply_async`` that say how a message is sent.
_SENT_AS_THEY_ARE = ("countdown", "priority", "queue", "time_limit", "soft_time_limit", "ignore_result", "headers")

#: Celery's options that need no counterpart here, and those that would be left out silently.
_WITHOUT_EFFECT = frozenset(
    {"serializer", "compression", "shadow", "producer", "connection", "publisher", "retry", "retry_policy", "argsrepr"}
    | {"kwargsrepr", "exchange", "routing_key", "add_to_parent", "reply_to", "expiration", "delivery_mode"}
)
_NOT_YET = frozenset({"link", "link_error", "chord", "group_id", "chain"})


class Task(Generic[P, R]):
    """A function and how it is executed. Made by ``@app.task``; or subclass it, override :meth:`run` and register it by
    ``app.register_task``. One object serves all calls of a process."""

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
    abstract: ClassVar[bool] = True

    run: Callable[..., Any]
    _signature: inspect.Signature | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs the task here and now, as a plain function."""
        return cast(R, self.run(*args, **kwargs))

    @property
    def request(self) -> Context:
        """The call that runs: its id, how often it was tried, …"""
        return current_request()

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
        task_id: str | None = None,
        *,
        countdown: float | None = None,
        eta: datetime.datetime | None = None,
        expires: float | datetime.datetime | None = None,
        queue: str | None = None,
        priority: int | None = None,
        headers: Mapping[str, Any] | None = None,
        time_limit: float | None = None,
        soft_time_limit: float | None = None,
        ignore_result: bool | None = None,
        **options: Any,
    ) -> AsyncResult[R]:
        """Sends the task with options.

        ``countdown``: not before so many seconds; ``eta``: not before this time; ``expires``: not after this time, or so
        many seconds. ``priority``: 0 to 9, 9 is the most urgent. ``task_id``: sending the same id again adds nothing.

        Raises :class:`~cardoon.exceptions.EncodeError` for an argument that is no JSON, and says where it stands;
        ``TypeError`` for arguments that do not fit the function;
        :class:`~cardoon.exceptions.OperationalError` if the store cannot be reached.
        """
        arguments = tuple(args or ())
        named = dict(kwargs or {})
        if self.typing:
            self._check_arguments(arguments, named)
        options.update(
            countdown=countdown,
            eta=eta,
            expires=self.expires if expires is None else expires,
            queue=queue or self.queue,
            priority=self.priority if priority is None else priority,
            headers=headers,
            time_limit=time_limit,
            soft_time_limit=soft_time_limit,
            ignore_result=self._ignores_result() if ignore_result is None else ignore_result,
        )
        if self.app.conf.task_always_eager:
            return self.apply(arguments, named, task_id=task_id, headers=headers, throw=None)
        id = self.app._send(self.name, arguments, named, task_id, options, self)
        return AsyncResult(id, self.app)

    async def aapply_async(
        self, args: Iterable[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> AsyncResult[R]:
        """As :meth:`apply_async`, for ``async def``."""
        return await asyncio.to_thread(self.apply_async, args, kwargs, **options)

    def send_many(
        self, calls: Iterable[Iterable[Any] | tuple[Iterable[Any], Mapping[str, Any]]], **options: Any
    ) -> list[AsyncResult[R]]:
        """Sends the task once for each of ``calls``, much faster than one at a time. A call is a tuple of positional
        arguments, or a pair of a tuple and a dictionary of named ones."""
        return cast("list[AsyncResult[R]]", self.app.send_many((self, *_split(call), options) for call in calls))

    def apply(
        self,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        task_id: str | None = None,
        headers: Mapping[str, Any] | None = None,
        throw: bool | None = None,
        retries: int = 0,
        **_options: Any,
    ) -> EagerResult[R]:
        """Runs the task at once, in this process, with its retries, and returns its result. ``throw``: raise what the task
        raises, by default what ``task_eager_propagates`` says."""
        from cardoon._eager import run

        propagate = self.app.conf.task_eager_propagates if throw is None else throw
        id = task_id or str(uuid.uuid4())
        request = EagerContext(
            id,
            self.name,
            tuple(args or ()),
            dict(kwargs or {}),
            retries,
            dict(headers or {}),
            self.queue or self.app.conf.task_default_queue,
        )
        return run(self, request, propagate)

    def AsyncResult(self, task_id: str) -> AsyncResult[R]:  # noqa: N802 - Celery's name.
        """The result of a call that was sent before, or elsewhere."""
        return AsyncResult(task_id, self.app)

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
        **_options: Any,
    ) -> NoReturn:
        """Asks for another attempt, by raising :class:`~cardoon.exceptions.Retry`: write ``raise self.retry(…)`` so that a
        reader sees that nothing follows.

        After ``max_retries`` attempts, ``exc`` is raised instead, or
        :class:`~cardoon.exceptions.MaxRetriesExceededError`. Outside of a worker the exception itself is raised.
        """
        request = self.request
        error = exc or sys.exc_info()[1]
        if request.called_directly:
            raise error or exceptions.Retry("the task was called directly: there is nobody to try it again")
        most = self.max_retries if max_retries is None else max_retries
        if most is not None and request.retries >= most:
            if error is not None:
                raise error
            raise exceptions.MaxRetriesExceededError(
                f"{self.name} [{request.id}] has used up its {most} retries"
            )
        when = eta if eta is not None else self.default_retry_delay if countdown is None else countdown
        raise exceptions.Retry(
            None,
            error,
            when,
            None if args is None else tuple(args),
            None if kwargs is None else dict(kwargs),
        )

    def update_state(
        self, task_id: str | None = None, state: str | None = None, meta: Any = None, **_celery: Any
    ) -> None:
        """Says how far the task is: ``self.update_state(state="PROGRESS", meta={"done": 3, "total": 10})``. Whoever has
        the result sees ``state`` and ``meta``. At most 10 a second are stored, the last one counts."""
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
        """Called after each attempt."""

    # For the package.

    def _is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.run)

    def _ignores_result(self) -> bool:
        return bool(self.app.conf.task_ignore_result if self.ignore_result is None else self.ignore_result)

    def _acks_early(self) -> bool:
        late = self.app.conf.task_acks_late if self.acks_late is None else self.acks_late
        return not late

    def _check_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raises ``TypeError`` here, where the mistake was made, rather than in a worker."""
        if self._signature is None:
            type(self)._signature_of(self)
        if self._signature is not None:
            try:
                self._signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.name}{self._signature}: {error}") from None

    def _signature_of(self) -> None:
        try:
            self._signature = inspect.signature(self.run)
        except (TypeError, ValueError):
            self.typing = False

    def _retry_pause(self, retries: int) -> float:
        """Seconds until an attempt that the task makes by itself."""
        if not self.retry_backoff:
            return float(self.retry_kwargs.get("countdown", self.default_retry_delay))
        factor = max(1.0, float(self.retry_backoff))
        pause = min(factor * 2.0 ** min(retries, 64), self.retry_backoff_max)
        return random.uniform(0, pause) if self.retry_jitter else pause

    def __repr__(self) -> str:
        return f"<@task: {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        from cardoon.app import _task_named

        return _task_named, (self.app.main, self.name)


def _split(call: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    call = tuple(call)
    if len(call) == 2 and isinstance(call[0], (tuple, list)) and isinstance(call[1], dict):
        return tuple(call[0]), call[1]
    return call, {}


def options_of_core(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ``apply_async`` as the compiled part takes them."""
    core: dict[str, Any] = {}
    for name, value in options.items():
        if value is None or name in _WITHOUT_EFFECT:
            continue
        if name in _SENT_AS_THEY_ARE:
            core[name] = value
        elif name == "eta":
            core["eta"] = _seconds(value)
        elif name == "expires":
            core["expires" if isinstance(value, datetime.datetime) else "expires_in"] = _seconds(value)
        elif name in ("root_id", "parent_id"):
            core[name] = value
        elif name in _NOT_YET:
            raise NotImplementedError(f"{name}: workflows are not there yet; let the task send what follows")
        else:
            raise TypeError(f"apply_async() got an unexpected option {name!r}")
    return core


def _seconds(value: float | datetime.datetime | datetime.timedelta) -> float:
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return aware.timestamp()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return float(value)
