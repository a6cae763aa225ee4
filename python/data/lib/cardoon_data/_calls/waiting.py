"""Waiting for several futures, by Dask's names."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from cardoon_data import _missing
from cardoon_data._calls.durations import Duration, seconds
from cardoon_data._calls.futures import Future, TimeoutError
from cardoon_data._calls.within import found, listed, of_parts


class DoneAndNotDone(NamedTuple):
    """What :func:`wait` answers."""

    done: set[Future]
    not_done: set[Future]


def wait(fs: Any, timeout: Duration = None, return_when: str = "ALL_COMPLETED") -> DoneAndNotDone:
    """Waits until all futures have ended, or with ``FIRST_COMPLETED`` one has. ``TimeoutError`` if that takes longer than
    ``timeout``, in seconds or as ``"5s"``."""
    if return_when not in ("ALL_COMPLETED", "FIRST_COMPLETED"):
        raise ValueError(f"return_when is ALL_COMPLETED or FIRST_COMPLETED, not {return_when!r}")
    given = set(found(listed(fs), Future))
    left = min(1, len(given)) if return_when == "FIRST_COMPLETED" else len(given)
    ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
    for future in given:
        future._when_ended(ended.put)
    deadline = _deadline(timeout)
    for _ in range(left):
        if _next_ended(ended, deadline) is None:
            not_ended = sum(not future.done() for future in given)
            raise TimeoutError(f"{not_ended} of {len(given)} futures have not ended in {seconds(timeout)} seconds")
    done = {future for future in given if future.done()}
    return DoneAndNotDone(done, given - done)


class as_completed(_missing.Told):  # noqa: N801 - Dask's name for it.
    """Futures as they end: ``for future in as_completed(futures)``. More can be added meanwhile.

    With ``with_results`` pairs of a future and its result; what a call has raised is raised there, or with
    ``raise_errors=False`` takes the place of the result. ``TimeoutError`` if all of it takes longer than ``timeout`` seconds.
    """

    _said, _nearest = "as_completed", _missing.AS_COMPLETED

    def __init__(
        self,
        futures: Iterable[Future] | None = None,
        loop: object = None,
        with_results: bool = False,
        raise_errors: bool = True,
        *,
        timeout: Duration = None,
    ) -> None:
        self._with_results = with_results
        self._raise_errors = raise_errors
        self._timeout = timeout
        self._deadline = _deadline(timeout)
        self._ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._left = 0
        self._lock = threading.Lock()
        self.update(futures or ())

    def add(self, future: Future) -> None:
        """Waits for this one too."""
        with self._lock:
            self._left += 1
        future._when_ended(self._ended.put)

    def update(self, futures: Iterable[Future]) -> None:
        """Waits for these too."""
        for future in found(list(futures), Future):
            self.add(future)

    def count(self) -> int:
        """How many are still to come."""
        return self._left

    def is_empty(self) -> bool:
        """Whether none is to come."""
        return self._left == 0

    def has_ready(self) -> bool:
        """Whether one has ended that was not given out yet."""
        return not self._ended.empty()

    def clear(self) -> None:
        """Waits for none of them any more. They go on."""
        with self._lock:
            # Those that are waited for still come into the old one.
            self._ended, self._left = queue.SimpleQueue(), 0

    def next_batch(self, block: bool = True) -> list[Any]:
        """Those that have ended; waits for one, with ``block``."""
        batch = [next(self)] if block else []
        while self.has_ready():
            batch.append(next(self))
        return batch

    def batches(self) -> Iterator[list[Any]]:
        """All of them, as many at a time as have ended."""
        while not self.is_empty():
            yield self.next_batch()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.is_empty():
            raise StopIteration
        future = _next_ended(self._ended, self._deadline)
        if future is None:
            raise TimeoutError(f"{self._left} futures have not ended in {seconds(self._timeout)} seconds")
        with self._lock:
            self._left -= 1
        return (future, self._result(future)) if self._with_results else future

    def _result(self, future: Future) -> Any:
        if self._raise_errors or future.cancelled():
            return future.result()
        return future.exception() or future.result()


def gathered(value: Any, errors: str = "raise") -> Any:
    """The value with results in place of futures. ``errors="skip"``: those that failed are left out of lists."""
    if errors not in ("raise", "skip"):
        raise ValueError(f"errors is 'raise' or 'skip', not {errors!r}")
    if isinstance(value, Future):
        return value.result()
    value = listed(value)
    if isinstance(value, list | tuple | set | frozenset):
        kept = [part for part in value if errors == "raise" or not _has_failed(part)]
        return of_parts(type(value), [gathered(part, errors) for part in kept])
    if isinstance(value, dict):
        kept = [key for key, part in value.items() if errors == "raise" or not _has_failed(part)]
        return {key: gathered(value[key], errors) for key in kept}
    return value


def progress(*futures: Any, **options: Any) -> None:
    """Waits for futures, and shows on a terminal how many have ended."""
    given = list(found(futures, Future))
    if not sys.stderr.isatty():
        wait(given)
        return
    for ended, _ in enumerate(as_completed(given), start=1):
        sys.stderr.write(f"\r{ended} of {len(given)} ended")
        sys.stderr.flush()
    sys.stderr.write("\n")


def fire_and_forget(obj: Any) -> None:
    """Nothing more: a call goes on in any case though nobody holds its future, until its client is closed."""


def _has_failed(part: object) -> bool:
    return isinstance(part, Future) and (part.cancelled() or _error(part) is not None)


def _error(future: Future) -> BaseException | None:
    try:
        return future.exception()
    except Exception as error:  # noqa: BLE001 - It was cancelled while it was waited for.
        return error


def _deadline(timeout: Duration) -> float | None:
    left = seconds(timeout)
    return None if left is None else time.monotonic() + left


def _next_ended(ended: queue.SimpleQueue[Future], deadline: float | None) -> Future | None:
    """The next one; None when the time is over."""
    try:
        return ended.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        return None
