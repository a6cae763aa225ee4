"""What a running task knows of its call: ``self.request``."""

from __future__ import annotations

import socket
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from cardoon import _core

__all__ = ["Context", "current_request"]

#: The request of the call that runs in this context, where several share a thread.
_running: ContextVar[Context | None] = ContextVar("cardoon_request", default=None)

#: Attributes of Celery's requests that say nothing here.
_NOT_OURS = frozenset(
    {"argsrepr", "kwargsrepr", "callbacks", "errbacks", "chain", "chord", "children", "eta", "expires", "group"}
    | {"group_index", "ignore_result", "logfile", "loglevel", "origin", "reply_to", "shadow", "stamped_headers"}
    | {"stamps", "utc", "replaced_task_nesting", "properties"}
)


#: What messages have anyway.
_OF_MESSAGES = _NOT_OURS | {"compression", "id", "lang", "parent_id", "retries", "root_id", "task", "timelimit"}


class Context:
    """The call that a task runs in. Outside of a call only ``called_directly`` is of use, and ``id`` is None.

    The names are Celery's. ``run`` is Cardoon's own: the number of this run of the task, which only grows, so that a store
    can refuse what comes from an older run (a fencing token).
    """

    is_eager = False
    called_directly = True
    id: str | None = None
    task: str | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    retries = 0
    run = 1
    root_id: str | None = None
    parent_id: str | None = None
    timelimit: tuple[float | None, float | None] = (None, None)
    delivery_info: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    hostname: str | None = None

    @property
    def _message(self) -> dict[str, Any]:
        return self.headers

    def __getattr__(self, name: str) -> Any:
        """The message's own header ``name``; None for what Celery's messages have and ours have not."""
        if not name.startswith("_"):
            headers = self._message
            if name in headers:
                return headers[name]
            if name in _NOT_OURS:
                return None
        raise AttributeError(f"the request has neither an attribute nor a header {name}")

    def get(self, name: str, default: Any = None) -> Any:
        """The attribute or header ``name``."""
        value = getattr(self, name, None)
        return default if value is None else value

    @property
    def _carries_trace(self) -> bool:
        return "traceparent" in self._message

    @property
    def correlation_id(self) -> str | None:
        return self.id


class CallContext(Context):
    """The context of a call that a worker runs. What is seldom asked for is read when it is."""

    called_directly = False

    def __init__(self, call: _core.Call, task: str) -> None:
        self._call = call
        self.id = call.id
        self.task = task
        self.retries = call.retries
        self.run = call.run
        self.root_id = call.root_id or call.id
        self.parent_id = call.parent_id
        self.timelimit = call.timelimit

    @cached_property
    def _message(self) -> dict[str, Any]:
        """All headers of the message."""
        headers: dict[str, Any] = _core.loads(self._call.headers)
        return headers

    @property
    def _carries_trace(self) -> bool:
        # Without reading them, for the many that carry none.
        return b'"traceparent"' in self._call.headers

    @cached_property
    def headers(self) -> dict[str, Any]:  # type: ignore[override]
        """The sender's own headers."""
        return {name: value for name, value in self._message.items() if name not in _OF_MESSAGES}

    @cached_property
    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        from cardoon._child import arguments_of

        return arguments_of(self._call)

    @property
    def args(self) -> tuple[Any, ...]:  # type: ignore[override]
        return self._arguments[0]

    @property
    def kwargs(self) -> dict[str, Any]:  # type: ignore[override]
        return self._arguments[1]

    @property
    def hostname(self) -> str:  # type: ignore[override]
        from cardoon import _child

        return _child.hostname

    @property
    def delivery_info(self) -> dict[str, Any]:  # type: ignore[override]
        return {
            "exchange": "",
            "routing_key": self._call.queue,
            "priority": self._call.priority,
            "redelivered": self._call.redelivered,
        }


class EagerContext(Context):
    """The context of a call that runs at once, in the process that makes it."""

    called_directly = False
    is_eager = True

    def __init__(
        self,
        *,
        id: str,
        root_id: str,
        parent_id: str | None,
        task: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        retries: int,
        headers: dict[str, Any],
        timelimit: tuple[float | None, float | None],
        queue: str,
        priority: int | None,
    ) -> None:
        self.id = id
        self.root_id = root_id
        self.parent_id = parent_id
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.retries = retries
        self.headers = headers
        self.timelimit = timelimit
        self.hostname = socket.gethostname()
        self.delivery_info = {"exchange": "", "routing_key": queue, "priority": priority, "is_eager": True}


_OUTSIDE = Context()


def current_request() -> Context:
    """The request of the call that runs here."""
    running = _running.get()
    if running is not None:
        return running
    call = _core.current_call()
    if call is None:
        return _OUTSIDE
    from cardoon._child import context_of

    return context_of(call)
