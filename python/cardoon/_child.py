"""A child's life: it runs calls until its worker lets it end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from cardoon import _core, _output
from cardoon._entry import entry_of
from cardoon._greeting import tasks_of
from cardoon._judge import failure, judge
from cardoon.app import App
from cardoon.exceptions import SoftTimeLimitExceeded
from cardoon.request import CallContext, _running
from cardoon.task import Task

_child: _core.Child | None = None
_tasks: list[Task[..., Any]] = []


def run(app: App, pool: str, lanes: int, line: int, output: int, note: int) -> None:
    """Runs calls of ``app``; ``lanes`` at once, as ``pool`` says. The descriptors are this process's own."""
    global _child, _tasks
    _tasks = tasks_of(app)
    _output.redirect(output)
    _be_a_process_of_its_own()
    wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) if is_asyncio(pool) else -1
    lane = _async_lane if is_asyncio(pool) else _blocking_entry
    _child = _core.Child(line, note, wake, [lane(task) for task in _tasks], _judge)
    if is_asyncio(pool):
        asyncio.run(_serve_loop(_child, wake))
    elif pool in ("threads", "thread"):
        _child.start()
        _serve_threads(_child, lanes)
    else:
        signal.signal(signal.SIGUSR1, _on_soft_limit)
        _child.start()
        _child.serve(True)
    _end()


def is_asyncio(pool: str) -> bool:
    return pool in ("asyncio", "async")


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
    running = _running.get()
    call = running._call if isinstance(running, CallContext) else _core.current_call()
    if _child is not None and call is not None:
        _child.say_state(call, _core.dumps({"state": state, "meta": meta}))


def _judge(call: _core.Call | None, error: BaseException) -> tuple[Any, ...]:
    if call is None:
        return ("failed", *failure(None, error))
    return judge(_tasks[call.task], context_of(call), error)


def _be_a_process_of_its_own() -> None:
    """Undoes what forked processes share and must not."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        # Where memory ends, a child is to go before its worker.
        score.write("500")


def _on_soft_limit(_number: int, _frame: object) -> None:
    if _child is not None and _child.soft_limit_is_over():
        raise SoftTimeLimitExceeded("the soft time limit is over")


def _blocking_entry(task: Task[..., Any]) -> Callable[..., Any]:
    """Runs a coroutine to its end where there is no loop that could run several."""
    entry = entry_of(task)
    if not task._is_async():
        return entry

    def run_coroutine(*args: Any, **kwargs: Any) -> Any:
        return asyncio.run(entry(*args, **kwargs))

    run_coroutine.__name__ = task.name
    return run_coroutine


def _serve_threads(child: _core.Child, lanes: int) -> None:
    threads = [
        threading.Thread(target=child.serve, args=(False,), name=f"lane-{lane}", daemon=True) for lane in range(lanes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _async_lane(task: Task[..., Any]) -> Callable[..., Any]:
    """Functions that block get a thread, so that they hold up no coroutine."""
    entry = entry_of(task)
    if task._is_async():
        return entry

    async def run_in_thread(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(entry, *args, **kwargs)

    run_in_thread.__name__ = task.name
    return run_in_thread


async def _serve_loop(child: _core.Child, wake: int) -> None:
    loop = asyncio.get_running_loop()
    calls: dict[int, asyncio.Task[None]] = {}
    soft: set[int] = set()
    ended = loop.create_future()

    def pump() -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(wake)
        for call in child.take_all():
            calls[call.tag] = loop.create_task(_run_coroutine(child, call, calls, soft))
        for tag, is_soft in child.cancels():
            if tag in calls:
                if is_soft:
                    soft.add(tag)
                calls[tag].cancel()
        if child.is_stopped() and not calls and not ended.done():
            ended.set_result(None)

    def look_again(_task: object) -> None:
        if child.is_stopped():
            loop.call_soon(pump)

    calls_done = look_again
    loop.set_task_factory(_with_callback(calls_done))
    loop.add_reader(wake, pump)
    child.start()
    await ended


def _with_callback(done: Callable[[Any], None]) -> Callable[..., Any]:
    def make(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any) -> Any:
        task = asyncio.Task(coroutine, loop=loop, **options)
        task.add_done_callback(done)
        return task

    return make


async def _run_coroutine(
    child: _core.Child, call: _core.Call, calls: dict[int, asyncio.Task[None]], soft: set[int]
) -> None:
    _running.set(context_of(call))
    try:
        args, kwargs = child.arguments(call)
        value = await child.entry(call)(*args, **(kwargs or {}))
    except asyncio.CancelledError:
        if call.tag in soft:
            child.fail(call, SoftTimeLimitExceeded("the soft time limit is over"))
        else:
            child.cancelled(call)
    except BaseException as error:  # noqa: BLE001 - whatever a task raises.
        child.fail(call, error)
    else:
        child.finish(call, value)
    finally:
        calls.pop(call.tag, None)
        soft.discard(call.tag)


def _end() -> None:
    """Ends as Python programs do: with their handlers, their output flushed."""
    import atexit

    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
