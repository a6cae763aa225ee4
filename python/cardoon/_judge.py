"""What an exception of a task means."""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any

from cardoon import _core
from cardoon.exceptions import Ignore, Reject, Retry
from cardoon.request import Context
from cardoon.task import Task

#: Longer tracebacks lose their middle, in characters.
MOST_TRACEBACK = 64 * 1024


def judge(task: Task[..., Any], request: Context, error: BaseException) -> tuple[Any, ...]:
    """How a call ends that raised ``error``, as the compiled part takes it."""
    if isinstance(error, Ignore):
        return ("ignored",)
    if isinstance(error, Reject):
        return ("rejected", error.requeue, str(error.reason))
    if isinstance(error, Retry):
        return _retry(task, request, error)
    again = automatic_retry(task, request, error)
    if again is not None:
        return _retry(task, request, again)
    failed = failure(task, error)
    _call_hooks(task, request, error, "FAILURE", failed[2])
    return ("failed", *failed)


def automatic_retry(task: Task[..., Any], request: Context, error: BaseException) -> Retry | None:
    """The retry that the task's own options ask for after ``error``."""
    if not isinstance(error, task.autoretry_for) or isinstance(error, task.dont_autoretry_for):
        return None
    most = task.retry_kwargs.get("max_retries", task.max_retries)
    if most is not None and request.retries >= most:
        return None
    return Retry(None, error, task._retry_pause(request.retries))


def failure(task: Task[..., Any] | None, error: BaseException) -> tuple[str, str, str, bool]:
    """Kind, message and traceback of a failure, and whether only the arguments did not fit."""
    expected = task is not None and isinstance(error, task.throws)
    # No frame of Python was entered: the call itself was wrong.
    bad_arguments = isinstance(error, TypeError) and error.__traceback__ is None
    text = "" if expected else traceback_text(error)
    return kind_of(error), message_of(error), text, bad_arguments


def kind_of(error: BaseException) -> str:
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def message_of(error: BaseException) -> str:
    try:
        # `str` of a KeyError quotes its key: its argument is the message.
        if isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], str):
            return error.args[0]
        return str(error)
    except Exception:  # noqa: BLE001 - a task's own exception may fail to show itself.
        return "<the exception cannot be shown>"


def traceback_text(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(type(error), error, _of_user(error.__traceback__)))
    except Exception as problem:  # noqa: BLE001 - as above.
        return f"<the traceback cannot be shown: {type(problem).__name__}>"
    if len(text) > MOST_TRACEBACK:
        half = MOST_TRACEBACK // 2
        text = f"{text[:half]}\n  … cut …\n{text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode()


def _of_user(tb: TracebackType | None) -> TracebackType | None:
    """Without the frames of this package that stand in front."""
    while tb is not None and tb.tb_frame.f_globals.get("__name__", "").startswith("cardoon."):
        if tb.tb_next is None:
            break
        tb = tb.tb_next
    return tb


def _retry(task: Task[..., Any], request: Context, again: Retry) -> tuple[Any, ...]:
    error = again.exc or again
    kind, message, text, _ = failure(task, error)
    arguments = None
    if again.new_args is not None or again.new_kwargs is not None:
        args = request.args if again.new_args is None else again.new_args
        kwargs = request.kwargs if again.new_kwargs is None else again.new_kwargs
        arguments = (_core.dumps(list(args)), _core.dumps(kwargs))
    _call_hooks(task, request, error, "RETRY", text)
    return ("retry", max(0, int(again.countdown() * 1000)), kind, message, text, False, arguments)


def _call_hooks(task: Task[..., Any], request: Context, error: BaseException, state: str, text: str) -> None:
    """Hooks that are not overridden do nothing, and their arguments need not be read."""
    hook = "on_failure" if state == "FAILURE" else "on_retry"
    overridden = [name for name in (hook, "after_return") if getattr(type(task), name) is not getattr(Task, name)]
    for name in overridden:
        try:
            if name == "after_return":
                task.after_return(state, error, request.id or "", request.args, request.kwargs, text)
            else:
                getattr(task, name)(error, request.id or "", request.args, request.kwargs, text)
        except Exception:  # noqa: BLE001 - a hook's mistake must not change how the task ended.
            traceback.print_exc()
