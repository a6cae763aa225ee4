"""Threads for what a program wants to be told of: whatever it does there, it holds up no answers."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

#: How long callbacks of calls that have ended are waited for at the end of the program, in seconds.
_LAST = 5.0

_log = logging.getLogger("cardoon.distributed")


class Callbacks:
    """Calls functions one after the other in a thread of its own, which starts with the first one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._begin()
        atexit.register(self._end)

    def soon(self, function: Callable[[Any], object], value: Any) -> None:
        """Has ``function(value)`` called. What it raises is logged."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._call_all, name=self._name, daemon=True)
                self._thread.start()
        self._waiting.put((function, value))

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._thread = None
        self._waiting: queue.SimpleQueue[tuple[Callable[[Any], object], Any] | None] = queue.SimpleQueue()

    def _call_all(self) -> None:
        while (each := self._waiting.get()) is not None:
            try:
                each[0](each[1])
            except BaseException:  # noqa: BLE001 - Not even what wants the process to end may end the thread.
                _log.exception("a callback of %r has failed", each[1])
            # What it holds is not to be held until the next one comes.
            del each

    def _end(self) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(_LAST)


#: Those of a program, and what unpickles for executors: a callback may wait for that.
of_program = Callbacks("cardoon-callbacks")
of_executors = Callbacks("cardoon-executors")


def _begin_anew() -> None:
    # A fork has none of the threads, and a lock may be held there for ever.
    of_program._begin()
    of_executors._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
