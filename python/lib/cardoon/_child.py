"""A child's life: it runs calls until its worker lets it end."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import importlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypedDict

from cardoon import _core, _output
from cardoon._entry import entry_of
from cardoon._greeting import tasks_of
from cardoon._judge import failure, judge
from cardoon.app import App
from cardoon.exceptions import SoftTimeLimitExceeded
from cardoon.request import CallContext
from cardoon.task import Task

#: No pause before another attempt is longer: ten years.
MOST_MILLIS = 10 * 365 * 86_400_000

_child: _core.Child | None = None
_tasks: list[Task[..., Any]] = []
#: The name of the worker.
hostname = ""


class Place(TypedDict):
    """Where a child works, as its worker says."""

    #: Calls at once.
    lanes: int
    #: Larger return values are refused, in bytes.
    max_result: int
    #: The worker's name.
    hostname: str
    #: The worker's stores: tasks send to them too, whatever the application itself names.
    broker: str | None
    backend: str | None


def run(app: App, pool: str, place: Place, line: int, output: int, note: int) -> None:
    """Runs calls of ``app``, as many at once as ``place`` says. The descriptors are this process's own."""
    global _child, _tasks, hostname
    _tasks = tasks_of(app)
    lanes, most, hostname = place["lanes"], place["max_result"], place["hostname"]
    if place["broker"] is not None or place["backend"] is not None:
        app.conf.update(broker_url=place["broker"], result_backend=place["backend"])
    _output.redirect(output, by_lines=lanes > 1)
    _be_a_process_of_its_own()
    if pool in ("asyncio", "async"):
        wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        from cardoon import _loop

        _child = _core.Child(line, note, wake, [_loop.entry(task) for task in _tasks], _judge, most)
        _loop.run(_child, context_of, lanes, wake)
    elif pool in ("threads", "thread"):
        _child = _core.Child(line, note, -1, [_in_thread(task) for task in _tasks], _judge, most)
        _serve_threads(_child, lanes)
    else:
        _child = _core.Child(line, note, -1, [_blocking(task) for task in _tasks], _judge, most)
        _child.start()
        _child.serve(True)
    # As at the end of a program, but for objects, whose ends nothing waits for: threads end, then what was registered runs.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()


def prepare(app: App, pool: str) -> None:
    """Imports what children of ``app`` will need, where they share it."""
    if pool in ("asyncio", "async") or any(task._is_async() for task in tasks_of(app)):
        importlib.import_module("cardoon._loop")


def context_of(call: _core.Call) -> CallContext:
    """The request of a call."""
    return CallContext(call, _tasks[call.task].name)


def arguments_of(call: _core.Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, read anew."""
    assert _child is not None
    args, kwargs = _child.arguments(call)
    return args, kwargs or {}


def say_state(state: str, meta: Any) -> None:
    """Tells the worker how far the call is that runs here. Outside of a worker there is nobody to tell."""
    call = _output.call_here()
    if _child is not None and call is not None:
        _child.say_state(call, _core.dumps({"state": state, "meta": meta}))


def _judge(call: _core.Call | None, error: BaseException) -> tuple[Any, ...]:
    """How a call ends that raised ``error``, in words that the worker can take."""
    try:
        # Its class may refuse to have attributes set.
        BaseException.with_traceback(error, _from_user(error.__traceback__))
        if call is None:
            answer: tuple[Any, ...] = ("failed", *failure(None, error))
        else:
            answer = judge(_tasks[call.task], context_of(call), error)
    except BaseException as problem:  # noqa: BLE001 - a task's exceptions and hooks may raise what they like.
        answer = ("failed", *failure(None, problem))
    return tuple(_passable(part) for part in answer)


def _from_user(tb: TracebackType | None) -> TracebackType | None:
    """From the first frame on that is neither of this package nor of what it runs calls with. None: the call itself was
    wrong."""
    while tb is not None and tb.tb_frame.f_globals.get("__name__", "").startswith(("cardoon.", "asyncio.", "concurrent.")):
        tb = tb.tb_next
    return tb


def _passable(part: Any) -> Any:
    if isinstance(part, str):
        # File names and the like may hold what UTF-8 has no bytes for.
        return part.encode("utf-8", "backslashreplace").decode()
    return min(part, MOST_MILLIS) if type(part) is int else part


def _be_a_process_of_its_own() -> None:
    """Undoes what forked processes share and must not."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
        # Where memory ends, a child is to go before its worker.
        score.write(b"500")
    # The worker's log is to say where a child was when it crashed.
    faulthandler.enable(file=2, all_threads=False)
    # In all pools: what nobody handles ends the process.
    signal.signal(signal.SIGUSR1, _on_soft_limit)
    os.register_at_fork(
        before=lambda: _mask(signal.SIG_BLOCK), after_in_parent=lambda: _mask(signal.SIG_UNBLOCK), after_in_child=_be_usual
    )


def _be_usual() -> None:
    """What a task forks, as `multiprocessing` does, can be ended by SIGTERM like others; also by one that comes at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _mask(signal.SIG_UNBLOCK)


def _mask(how: int) -> None:
    signal.pthread_sigmask(how, [signal.SIGTERM])


def _on_soft_limit(_number: int, _frame: object) -> None:
    if _child is not None and _child.soft_limit_is_over():
        raise SoftTimeLimitExceeded("the soft time limit is over")


def _blocking(task: Task[..., Any]) -> Callable[..., Any]:
    """Runs a coroutine to its end where there is no loop that could run several."""
    entry = entry_of(task)
    if not task._is_async():
        return entry

    def run_coroutine(*args: Any, **kwargs: Any) -> Any:
        import asyncio

        return asyncio.run(entry(*args, **kwargs))

    run_coroutine.__name__ = task.name
    return run_coroutine


def _in_thread(task: Task[..., Any]) -> Callable[..., Any]:
    entry = _blocking(task)

    def run_and_flush(*args: Any, **kwargs: Any) -> Any:
        try:
            return entry(*args, **kwargs)
        finally:
            _output.end_call()

    run_and_flush.__name__ = task.name
    return run_and_flush


def _serve_threads(child: _core.Child, lanes: int) -> None:
    child.start()
    threads = [
        threading.Thread(target=child.serve, args=(False,), name=f"lane-{lane}", daemon=True) for lane in range(lanes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
