"""Runs a task at once, in this process, as a worker would."""

from __future__ import annotations

import contextvars
import inspect
import threading
import uuid
from collections.abc import Coroutine, Mapping
from typing import Any

from cardoon import _core, _hooks
from cardoon._arguments import located, located_result
from cardoon._entry import entry_of
from cardoon._judge import arguments_of_retry, automatic_retry, traceback_text
from cardoon._outcome import FAILURE, SUCCESS
from cardoon.exceptions import EncodeError, Ignore, Reject, Retry
from cardoon.request import EagerContext, _running, current_request
from cardoon.result import EagerResult
from cardoon.task import Task


def apply_async(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> EagerResult[Any]:
    """Stands for sending the task and for a worker's run of it: arguments and value travel as JSON, so what a worker would not
    get is not there either."""
    try:
        args, kwargs = _core.loads(_core.dumps([list(args), kwargs]))
    except EncodeError as error:
        raise located(task.name, task._arguments, args, kwargs, error) from None
    result = apply(task, tuple(args), kwargs, options, None)
    if result.state == SUCCESS:
        result._outcome = _travelled(task, result._outcome)
    return result


def _travelled(task: Task[..., Any], value: Any) -> Any:
    try:
        return _core.loads(_core.dumps(value))
    except EncodeError as error:
        raise located_result(task.name, value, error) from None


def apply(
    task: Task[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: Mapping[str, Any],
    throw: bool | None,
) -> EagerResult[Any]:
    """Runs the task with its retries; pauses between them are left out. As with Celery, what a run raises is raised if
    ``throw`` says so, and that is so for a wish to retry too."""
    propagate = task.app.conf.task_eager_propagates if throw is None else throw
    request = _request(task, args, kwargs, options)
    while True:
        try:
            return _result(task, request, _run(task, request), SUCCESS)
        except (Ignore, Reject) as error:
            state = "IGNORED" if isinstance(error, Ignore) else "REJECTED"
            return _result(task, request, error, state, traceback_text(error))
        except Exception as error:  # noqa: BLE001 - whatever a task raises.
            again = error if isinstance(error, Retry) else automatic_retry(task, request, error)
            if propagate:
                raise again or error
            text = traceback_text(error)
            if again is None:
                _hooks.on_failure(task, request, error, text)
                return _result(task, request, error, FAILURE, text)
            _hooks.on_retry(task, request, again.exc or again, text)
            request.retries += 1
            request.args, request.kwargs = arguments_of_retry(task, request, again)


def _request(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
) -> EagerContext:
    id = options.get("task_id") or str(uuid.uuid4())
    outer = current_request()
    return EagerContext(
        id=id,
        root_id=id if outer.called_directly else outer.root_id or outer.id or id,
        parent_id=outer.id,
        task=task.name,
        args=args,
        kwargs=kwargs,
        retries=options.get("retries") or 0,
        headers=dict(options.get("headers") or {}),
        timelimit=(task.time_limit, task.soft_time_limit),
        queue=options.get("queue") or task.queue or task.app.conf.task_default_queue,
        priority=options.get("priority", task.priority),
    )


def _run(task: Task[..., Any], request: EagerContext) -> Any:
    token = _running.set(request)
    try:
        value = entry_of(task)(*request.args, **request.kwargs)
        return _awaited(value) if inspect.iscoroutine(value) else value
    finally:
        _running.reset(token)


def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine to its end; in a thread of its own where a loop runs already."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    answer: list[Any] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            answer.append((context.run(asyncio.run, coroutine), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the task was called.
            answer.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = answer[0]
    if error is not None:
        raise error
    return value


def _result(
    task: Task[..., Any], request: EagerContext, value: Any, state: str, text: str | None = None
) -> EagerResult[Any]:
    assert request.id is not None
    return EagerResult(request.id, value, state, text, task.name, task.app, request.retries)
