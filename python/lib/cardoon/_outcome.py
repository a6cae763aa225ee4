"""What a record says of how a task ended: a value, or an exception."""

from __future__ import annotations

import builtins
import re
import sys
from typing import Any

from cardoon import exceptions
from cardoon._core import Record

SUCCESS = "SUCCESS"
FAILURE = "FAILURE"
REVOKED = "REVOKED"

#: Cardoon's own kinds of failure.
_OURS: dict[str, type[exceptions.TaskError]] = {
    "Revoked": exceptions.TaskRevokedError,
    "Expired": exceptions.TaskRevokedError,
    "TaskRevokedError": exceptions.TaskRevokedError,
    "Rejected": exceptions.TaskRejectedError,
    "WorkerLost": exceptions.WorkerLostError,
    "WorkerLostError": exceptions.WorkerLostError,
    "OutcomeUnknown": exceptions.WorkerLostError,
    "TimeLimitExceeded": exceptions.TimeLimitExceeded,
}

#: How an error of Cardoon itself begins when it is written.
_CODED = re.compile(r"\[(CD\d{4})\] ")


class RemoteTraceback(Exception):
    """The traceback of the worker, shown as the cause of what ``get`` raises."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


def outcome(record: Record, propagate: bool) -> Any:
    """The value of an ended task; the exception that it failed with is raised, or returned without ``propagate``."""
    if record.state == SUCCESS:
        return record.value()
    error = exception_of(record)
    if propagate:
        raise error
    return error


def exception_of(record: Record) -> BaseException:
    """The exception that a task failed with, as far as this process knows its class."""
    kind, message, details = record.failure or ("", "", "")
    if not kind and record.state == REVOKED:
        kind, message = "Revoked", message or "the task was revoked"
    error = _exception(kind, message or ("" if kind else record.state), record.arguments())
    if isinstance(error, exceptions.TaskError):
        error.kind = kind
        error.traceback = details or None
    if details:
        error.__cause__ = RemoteTraceback(details)
    return error


def _exception(kind: str, message: str, arguments: list[Any] | None) -> BaseException:
    if kind in _OURS:
        return _OURS[kind](message)
    cls = _class_named(kind)
    if cls is None:
        return exceptions.TaskFailed(kind, message)
    coded = _CODED.match(message)
    if coded and issubclass(cls, exceptions.CardoonError):
        return cls(message[coded.end() :], code=coded[1])
    try:
        return cls(*([message] if arguments is None else arguments))
    except Exception:  # noqa: BLE001 - a class may want other arguments than a message.
        return exceptions.TaskFailed(kind, message)


def _class_named(kind: str) -> type[BaseException] | None:
    """The exception class of this name. Only modules that are imported already are looked into: a result must not be able
    to import anything."""
    module, _, name = kind.rpartition(".")
    found = getattr(sys.modules.get(module), name, None) if module else getattr(builtins, name, None)
    if found is None and not module:
        found = getattr(exceptions, name, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found
    return None
