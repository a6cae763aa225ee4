"""A child's life with an event loop: its calls are coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cardoon import _core, _output
from cardoon._entry import entry_of
from cardoon.exceptions import SoftTimeLimitExceeded
from cardoon.request import Context, _running
from cardoon.task import Task


def run(child: _core.Child, context_of: Callable[[_core.Call], Context], lanes: int, wake: int) -> None:
    """Runs calls until the worker lets this child end; ``wake`` is raised when there is something to do."""
    asyncio.run(_Loop(child, context_of).serve(lanes, wake))


def entry(task: Task[..., Any]) -> Callable[..., Any]:
    """What is awaited for a task. Functions that block get a thread, so that they hold up no coroutine.

    A thread cannot be ended: whatever its call is told, it goes on until its function returns. A call that must end then
    ends with its child.
    """
    called = entry_of(task)
    if task._is_async():
        return called

    async def run_in_thread(*args: Any, **kwargs: Any) -> Any:
        running = asyncio.ensure_future(asyncio.to_thread(called, *args, **kwargs))
        while not running.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        return running.result()

    run_in_thread.__name__ = task.name
    return run_in_thread


class _Loop:
    def __init__(self, child: _core.Child, context_of: Callable[[_core.Call], Context]) -> None:
        self._child = child
        self._context_of = context_of
        self._calls: dict[int, asyncio.Task[None]] = {}
        #: Calls that were told to stop, and whether that is because of their soft limit.
        self._told: dict[int, bool] = {}
        self._ended: asyncio.Future[None]

    async def serve(self, lanes: int, wake: int) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(lanes, "lane"))
        loop.add_reader(wake, self._look, wake)
        self._ended = loop.create_future()
        self._child.start()
        await self._ended

    def _look(self, wake: int) -> None:
        """Does what the worker says."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(wake)
        for call in self._child.take_all():
            task = self._calls[call.tag] = asyncio.create_task(self._run(call))
            task.add_done_callback(functools.partial(self._forget, call))
        for tag, is_soft in self._child.cancels():
            if tag in self._calls:
                self._told[tag] = is_soft
                self._calls[tag].cancel()
        self._end_if_through()

    async def _run(self, call: _core.Call) -> None:
        _running.set(self._context_of(call))
        try:
            args, kwargs = self._child.arguments(call)
            value = await self._child.entry(call)(*args, **(kwargs or {}))
        except BaseException as error:  # noqa: BLE001 - whatever a task raises.
            self._fail(call, error)
        else:
            _output.end_call()
            self._child.finish(call, value)

    def _forget(self, call: _core.Call, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            # It was told to stop before its first step.
            self._fail(call, asyncio.CancelledError())
        del self._calls[call.tag]
        self._told.pop(call.tag, None)
        self._end_if_through()

    def _fail(self, call: _core.Call, error: BaseException) -> None:
        _output.end_call()
        is_soft = self._told.get(call.tag)
        if not isinstance(error, asyncio.CancelledError) or is_soft is None:
            # A task may also be cancelled by what it awaits itself.
            self._child.fail(call, error)
        elif is_soft:
            self._child.fail(call, SoftTimeLimitExceeded("the soft time limit is over"))
        else:
            self._child.cancelled(call)

    def _end_if_through(self) -> None:
        if not self._calls and self._child.is_stopped() and not self._ended.done():
            self._ended.set_result(None)
