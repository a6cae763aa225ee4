"""Results of tasks."""

from __future__ import annotations

import asyncio
import builtins
import datetime
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from cardoon import exceptions
from cardoon._core import Record
from cardoon.request import current_request

if TYPE_CHECKING:
    from cardoon.app import App

__all__ = ["AsyncResult", "EagerResult"]

R = TypeVar("R")

PENDING = "PENDING"
SUCCESS = "SUCCESS"
FAILURE = "FAILURE"
RETRY = "RETRY"
REVOKED = "REVOKED"
READY_STATES = frozenset({SUCCESS, FAILURE, REVOKED})


class AsyncResult(Generic[R]):
    """A task that was sent. Nothing is asked of the stores until a method is called.

    ``get`` waits for the return value. Awaiting the result does so too, without blocking the event loop.
    """

    def __init__(self, id: str, app: App | None = None) -> None:
        from cardoon.app import current_app

        self.id = id
        self.app = app or current_app()

    @property
    def task_id(self) -> str:
        return self.id

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        disable_sync_subtasks: bool = True,
        **_celery: Any,
    ) -> R:
        """Waits for the task's end, at most ``timeout`` seconds (None: for ever), and returns its value.

        A failed task raises the exception it failed with, with the traceback of the worker as its cause; with
        ``propagate=False`` the exception is returned. :class:`~cardoon.exceptions.TimeoutError` when the time is over: the
        task goes on. Ctrl-C ends the waiting, not the task.
        """
        if disable_sync_subtasks and not current_request().called_directly:
            raise RuntimeError(
                "a task that waits for another one keeps a slot that the other may need: "
                "let it send a follow-up, or pass disable_sync_subtasks=False"
            )
        record = self.app.client.wait(self.id, timeout)
        if record is None:
            raise exceptions.TimeoutError(
                f"the task {self.id} did not end within {timeout:g} s",
                code="CD3003",
                kind="Timeout",
                hint=f"cardoon task why {self.id}",
            )
        return cast(R, _outcome(record, propagate))

    async def aget(self, timeout: float | None = None, propagate: bool = True) -> R:
        """As :meth:`get`, for ``async def``."""
        return await asyncio.to_thread(self.get, timeout, propagate, False)

    def __await__(self) -> Any:
        return self.aget().__await__()

    def wait(self, timeout: float | None = None, **options: Any) -> R:
        return self.get(timeout, **options)

    def ready(self) -> bool:
        """Whether the task has ended."""
        record = self._record()
        return record is not None and record.is_final

    def successful(self) -> bool:
        return self.state == SUCCESS

    def failed(self) -> bool:
        return self.state == FAILURE

    @property
    def state(self) -> str:
        """Where the task stands: ``PENDING``, ``RECEIVED``, ``STARTED``, ``RETRY``, ``SUCCESS``, ``FAILURE``,
        ``REVOKED``, or what the task itself said by ``update_state``. ``PENDING`` also for an id that nothing is known of.
        """
        record = self._record()
        if record is not None and record.is_final:
            return record.state
        said = self._said()
        return said[0] if said else self.app.client.state(self.id)

    status = state

    @property
    def result(self) -> Any:
        """The return value, the exception, what the task said by ``update_state``, or None."""
        record = self._record()
        if record is not None and record.is_final:
            return _outcome(record, propagate=False)
        said = self._said()
        if said:
            return said[1]
        return _outcome(record, propagate=False) if record is not None else None

    info = result

    @property
    def traceback(self) -> str | None:
        """The traceback of a failed attempt, as its worker saw it."""
        record = self._record()
        return record.failure[2] or None if record is not None and record.failure else None

    @property
    def date_done(self) -> datetime.datetime | None:
        record = self._record()
        if record is None or not record.is_final:
            return None
        return datetime.datetime.fromtimestamp(record.finished_at, datetime.timezone.utc)

    @property
    def retries(self) -> int | None:
        record = self._record()
        return record.retries if record else None

    @property
    def worker(self) -> str | None:
        record = self._record()
        return record.worker if record else None

    @property
    def name(self) -> str | None:
        record = self._record()
        return record.task or None if record else None

    @property
    def queue(self) -> str | None:
        record = self._record()
        return record.queue if record else None

    def revoke(self, terminate: bool = False, **_celery: Any) -> None:
        """Revokes the task, durably: one that waits is not executed, one that runs is told to stop.

        ``terminate`` makes no difference: a running task is always told, and killed if it does not stop.
        """
        self.app.client.revoke(self.id)

    def forget(self) -> None:
        """Deletes the result."""
        self.app.client.forget(self.id)

    def _record(self) -> Record | None:
        return self.app.client.records([self.id])[0]

    def _said(self) -> tuple[str, Any] | None:
        """What the running task said by ``update_state``."""
        document = self.app.client.progress(self.id)
        try:
            said = json.loads(document) if document else None
        except ValueError:
            return None
        if isinstance(said, dict) and isinstance(said.get("state"), str):
            return said["state"], said.get("meta")
        return None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AsyncResult):
            return self.id == other.id
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<AsyncResult: {self.id}>"

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("a result is no list; call .get() to wait for its value")


