"""What an exception of a task means."""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any

from cardoon import _core, _hooks
from cardoon.exceptions import CardoonError, Ignore, Reject, Retry
from cardoon.request import Context
from cardoon.task import Task

#: Longer tracebacks and messages lose their middle, in characters.
MOST_TEXT = 64 * 1024

#: An exception that was made of more is told by its message alone, in bytes.
MOST_ARGUMENTS = 64 * 1024


def judge(task: Task[..., Any], request: Context, error: BaseException) -> tuple[Any, ...]:
    """How a call ends that raised ``error``, as the compiled part takes it."""
    if isinstance(error, Ignore):
        return ("ignored",)
    if isinstance(error, Reject):
        return ("rejected", bool(error.requeue), _cut(str(error.reason)))
    if isinstance(error, Retry):
        return _retry(task, request, error)
    again = automatic_retry(task, request, error)
    if again is not None:
        return _retry(task, request, again)
    failed = failure(task, error)
    _hooks.on_failure(task, request, error, failed[2])
    return ("failed", *failed)


def automatic_retry(task: Task[..., Any], request: Context, error: BaseException) -> Retry | None:
    """The retry that the task's own options ask for after ``error``."""
    if not isinstance(error, tuple(task.autoretry_for)) or isinstance(error, tuple(task.dont_autoretry_for)):
        return None
    most = task.retry_kwargs.get("max_retries")
    if most is None:
        most = task.max_retries
    if most is not None and request.retries >= most:
        return None
    return Retry(None, error, task._retry_pause(request.retries))


def failure(task: Task[..., Any] | None, error: BaseException) -> tuple[str, str, str, str | None, bool]:
    """Kind, message, traceback and arguments of a failure, and whether only those of the call did not fit."""
    expected = task is not None and isinstance(error, tuple(task.throws))
    text = "" if expected else traceback_text(error)
    return kind_of(error), message_of(error), text, arguments_of(error), _does_not_fit(error)


def kind_of(error: BaseException) -> str:
    cls = type(error)
    # Python's own and Cardoon's, which stand for Celery's, go by their bare names.
    bare = cls.__module__ in ("builtins", "cardoon.exceptions")
    return cls.__qualname__ if bare else f"{cls.__module__}.{cls.__qualname__}"


def message_of(error: BaseException) -> str:
    try:
        # `str` of a KeyError quotes its key: its argument is the message.
        if isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], str):
            return _cut(error.args[0])
        return _cut(str(error))
    except Exception:  # noqa: BLE001 - a task's own exception may fail to show itself.
        return "<the exception cannot be shown>"


def arguments_of(error: BaseException) -> str | None:
    """What an exception was made of, as JSON, if that is not just its message. What has no form in JSON is shown instead."""
    # Not its attribute, which its class may have made something else.
    args = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    if isinstance(error, CardoonError) or (len(args) == 1 and isinstance(args[0], str) and args[0] == message_of(error)):
        return None
    written: list[bytes] = []
    for value in args:
        if isinstance(value, (str, bytes)) and len(value) > MOST_ARGUMENTS:
            return None
        written.append(_written(value))
        if sum(map(len, written)) > MOST_ARGUMENTS:
            return None
    return (b"[" + b",".join(written) + b"]").decode()


def _written(value: object) -> bytes:
    try:
        return _core.dumps(value)
    except CardoonError:
        pass
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001 - a task's own class may fail to show itself.
        shown = f"<{type(value).__name__}>"
    return _core.dumps(shown.encode("utf-8", "backslashreplace").decode())


def traceback_text(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(type(error), error, _of_user(error.__traceback__)))
    except Exception as problem:  # noqa: BLE001 - as above.
        return f"<the traceback cannot be shown: {type(problem).__name__}>"
    return _cut(text).encode("utf-8", "backslashreplace").decode()


def _cut(text: str) -> str:
    if len(text) <= MOST_TEXT:
        return text
    half = MOST_TEXT // 2
    return f"{text[:half]}\n  … cut …\n{text[-half:]}"


def _of_user(tb: TracebackType | None) -> TracebackType | None:
    """Without the frames of this package that stand in front."""
    while tb is not None and tb.tb_frame.f_globals.get("__name__", "").startswith("cardoon."):
        if tb.tb_next is None:
            break
        tb = tb.tb_next
    return tb


def _does_not_fit(error: BaseException) -> bool:
    """Whether only the arguments of the call were wrong. Our own errors have codes of their own."""
    return isinstance(error, TypeError) and not isinstance(error, CardoonError) and _was_never_entered(error)


def _was_never_entered(error: BaseException) -> bool:
    """Whether ``error`` was raised by the call of the function itself, and not in it: no frame is behind those of this
    package that call functions."""
    last = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        last = frame
    if last is None:
        return True
    module, name = last.f_globals.get("__name__"), last.f_code.co_name
    return (module, name) in (("cardoon._entry", "entry"), ("cardoon.task", "__call__"))


def _retry(task: Task[..., Any], request: Context, again: Retry) -> tuple[Any, ...]:
    error = again.exc or again
    kind, message, text, made_of, _ = failure(task, error)
    _hooks.on_retry(task, request, error, text)
    pause = max(0, int(again.countdown(task.app.conf.zone()) * 1000))
    return ("retry", pause, kind, message, text, made_of, False, _new_arguments(task, request, again))


def _new_arguments(task: Task[..., Any], request: Context, again: Retry) -> tuple[bytes, bytes] | None:
    """The arguments of the next attempt as JSON, if they are others than before."""
    if again.new_args is None and again.new_kwargs is None:
        return None
    args, kwargs = arguments_of_retry(task, request, again)
    return _core.dumps(list(args)), _core.dumps(kwargs)


def arguments_of_retry(task: Task[..., Any], request: Context, again: Retry) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of the next attempt."""
    if task._arguments is not None:
        return task._arguments.merged((request.args, request.kwargs), again.new_args, again.new_kwargs)
    args = request.args if again.new_args is None else again.new_args
    return args, request.kwargs if again.new_kwargs is None else again.new_kwargs
