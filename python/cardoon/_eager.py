"""Runs a task at once, in this process, as a worker would."""

from __future__ import annotations

import asyncio
from typing import Any

from cardoon import _core
from cardoon._entry import entry_of
from cardoon._judge import automatic_retry, traceback_text
from cardoon.exceptions import Ignore, Reject, Retry
from cardoon.request import EagerContext, _running
from cardoon.result import FAILURE, SUCCESS, EagerResult
from cardoon.task import Task


def run(task: Task[..., Any], request: EagerContext, propagate: bool) -> EagerResult[Any]:
    """Runs all attempts. Pauses between them are left out."""
    assert request.id is not None
    while True:
        # Arguments travel as JSON, so what a worker would not get is not there either.
        arguments = _core.loads(_core.dumps([list(request.args), request.kwargs]))
        token = _running.set(request)
        try:
            value = entry_of(task)(*arguments[0], **arguments[1])
            if asyncio.iscoroutine(value):
                value = asyncio.run(value)
            return EagerResult(request.id, _core.loads(_core.dumps(value)), SUCCESS, app=task.app)
        except (Ignore, Reject) as error:
            state = "IGNORED" if isinstance(error, Ignore) else "REJECTED"
            return EagerResult(request.id, None, state, app=task.app)
        except Exception as error:  # noqa: BLE001 - whatever a task raises.
            again = error if isinstance(error, Retry) else automatic_retry(task, request, error)
            if again is not None:
                request.retries += 1
                request.args = request.args if again.new_args is None else again.new_args
                request.kwargs = request.kwargs if again.new_kwargs is None else again.new_kwargs
                continue
            if propagate:
                raise
            return EagerResult(request.id, error, FAILURE, traceback_text(error), task.app)
        finally:
            _running.reset(token)
