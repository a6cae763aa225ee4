"""What a program holds of calls that run beside it."""

from __future__ import annotations

import concurrent.futures
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from cardoon_data import _missing
from cardoon_data._calls import callbacks, pickles
from cardoon_data._calls.durations import Duration, seconds
from cardoon_data._calls.tracebacks import RemoteTraceback, rebuilt

if TYPE_CHECKING:
    from cardoon_data._calls.runner import Call, Runner

TimeoutError = concurrent.futures.TimeoutError  # noqa: A001 - Dask's name for it.
CancelledError = concurrent.futures.CancelledError


class KilledWorker(Exception):
    """A call has ended the process that ran it, again and again, and is not run any more."""


class Answer(Protocol):
    """What a call has returned."""

    def value(self) -> Any:
        """The value. It may have to be unpickled."""


class Value:
    """An answer that is here."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self) -> Any:
        return self._value


class Unread(Exception):
    """An exception that has not been unpickled: whoever asks for it does that, so that it holds up nobody else."""

    def __init__(self, read: Callable[[], BaseException]) -> None:
        super().__init__()
        self._read = read
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    def read(self) -> BaseException:
        """The exception, which is the same one each time."""
        with self._lock:
            if self._error is None:
                self._error = self._read()
            return self._error


class Future(_missing.Told):
    """The result of a call that runs, or will run."""

    _said, _nearest = "Future", _missing.FUTURE

    def __init__(self, key: str, runner: Runner | None = None) -> None:
        self.key = key
        self._runner = runner
        #: The call, until it has returned.
        self._call: Call | None = None
        self._end: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        #: Calls that wait for it.
        self._needed_by: weakref.WeakSet[Call] | None = None
        #: Whether it is let go of as soon as no call waits for it.
        self._is_released = False

    @property
    def status(self) -> str:
        """``pending``, ``finished``, ``error`` or ``cancelled``."""
        if self.cancelled():
            return "cancelled"
        if not self._end.done():
            return "pending"
        return "error" if self._end.exception() else "finished"

    def result(self, timeout: Duration = None) -> Any:
        """Waits for the result, and raises what the call has raised, with the traceback of its process as the cause.
        ``TimeoutError`` if it takes longer than ``timeout``, in seconds or as ``"5s"``; the call goes on. ``CancelledError``
        if it was cancelled."""
        end = self._held()
        error = end.exception(seconds(timeout))
        if isinstance(error, Unread):
            raise error.read()
        return end.result().value()

    def exception(self, timeout: Duration = None) -> BaseException | None:
        """Waits for the end, and answers what the call has raised."""
        error = self._held().exception(seconds(timeout))
        return error.read() if isinstance(error, Unread) else error

    def traceback(self, timeout: Duration = None) -> TracebackType | None:
        """Waits for the end, and answers the traceback of what the call has raised. Frames of another process have no
        variables."""
        error = self.exception(timeout)
        if error is None:
            return None
        cause = error.__cause__
        return rebuilt(cause.places) if isinstance(cause, RemoteTraceback) else error.__traceback__

    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._is_released or self._end.done()

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._is_released or self._end.cancelled()

    def cancel(self, reason: str | None = None, msg: str | None = None, force: bool = False) -> bool:
        """Prevents the call. On the task queue one that runs is stopped; in threads it goes on. Answers whether it was
        cancelled. Dask's options have no effect."""
        if self._runner is not None:
            return self._runner.cancel(self)
        return self._end.cancel()

    def retry(self) -> None:
        """Makes a call again that has failed, and those that have failed of what it needs. They are pending then."""
        calls = self._failed()
        if calls and self._runner is not None:
            for call in calls:
                call.future._end = concurrent.futures.Future()
            self._runner.start(calls)

    def _failed(self) -> list[Call]:
        """The call and those that it needs, as far as they have failed."""
        failed: dict[int, Call] = {}
        waiting = [self]
        while waiting:
            future = waiting.pop()
            call = future._call
            if call is not None and id(call) not in failed and future.status == "error":
                failed[id(call)] = call
                waiting += call.needs
        return list(failed.values())

    def release(self) -> None:
        """Lets go of the result; a call that has not ended is cancelled. What is asked of it then is ``CancelledError``. Calls
        that wait for the result still get it."""
        self._is_released = True
        self._let_go()

    def _let_go(self) -> None:
        for call in list(self._needed_by or ()):
            if not call.future._end.done():
                # Looks again then.
                call.future._when_ended(lambda _: self._let_go())
                return
        if not self.cancel():
            self._call = None
            self._end = concurrent.futures.Future()
            self._end.cancel()

    def _held(self) -> concurrent.futures.Future[Answer]:
        if self._is_released:
            raise CancelledError(f"the future {self.key} was released")
        return self._end

    def _keep_for(self, call: Call) -> None:
        """Keeps the result until the call has ended."""
        if self._needed_by is None:
            self._needed_by = weakref.WeakSet()
        self._needed_by.add(call)

    def add_done_callback(self, function: Callable[[Future], Any]) -> None:
        """Calls ``function`` with this future when it has ended, in a thread for callbacks: one may wait for other calls. What
        it raises is logged."""
        if self._end.done():
            self._when_ended(function)
        else:
            self._when_ended(lambda future: callbacks.of_program.soon(function, future))

    def _when_ended(self, function: Callable[[Future], Any]) -> None:
        """Calls it at once if this has ended, and otherwise in the thread that collects answers, where it must be quick."""
        self._end.add_done_callback(lambda _: function(self))

    def _lose(self, error: BaseException) -> None:
        """Ends it by an error, whatever holds its lock."""
        self._end = concurrent.futures.Future()
        self._end.set_exception(error)

    def __reduce__(self) -> tuple[Any, ...]:
        return pickles.slot_of(self)

    def __repr__(self) -> str:
        return f"<Future: {self.status}, key: {self.key}>"
