"""An application's connection to its stores."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from cardoon import _core
from cardoon.exceptions import CardoonError

T = TypeVar("T")

#: The code of what is asked of a connection that was closed meanwhile.
_CLOSED = "CD1006"

#: How the kernel's names of a connection's threads begin.
_OF_CONNECTIONS = ("cardoon-store", "tokio-rt")

#: So long a fork waits for what other threads are asking.
_MOST_PATIENCE_SECS = 5.0

_connections: weakref.WeakSet[Connection] = weakref.WeakSet()
#: Set except while this process is forked.
_may_ask = threading.Event()
_may_ask.set()
#: What is being asked, with the thread that asks.
_asking: dict[object, int] = {}


class Connection:
    """Connects with its first use, and again after :meth:`close`.

    A process is forked without connections: neither SQLite's locks nor threads survive that. They are closed before, and both
    processes connect anew; what another thread asked for meanwhile is asked once more.
    """

    #: Called before each use.
    before_use: Callable[[], None] | None = None

    def __init__(self, broker: str | None, results: str | None, queue: str | None) -> None:
        self._client = _core.Client(broker, results, queue)
        _connections.add(self)

    def __call__(self, *_celerys: object, **_options: object) -> NoReturn:
        """Celery's applications have a method ``connection``."""
        raise TypeError(
            "app.connection() is not there: there are no connections to hand out; send by apply_async, send_task or send_many"
        )

    def send(self, task: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: dict[str, Any]) -> str:
        """Stores a task and answers its id."""
        return self._ask(lambda: self._client.send(task, args, kwargs, options))

    def send_many(
        self, calls: Sequence[tuple[str, Sequence[Any], Mapping[str, Any], dict[str, Any]]]
    ) -> list[str | Exception]:
        return self._ask(lambda: self._client.send_many(calls))

    def record(self, id: str) -> _core.Record | None:
        """The latest record of a task, if it has one."""
        return self._ask(lambda: self._client.records([id]))[0]

    def records(self, ids: list[str]) -> list[_core.Record | None]:
        """The latest record of each of many tasks, if it has one."""
        return self._ask(lambda: self._client.records(ids))

    def wait(self, id: str, timeout: float | None = None) -> _core.Record | None:
        """Waits for the end of a task, at most ``timeout`` seconds; None when that is over."""
        if timeout is None:
            return self._ask(lambda: self._client.wait(id))
        end = time.monotonic() + timeout
        return self._ask(lambda: self._client.wait(id, max(0.0, end - time.monotonic())))

    def state(self, id: str) -> str:
        return self._ask(lambda: self._client.state(id))

    def progress(self, id: str) -> str | None:
        """What a running task said last of how far it is."""
        return self._ask(lambda: self._client.progress(id))

    def revoke(self, id: str) -> None:
        self._ask(lambda: self._client.revoke(id))

    def forget(self, id: str) -> bool:
        return self._ask(lambda: self._client.forget(id))

    def close(self) -> None:
        self._client.close()

    def _ask(self, question: Callable[[], T]) -> T:
        if self.before_use is not None:
            self.before_use()
        me = object()
        while True:
            # Announced first and then looked, so that a fork either waits for this or is waited for.
            _asking[me] = threading.get_ident()
            try:
                if _may_ask.is_set():
                    return question()
            except CardoonError as error:
                if error.code != _CLOSED:
                    raise
            finally:
                _asking.pop(me, None)
            _may_ask.wait()


def _before_fork() -> None:
    """Closes all connections, again if a thread has opened one meanwhile, until nothing of them is left."""
    _may_ask.clear()
    end = time.monotonic() + _MOST_PATIENCE_SECS
    while True:
        for connection in list(_connections):
            with contextlib.suppress(CardoonError):
                connection.close()
        if (_is_quiet() and not _has_threads()) or time.monotonic() > end:
            return
        time.sleep(0.001)


def _is_quiet() -> bool:
    """Whether no other thread asks anything."""
    return set(_asking.values()) <= {threading.get_ident()}


def _has_threads() -> bool:
    """Whether threads of closed connections are still ending. What they hold would stay held in the other process."""
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return False
    return any(_name_of(thread).startswith(_OF_CONNECTIONS) for thread in threads)


def _name_of(thread: str) -> str:
    try:
        with open(f"/proc/self/task/{thread}/comm", encoding="utf-8", errors="replace") as name:
            return name.read()
    except OSError:
        return ""


def _after_fork_in_child() -> None:
    """The other threads are not here, and what they hold stays held."""
    global _may_ask
    _may_ask = threading.Event()
    _may_ask.set()
    _asking.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=lambda: _may_ask.set(), after_in_child=_after_fork_in_child
    )
