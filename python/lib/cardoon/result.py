"""Results of tasks."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from cardoon import _missing, _values, _waiting, exceptions
from cardoon._core import Record
from cardoon._outcome import FAILURE, REVOKED, SUCCESS, outcome
from cardoon.request import current_request

if TYPE_CHECKING:
    from cardoon.app import App

__all__ = ["AsyncResult", "EagerResult", "allow_join_result"]

R = TypeVar("R")

PENDING = "PENDING"
RETRY = "RETRY"
READY_STATES = frozenset({SUCCESS, FAILURE, REVOKED})

_may_join: ContextVar[bool] = ContextVar("cardoon_may_join", default=False)

_Callback = Callable[[str, Any], object]


@contextlib.contextmanager
def allow_join_result() -> Iterator[None]:
    """Inside of this a task may wait for other tasks, at the risk that they wait for its slot."""
    token = _may_join.set(True)
    try:
        yield
    finally:
        _may_join.reset(token)


class AsyncResult(Generic[R]):
    """A task that was sent. Nothing is asked of the stores until a method is called.

    ``get`` waits for the return value. Awaiting the result does so too, without blocking the event loop.
    """

    TimeoutError = exceptions.TimeoutError

    def __init__(
        self,
        id: str,
        backend: object = None,
        task_name: str | None = None,
        app: App | None = None,
        *,
        ignored: bool = False,
    ) -> None:
        """``backend`` and ``task_name`` are Celery's, and have no effect: the stores are those of ``app``, by default the
        current application."""
        from cardoon.app import current_app

        if not id:
            raise ValueError(f"the id of a task is a text, not {id!r}")
        self.id = _values.task_id("the id of a task", id)
        self.app = app or current_app()
        #: Whether the task was sent with ``ignore_result``: there is no value, and nobody waits for one.
        self.ignored = ignored
        self._final: Record | None = None

    @property
    def task_id(self) -> str:
        return self.id

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        no_ack: bool = True,
        follow_parents: bool = True,
        callback: _Callback | None = None,
        on_message: object = None,
        on_interval: object = None,
        disable_sync_subtasks: bool = True,
        EXCEPTION_STATES: object = None,  # noqa: N803 - Celery's name.
        PROPAGATE_STATES: object = None,  # noqa: N803 - Celery's name.
    ) -> R:
        """Waits for the task's end, at most ``timeout`` seconds (None: for ever), and returns its value.

        A failed task raises the exception it failed with, with the traceback of the worker as its cause; with
        ``propagate=False`` the exception is returned. :class:`~cardoon.exceptions.TimeoutError` when the time is over: the
        task goes on. Ctrl-C ends the waiting, not the task. A task that was sent with ``ignore_result`` answers None at
        once. One that ends by ``raise Ignore`` has no result: without a ``timeout`` this waits for ever.

        ``callback(id, value)`` is called with the value. What else Celery takes has no effect: the store itself says when
        there is a result.
        """
        if disable_sync_subtasks:
            _assert_may_join()
        if self.ignored:
            return cast(R, None)
        if self._final is None:
            self._final = self.app.connection.wait(self.id, timeout)
        return self._value(timeout, propagate, callback)

    async def aget(self, timeout: float | None = None, propagate: bool = True) -> R:
        """As :meth:`get`, for ``async def``, and allowed in a task that is ``async def`` itself. To cancel it ends the
        waiting, not the task."""
        if self.ignored:
            return cast(R, None)
        if self._final is None:
            self._final = await _waiting.wait(lambda left: self.app.connection.wait(self.id, left), timeout)
        return self._value(timeout, propagate, None)

    def __await__(self) -> Generator[Any, None, R]:
        return self.aget().__await__()

    wait = get

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
        return said[0] if said else self.app.connection.state(self.id)

    @property
    def status(self) -> str:
        return self.state

    @property
    def result(self) -> Any:
        """The return value, the exception, what the task said by ``update_state``, or None."""
        record = self._record()
        if record is not None and record.is_final:
            return outcome(record, propagate=False)
        said = self._said()
        if said:
            return said[1]
        return outcome(record, propagate=False) if record is not None else None

    @property
    def info(self) -> Any:
        return self.result

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

    def revoke(
        self,
        connection: None = None,
        terminate: bool = False,
        signal: str | int | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Revokes the task, durably: one that waits is not executed, one that runs is told to stop.

        The parameters are Celery's, and make no difference: a running task is always told, and killed if it does not
        stop; the revoke is stored, so that no worker has to be waited for.
        """
        self.app.connection.revoke(self.id)

    def forget(self) -> None:
        """Deletes the result."""
        self._final = None
        self.app.connection.forget(self.id)

    def _value(self, timeout: float | None, propagate: bool, callback: _Callback | None) -> R:
        if self._final is None:
            raise exceptions.TimeoutError(
                f"the task {self.id} did not end within {timeout:g} s",
                code="CD3003",
                kind="Timeout",
                hint=f"cardoon task why {self.id}",
            )
        value = outcome(self._final, propagate)
        if callback is not None:
            callback(self.id, value)
        return cast(R, value)

    def _record(self) -> Record | None:
        if self._final is not None:
            return self._final
        record = self.app.connection.record(self.id)
        if record is not None and record.is_final:
            self._final = record
        return record

    def _said(self) -> tuple[str, Any] | None:
        """What the running task said by ``update_state``."""
        document = self.app.connection.progress(self.id)
        try:
            said = json.loads(document) if document else None
        except ValueError:
            return None
        # A task does not end by saying so: a final state has a record.
        if isinstance(said, dict) and isinstance(said.get("state"), str) and said["state"] not in READY_STATES:
            return said["state"], said.get("meta")
        return None

    if not TYPE_CHECKING:  # A type checker is to find names that are not there.

        def __getattr__(self, name: str) -> Any:
            _missing.attribute(self, "a result", name, _missing.RESULT)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AsyncResult):
            return self.id == other.id
        return self.id == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.id}>"

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("a result is no list; call .get() to wait for its value")

    def __reduce__(self) -> tuple[Any, ...]:
        return _result, (self.id, self.app, self.ignored)


