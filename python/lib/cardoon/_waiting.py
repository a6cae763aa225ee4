"""Waits for results without blocking an event loop."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

#: How soon a thread notices that nobody waits for its result any more, in seconds.
_NOTICE_AFTER = 0.5

#: How long a thread without work stays for more, in seconds.
_IDLE = 10.0


class _Threads:
    """Threads that grow with the number of waits, since one that had to queue behind others might be what they wait for.
    They hold up neither the loop's own threads nor the end of the program."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0

    def submit(self, work: Callable[[], None]) -> None:
        with self._lock:
            is_taken = self._free > 0
            self._free -= is_taken
        self._work.put(work)
        if not is_taken:
            threading.Thread(target=self._serve, name="cardoon-wait", daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._free > 0:
                        self._free -= 1
                        return
                continue
            work()
            with self._lock:
                self._free += 1


_threads = _Threads()


def _forget_threads() -> None:
    global _threads
    _threads = _Threads()


with contextlib.suppress(AttributeError):
    import os

    os.register_at_fork(after_in_child=_forget_threads)


async def wait(wait_at_most: Callable[[float], T | None], timeout: float | None) -> T | None:
    """Calls ``wait_at_most(seconds)`` in a thread until it answers something or ``timeout`` is over, which answers None. To
    cancel this ends the waiting in the thread too."""
    import asyncio

    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T | None] = loop.create_future()
    is_wanted = threading.Event()
    is_wanted.set()

    def work() -> None:
        try:
            settle(_until_answered(wait_at_most, timeout, is_wanted), None)
        except BaseException as error:  # noqa: BLE001 - it is for who waits.
            settle(None, error)

    def settle(value: T | None, error: BaseException | None) -> None:
        # The loop may be closed by now.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, answer, value, error)

    _threads.submit(work)
    try:
        return await answer
    finally:
        is_wanted.clear()


def _until_answered(
    wait_at_most: Callable[[float], T | None], timeout: float | None, is_wanted: threading.Event
) -> T | None:
    deadline = None if timeout is None else time.monotonic() + timeout
    while is_wanted.is_set():
        left = _NOTICE_AFTER if deadline is None else min(_NOTICE_AFTER, max(0.0, deadline - time.monotonic()))
        answer = wait_at_most(left)
        if answer is not None or (deadline is not None and time.monotonic() >= deadline):
            return answer
    return None


def _settle(answer: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(value)
