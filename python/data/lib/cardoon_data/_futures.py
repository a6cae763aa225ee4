"""Calls that run beside the program, by Dask's names."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from cardoon_data._delayed import Delayed

TimeoutError = concurrent.futures.TimeoutError  # noqa: A001 - Dask's name for it.
CancelledError = concurrent.futures.CancelledError


class Future:
    """The result of a call that runs, or will run."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    @property
    def status(self) -> str:
        """``pending``, ``finished``, ``error`` or ``cancelled``."""
        if self._future.cancelled():
            return "cancelled"
        if not self._future.done():
            return "pending"
        return "error" if self._future.exception() else "finished"

    def result(self, timeout: float | None = None) -> Any:
        """Waits for the result, and raises what the call has raised. ``TimeoutError`` if it takes longer, in seconds."""
        return self._future.result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Waits for the end, and answers what the call has raised."""
        return self._future.exception(timeout)

    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._future.done()

    def cancelled(self) -> bool:
        return self._future.cancelled()

    def cancel(self, **options: Any) -> bool:
        """Prevents the call, unless it runs already. Answers whether it was prevented."""
        return self._future.cancel()

    def add_done_callback(self, function: Callable[[Future], Any]) -> None:
        """Calls ``function`` with this future when it has ended."""
        self._future.add_done_callback(lambda _: function(self))

    def __repr__(self) -> str:
        return f"<Future: {self.status}, key: {self.key}>"

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._future.set_running_or_notify_cancel():
            return
        try:
            given = [_result(argument) for argument in args]
            self._future.set_result(function(*given, **{name: _result(value) for name, value in kwargs.items()}))
        except BaseException as error:  # noqa: BLE001 - Whoever asks for the result gets it.
            self._future.set_exception(error)


class Starter:
    """Starts calls in the threads of a pool, each when the futures among its arguments have ended: none of them holds a
    thread while it waits."""

    def __init__(self, pool: concurrent.futures.Executor) -> None:
        self._pool = pool

    def start(self, future: Future, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        needed = list(_futures_in((args, kwargs)))
        left = len(needed)
        lock = threading.Lock()

        def one_ended(_: Future) -> None:
            nonlocal left
            with lock:
                left -= 1
                is_last = left == 0
            if is_last:
                self._submit(future, function, args, kwargs)

        if not needed:
            self._submit(future, function, args, kwargs)
        for each in needed:
            each.add_done_callback(one_ended)

    def _submit(self, future: Future, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            self._pool.submit(future._run, function, args, kwargs)
        except RuntimeError:
            # The pool is closed.
            future.cancel()


class DoneAndNotDone(NamedTuple):
    """What :func:`wait` answers."""

    done: set[Future]
    not_done: set[Future]


def wait(futures: Any, timeout: float | None = None, return_when: str = "ALL_COMPLETED") -> DoneAndNotDone:
    """Waits until all futures have ended, or with ``FIRST_COMPLETED`` one has. ``TimeoutError`` if that takes longer than
    ``timeout`` seconds."""
    given = {future._future: future for future in _futures_in(futures)}
    done, not_done = concurrent.futures.wait(given, timeout, return_when)
    if not_done and return_when == "ALL_COMPLETED":
        raise TimeoutError(f"{len(not_done)} of {len(given)} futures have not ended in {timeout} seconds")
    return DoneAndNotDone({given[each] for each in done}, {given[each] for each in not_done})


class as_completed:  # noqa: N801 - Dask's name for it.
    """Futures as they end: ``for future in as_completed(futures)``. With ``with_results`` pairs of a future and its result."""

    def __init__(self, futures: Iterable[Future] = (), with_results: bool = False, timeout: float | None = None) -> None:
        self._futures = list(_futures_in(list(futures)))
        self._with_results = with_results
        self._timeout = timeout

    def __iter__(self) -> Iterator[Any]:
        given = {future._future: future for future in self._futures}
        for ended in concurrent.futures.as_completed(given, self._timeout):
            yield (given[ended], ended.result()) if self._with_results else given[ended]


def gathered(value: Any, errors: str = "raise") -> Any:
    """The value with results in place of futures. ``errors="skip"``: those that failed are left out of lists."""
    if isinstance(value, Future):
        return value.result()
    if isinstance(value, list | tuple | set):
        kept = [part for part in value if errors == "raise" or not _has_failed(part)]
        return type(value)(gathered(part, errors) for part in kept)
    if isinstance(value, dict):
        return {key: gathered(part, errors) for key, part in value.items()}
    return value


def _has_failed(part: object) -> bool:
    return isinstance(part, Future) and (part.cancelled() or part.exception() is not None)


def _futures_in(value: Any) -> Iterator[Future]:
    if isinstance(value, Future):
        yield value
    elif isinstance(value, list | tuple | set):
        for part in value:
            yield from _futures_in(part)
    elif isinstance(value, dict):
        yield from _futures_in(list(value.values()))


def _result(argument: Any) -> Any:
    return argument.compute() if isinstance(argument, Delayed) else gathered(argument)