class EagerResult(AsyncResult[R]):
    """The result of a task that ran at once, in this process."""

    def __init__(
        self,
        id: str,
        value: Any,
        state: str,
        traceback: str | None = None,
        name: str | None = None,
        app: App | None = None,
        retries: int = 0,
    ) -> None:
        super().__init__(id, app=app)
        self._outcome = value
        self._state = state
        self._traceback = traceback
        self._name = name
        self._retries = retries
        self._date_done = datetime.datetime.now(datetime.timezone.utc)

    def get(
        self,
        timeout: float | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        no_ack: bool = True,
        follow_parents: bool = True,
        callback: _Callback | None = None,
        on_message: object = None,
        on_interval: object = None,
        disable_sync_subtasks: bool = True,
        EXCEPTION_STATES: object = None,  # noqa: N803 - Celery's name.
        PROPAGATE_STATES: object = None,  # noqa: N803 - Celery's name.
    ) -> R:
        if disable_sync_subtasks:
            _assert_may_join()
        if self._state not in READY_STATES:
            # Ignored and rejected tasks have no value.
            return cast(R, None)
        if propagate and self._state != SUCCESS:
            raise self._outcome
        if callback is not None:
            callback(self.id, self._outcome)
        return cast(R, self._outcome)

    wait = get

    async def aget(self, timeout: float | None = None, propagate: bool = True) -> R:
        return self.get(timeout, propagate, disable_sync_subtasks=False)

    def ready(self) -> bool:
        return True

    @property
    def state(self) -> str:
        return self._state

    @property
    def result(self) -> Any:
        return self._outcome

    @property
    def traceback(self) -> str | None:
        return self._traceback

    @property
    def date_done(self) -> datetime.datetime | None:
        return self._date_done

    @property
    def retries(self) -> int | None:
        return self._retries

    @property
    def worker(self) -> str | None:
        return None

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def queue(self) -> str | None:
        return None

    def revoke(
        self,
        connection: None = None,
        terminate: bool = False,
        signal: str | int | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Too late for the task. As with Celery the result says from now on that it was revoked."""
        self._state = REVOKED
        self._outcome = exceptions.TaskRevokedError("revoked")
        self._traceback = None

    def forget(self) -> None:
        """There is nothing to delete."""

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.id, self._outcome, self._state, self._traceback, self._name, self.app, self._retries)
        return EagerResult, parts


def _assert_may_join() -> None:
    if not current_request().called_directly and not _may_join.get():
        raise RuntimeError(
            "a task that waits for another one keeps a slot that the other may need: "
            "let it send a follow-up, pass disable_sync_subtasks=False, or await it"
        )


def _result(id: str, app: App, ignored: bool) -> AsyncResult[Any]:
    """What a pickled result becomes in another process."""
    return AsyncResult(id, app=app, ignored=ignored)
