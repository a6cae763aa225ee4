"""The calls of ``send_many``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cardoon import _values
from cardoon._arguments import located
from cardoon.exceptions import EncodeError
from cardoon.task import Task

#: A call of ``send_many``: a task or its name, positional arguments, named ones, options.
Call = (
    tuple[str | Task[..., Any], Iterable[Any]]
    | tuple[str | Task[..., Any], Iterable[Any], Mapping[str, Any]]
    | tuple[str | Task[..., Any], Iterable[Any], Mapping[str, Any], Mapping[str, Any]]
)


class Many:
    """A call of ``send_many``."""

    def __init__(
        self,
        task: str | Task[..., Any],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.task = None if isinstance(task, str) else task
        self.name = _values.task_name(task if isinstance(task, str) else task.name)
        self.args = _values.positional(self.name, args)
        self.kwargs = _values.named(self.name, kwargs)
        self.options = dict(options or {})

    def parts(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return self.name, self.args, self.kwargs


def located_in(calls: list[Many], error: EncodeError) -> EncodeError:
    """``error`` with the call that it is in, and the place there."""
    for place, call in enumerate(calls):
        arguments = call.task._arguments if call.task else None
        found = located(f"call {place}: {call.name}", arguments, call.args, call.kwargs, error)
        if found is not error:
            return found
    return error
