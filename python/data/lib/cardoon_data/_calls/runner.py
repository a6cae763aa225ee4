"""In which order calls may start: each when the futures among its arguments have ended."""

from __future__ import annotations

import concurrent.futures
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cardoon_data._calls import pickles
from cardoon_data._calls.futures import Answer, Future


class Row(NamedTuple):
    """The arguments of one call of a function, and the name of its future."""

    key: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    #: Whether the caller has named it. Then a future of this name that is still held is its future too.
    is_named: bool = False


@dataclass(frozen=True)
class Options:
    """How calls are to run."""

    #: How often one that raises is made again.
    retries: int = 0
    #: Calls with a higher one start first; 0 is usual.
    priority: int = 0


class Lazy(ABC):
    """Something among the arguments of a call that a runner makes a future of."""

    @classmethod
    @abstractmethod
    def _start(cls, each: Sequence[Any], runner: Runner, futures: dict[int, Future]) -> None:
        """Starts them, and adds futures by their ids. What has a future already is not started again."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pickles.slot_of(self)


class Call:
    """A call that is to be made for a future. Runners know more of it."""

    def __init__(self, future: Future, needs: Sequence[Future], options: Options) -> None:
        self.future = future
        #: The futures whose results it needs.
        self.needs = needs
        self.options = options
        future._call = self


class Started:
    """The futures of what is lazy among the arguments of calls that are submitted together: each is started once."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._futures: dict[int, Future] = {}
        #: An id is one's own for as long as it lives.
        self._kept: list[Lazy] = []

    def of(self, needs: Sequence[Future | Lazy]) -> list[Future]:
        """The futures of these."""
        lazy = [need for need in needs if not isinstance(need, Future)]
        if lazy:
            self._kept += lazy
            lazy[0]._start(lazy, self._runner, self._futures)
        return [need if isinstance(need, Future) else self._futures[id(need)] for need in needs]


class Runner(ABC):
    """Runs calls."""

    def __init__(self) -> None:
        self._named: weakref.WeakValueDictionary[str, Future] = weakref.WeakValueDictionary()
        #: Futures of what is lazy, as long as somebody holds them, by the process that waits for them: a fork has them too.
        self._lazy: weakref.WeakValueDictionary[tuple[int, object], Future] = weakref.WeakValueDictionary()

    def submit(self, function: Callable[..., Any], rows: Iterable[Row], options: Options) -> list[Future]:
        """Calls a function for each row. Raises what pickling raises."""
        make = self._maker(function, options)
        futures, calls = [], []
        for row in rows:
            future = self._named.get(row.key) if row.is_named else None
            if future is None or future.cancelled():
                future = Future(row.key, self)
                calls.append(make(future, row))
            if row.is_named:
                self._named[row.key] = future
            futures.append(future)
        self.start(calls)
        return futures

    def started(self, lazy: object) -> Future | None:
        """The future of something lazy, by what stands for it, if it was started here, is still held and has not failed."""
        future = self._lazy.get((os.getpid(), lazy))
        return future if future is not None and future.status in ("pending", "finished") else None

    def remember(self, lazy: object, future: Future) -> None:
        """Has :meth:`started` answer the future."""
        self._lazy[os.getpid(), lazy] = future

    def start(self, calls: Sequence[Call]) -> None:
        """Runs calls, each when what it needs has ended. One that needs what has failed fails likewise."""
        ready = []
        for call in calls:
            if call.needs:
                for need in call.needs:
                    need._keep_for(call)
                _Gate(call, self._run).watch(call.needs)
            else:
                ready.append(call)
        if ready:
            self._run(ready)

    @abstractmethod
    def scatter(self, key: str, value: Any) -> Future:
        """A future of a value that is there."""

    def cancel(self, future: Future) -> bool:
        """Prevents a call. Answers whether it is cancelled."""
        return future._end.cancel()

    @abstractmethod
    def close(self, revoke: bool = True) -> None:
        """Prevents all calls that have not ended. ``revoke``: also those that workers have, which do not end now."""

    @abstractmethod
    def _maker(self, function: Callable[..., Any], options: Options) -> Callable[[Future, Row], Call]:
        """What makes calls of a function."""

    @abstractmethod
    def _run(self, calls: Sequence[Call]) -> None:
        """Runs calls that need nothing any more."""


class _Gate:
    """Lets a call run when all that it needs has ended. Then it lets go of the call: what was needed may stay."""

    def __init__(self, call: Call, run: Callable[[Sequence[Call]], None]) -> None:
        self._call: Call | None = call
        self._run = run
        self._lock = threading.Lock()
        self._left = len(call.needs)

    def watch(self, needs: Sequence[Future]) -> None:
        for need in needs:
            need._end.add_done_callback(lambda end: in_turn(lambda: self._ended(end)))

    def _ended(self, end: concurrent.futures.Future[Answer]) -> None:
        with self._lock:
            self._left -= 1
            call = self._call
            has_failed = end.cancelled() or end.exception() is not None
            if call is None or (self._left > 0 and not has_failed):
                return
            self._call = None
        if end.cancelled():
            call.future._end.cancel()
        elif has_failed:
            settle(call.future, error=end.exception())
        elif not call.future._end.done():
            self._run([call])


def settle(future: Future, answer: Answer | None = None, error: BaseException | None = None) -> None:
    """Ends a future, unless it was cancelled meanwhile or has ended already."""
    try:
        if error is not None:
            future._end.set_exception(error)
        elif answer is not None:
            future._call = None
            future._end.set_result(answer)
    except concurrent.futures.InvalidStateError:
        pass


class _Turns(threading.local):
    waiting: deque[Callable[[], None]] | None = None


_turns = _Turns()


def in_turn(action: Callable[[], None]) -> None:
    """Does it now, or after what this thread does in turn already: the end of a call may be that of a thousand others, each
    of the one before it, and Python's stack is not as deep."""
    if _turns.waiting is not None:
        _turns.waiting.append(action)
        return
    _turns.waiting = waiting = deque([action])
    try:
        while waiting:
            waiting.popleft()()
    finally:
        _turns.waiting = None
