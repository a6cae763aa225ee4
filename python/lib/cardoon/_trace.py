"""Traces: what is sent goes on in the trace of whoever sends it.

The headers are those of OpenTelemetry's instrumentation of Celery. OpenTelemetry is no dependency: it is used where the program
has imported it. Elsewhere a task that sends another one hands its own trace on as it is.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cardoon.request import Context, current_request

if TYPE_CHECKING:
    from cardoon.task import Task

#: W3C's headers.
_HEADERS = ("traceparent", "tracestate", "baggage")


def is_used() -> bool:
    """Whether the program has imported OpenTelemetry."""
    return "opentelemetry.context" in sys.modules


def put_in(core: dict[str, Any], request: Context) -> None:
    """Adds the headers of the trace to the options of a call that is sent by ``request``. Those that the sender gives
    stay."""
    headers = _headers_here(request)
    if headers:
        core["headers"] = {**headers, **core.get("headers", {})}


def within(task: Task[..., Any], entry: Callable[..., Any]) -> Callable[..., Any]:
    """``entry`` of ``task``, called within the trace that the call was sent in."""

    def in_trace(*args: Any, **kwargs: Any) -> Any:
        with _attached(current_request()):
            return entry(*args, **kwargs)

    async def coroutine_in_trace(*args: Any, **kwargs: Any) -> Any:
        with _attached(current_request()):
            value = entry(*args, **kwargs)
            return await value if inspect.isawaitable(value) else value

    chosen = coroutine_in_trace if task._is_async() else in_trace
    chosen.__name__ = task.name
    return chosen


def _headers_here(request: Context) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if is_used():
        from opentelemetry.propagate import inject

        inject(headers)
    if "traceparent" not in headers and not request.called_directly and request._carries_trace:
        carried = request.headers
        headers.update((name, carried[name]) for name in _HEADERS if name in carried)
    return headers


@contextlib.contextmanager
def _attached(request: Context) -> Iterator[None]:
    from opentelemetry import context
    from opentelemetry.propagate import extract

    # Whatever headers a propagator looks for, they are texts.
    texts = {name: value for name, value in request.headers.items() if isinstance(value, str)}
    token = context.attach(extract(texts))
    try:
        yield
    finally:
        context.detach(token)