class EagerResult(AsyncResult[R]):
    """The result of a task that ran at once, in this process."""

    def __init__(
        self, id: str, value: Any, state: str, traceback: str | None = None, app: App | None = None
    ) -> None:
        super().__init__(id, app)
        self._value = value
        self._state = state
        self._traceback = traceback

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        disable_sync_subtasks: bool = True,
        **_celery: Any,
    ) -> R:
        if propagate and isinstance(self._value, BaseException) and self._state != SUCCESS:
            raise self._value
        return cast(R, self._value)

    async def aget(self, timeout: float | None = None, propagate: bool = True) -> R:
        return self.get(timeout, propagate)

    def ready(self) -> bool:
        return True

    @property
    def state(self) -> str:
        return self._state

    status = state

    @property
    def result(self) -> Any:
        return self._value

    info = result

    @property
    def traceback(self) -> str | None:
        return self._traceback

    def revoke(self, terminate: bool = False, **_celery: Any) -> None:
        """Too late: it has ended."""

    def forget(self) -> None:
        """There is nothing to delete."""

    def __repr__(self) -> str:
        return f"<EagerResult: {self.id}>"


class RemoteTraceback(Exception):
    """The traceback of the worker, shown as the cause of what ``get`` raises."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


def _outcome(record: Record, propagate: bool) -> Any:
    if record.state == SUCCESS:
        return record.value()
    error = exception_of(record)
    if propagate:
        raise error
    return error


#: Cardoon's own kinds of failure.
_OURS: dict[str, type[exceptions.TaskError]] = {
    "Revoked": exceptions.TaskRevokedError,
    "Expired": exceptions.TaskRevokedError,
    "TaskRevokedError": exceptions.TaskRevokedError,
    "WorkerLost": exceptions.WorkerLostError,
    "WorkerLostError": exceptions.WorkerLostError,
    "OutcomeUnknown": exceptions.WorkerLostError,
    "TimeLimitExceeded": exceptions.TimeLimitExceeded,
}


def exception_of(record: Record) -> BaseException:
    """The exception that a task failed with, as far as this process knows its class."""
    kind, message, details = record.failure or ("", record.state, "")
    if kind in _OURS:
        error: BaseException = _OURS[kind](message)
    else:
        cls = _class_named(kind)
        error = _made(cls, message) if cls else exceptions.TaskFailed(kind, message)
    if isinstance(error, exceptions.TaskError):
        error.kind = kind
        error.traceback = details or None
    if details:
        error.__cause__ = RemoteTraceback(details)
    return error


def _class_named(kind: str) -> type[BaseException] | None:
    """The exception class of this name. Only modules that are imported already are looked into: a result must not be able
    to import anything."""
    module, _, name = kind.rpartition(".")
    found = getattr(sys.modules.get(module), name, None) if module else getattr(builtins, name, None)
    if found is None and not module:
        found = getattr(exceptions, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found
    return None


def _made(cls: type[BaseException], message: str) -> BaseException:
    try:
        return cls(message)
    except Exception:  # noqa: BLE001 - a class may want other arguments than a message.
        return exceptions.TaskFailed(f"{cls.__module__}.{cls.__qualname__}", message)
