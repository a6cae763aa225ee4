"""Calls in threads of this process."""

from __future__ import annotations

import concurrent.futures
import heapq
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from cardoon_data._calls.futures import Future, Value
from cardoon_data._calls.making import made
from cardoon_data._calls.runner import Call, Lazy, Options, Row, Runner, Started, settle
from cardoon_data._calls.within import filled, found


class ThreadCall(Call):
    """A call with the very objects that it was given."""

    def __init__(
        self, future: Future, function: Callable[..., Any], args: Any, kwargs: Any, options: Options
    ) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs
        super().__init__(future, list(found((args, kwargs), Future)), options)

    def make(self) -> None:
        """Calls the function, unless that was prevented."""
        if not self.future._end.set_running_or_notify_cancel():
            return
        for left in reversed(range(self.options.retries + 1)):
            try:
                args, kwargs = filled((self._args, self._kwargs), Future, lambda need: need._end.result().value())
                settle(self.future, Value(made(self._function, args, kwargs)))
            except BaseException as error:  # noqa: BLE001 - Whoever asks for the result gets it.
                if left == 0:
                    settle(self.future, error=error)
            else:
                return


class Threads(Runner):
    """Runs calls in threads of this process: those that compute in pure Python take turns."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self._numbers = itertools.count()
        self._begin()

    def _begin(self) -> None:
        """Has threads, and nothing that waits for them."""
        self._owner = os.getpid()
        self._pool = concurrent.futures.ThreadPoolExecutor(self._count, thread_name_prefix="cardoon-client")
        self._waiting: list[tuple[int, int, ThreadCall]] = []
        self._lock = threading.Lock()

    def scatter(self, key: str, value: Any) -> Future:
        future = Future(key, self)
        settle(future, Value(value))
        return future

    def close(self, revoke: bool = True) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, _, call in waiting:
            call.future._end.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _maker(self, function: Callable[..., Any], options: Options) -> Callable[[Future, Row], Call]:
        lazy: type[Any] = Lazy
        started = Started(self)

        def make(future: Future, row: Row) -> Call:
            needs = list(found((row.args, row.kwargs), lazy))
            futures = dict(zip(map(id, needs), started.of(needs), strict=True))
            args, kwargs = filled((row.args, row.kwargs), lazy, lambda each: futures[id(each)])
            return ThreadCall(future, function, args, kwargs, options)

        return make

    def _run(self, calls: Sequence[Call]) -> None:
        if self._owner != os.getpid():
            # A fork has none of the threads.
            self._begin()
        for call in calls:
            assert isinstance(call, ThreadCall)
            with self._lock:
                heapq.heappush(self._waiting, (-call.options.priority, next(self._numbers), call))
            try:
                self._pool.submit(self._make_next)
            except RuntimeError:
                # The pool is closed.
                call.future._end.cancel()

    def _make_next(self) -> None:
        with self._lock:
            call = heapq.heappop(self._waiting)[2] if self._waiting else None
        if call is not None:
            call.make()
