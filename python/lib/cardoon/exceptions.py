"""What goes wrong, as exceptions.

Errors of Cardoon itself carry a code (``CD1001``) that ``cardoon explain CD1001`` explains, what was checked, and the next
command. Exceptions that steer a task (:class:`Retry`, :class:`Ignore`, :class:`Reject`) have Celery's names and meaning.
"""

from __future__ import annotations

import builtins
import datetime
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cardoon import _missing

__all__ = [
    "ArgumentError",
    "BackendError",
    "CardoonError",
    "CeleryError",
    "ChordError",
    "EncodeError",
    "Ignore",
    "ImproperlyConfigured",
    "MaxRetriesExceededError",
    "NotFound",
    "NotRegistered",
    "OperationalError",
    "Reject",
    "Retry",
    "SoftTimeLimitExceeded",
    "TaskError",
    "TaskFailed",
    "TaskPredicate",
    "TaskRejectedError",
    "TaskRevokedError",
    "TimeLimitExceeded",
    "TimeoutError",
    "WorkerLostError",
    "explain",
]


class CeleryError(Exception):
    """What all errors of this package derive from, and what steers a task, by the name that Celery's programs catch them
    under. The soft time limit is none of them, as in Celery."""


class CardoonError(CeleryError):
    """An error of Cardoon, with its code.

    ``code`` is ``CD`` and four digits; ``kind`` says what to do (``Unavailable``: try again; ``Invalid``: mend the input);
    ``checked`` lists what was found, ``hint`` the next command, ``causes`` what lies behind it.

    ``send_many`` tells in ``failed`` the places of the calls that could not be sent.
    """

    failed: Sequence[int] = ()

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "CD9001",
        kind: str = "Internal",
        causes: list[str] | None = None,
        checked: list[str] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind
        self.causes = causes or []
        self.checked = checked or []
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"[{self.code}] {self.message}"]
        lines += [f"  cause: {cause}" for cause in self.causes]
        lines += [f"  checked: {checked}" for checked in self.checked]
        if self.hint:
            lines.append(f"  next: {self.hint}")
        return "\n".join(lines)

    def explain(self, locale: str | None = None) -> str:
        """What its code means, what to check and the next command, in Markdown: the page that ``cardoon explain`` shows. Chinese
        for a locale such as ``zh_CN``; by default the one of this process."""
        return explain(self.code, locale)

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.message, self.code, self.kind, self.causes, self.checked, self.hint)
        return _again, (type(self), *parts), self.__dict__


def explain(code: str, locale: str | None = None) -> str:
    """The page of a code (``CD1001``), as :meth:`CardoonError.explain` shows it. ``LookupError`` if there is no such code."""
    from cardoon import _core

    if locale is None:
        locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    page = _core.explain(code, locale)
    if page is None:
        raise NotFound(f"no error has the code `{code}`", code="CD4005", kind="NotFound", hint="all codes: cardoon explain")
    return page


class OperationalError(CardoonError, ConnectionError):
    """A store cannot be reached or does not answer now: try again later."""


#: Celery's name for what the store of results does not answer. It is the error of brokers too, which often are one store.
BackendError = OperationalError


class ImproperlyConfigured(CardoonError, ValueError):
    """A URL, a setting or an option is wrong."""


class EncodeError(CardoonError, TypeError):
    """A value cannot be written as JSON. The message says which one and where it stands."""


class ArgumentError(CardoonError, TypeError):
    """Arguments do not fit the function. The message shows what it can be called with."""


class NotRegistered(CardoonError, KeyError):
    """No task has this name."""

    __str__ = CardoonError.__str__


class NotFound(CardoonError, LookupError):
    """No task has this id, or there is no such thing."""


class TimeoutError(CardoonError, builtins.TimeoutError):  # noqa: A001 - Celery's name for it.
    """A result was not there in time. The task goes on."""


class TaskError(CeleryError):
    """How a task ended that has no return value. ``kind`` is the class that failed it, as its worker named it."""

    code = "CD3001"
    kind = ""
    traceback: str | None = None

    def __str__(self) -> str:
        return f"[{self.code}] {self._message()}"

    def _message(self) -> str:
        return super().__str__()


class TaskFailed(TaskError):
    """A task failed with an exception whose class this process does not know."""

    def __init__(self, kind: str = "", message: str = "") -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message

    def _message(self) -> str:
        return f"{self.kind}: {self.message}" if self.kind else self.message


class TaskRevokedError(TaskError):
    """The task was revoked, or expired before it could start."""

    code = "CD3002"


class TaskRejectedError(TaskError):
    """The task refused its message by :class:`Reject`."""


class TimeLimitExceeded(TaskError):
    """The task did not end within its time limit and was killed."""


class WorkerLostError(TaskError):
    """The processes that executed the task died, so often that it is not tried again."""


class ChordError(TaskError):
    """A task of a chord failed, which Celery's workers have executed: workers of Cardoon execute no chords."""


class SoftTimeLimitExceeded(Exception):
    """Raised inside a task when its soft time limit is over. The hard limit follows."""


class MaxRetriesExceededError(CeleryError):
    """A task asked for a retry, and has used up its retries."""

    def __init__(
        self, *args: object, task_args: tuple[Any, ...] = (), task_kwargs: dict[str, Any] | None = None
    ) -> None:
        super().__init__(*args)
        self.task_args = task_args
        self.task_kwargs = task_kwargs or {}


class TaskPredicate(CeleryError):
    """What a task raises to say how it goes on. No failure."""


class Ignore(TaskPredicate):
    """Raised inside a task: nothing is recorded of this run, and its message is acknowledged. So the task has no result, and
    who waits for one waits until its own time is over. To be recorded as failed raise another exception or :class:`Reject`.
    """


class Reject(TaskPredicate):
    """Raised inside a task: its message is refused. It goes to the dead letters, or back to the end of its queue."""

    def __init__(self, reason: object = None, requeue: bool = False) -> None:
        super().__init__(reason, requeue)
        self.reason = reason
        self.requeue = requeue


class Retry(TaskPredicate):
    """Raised by ``self.retry()``: another attempt is asked for, in ``when`` seconds or at the time ``when``."""

    def __init__(
        self,
        message: str | None = None,
        exc: BaseException | None = None,
        when: float | datetime.datetime | None = None,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, exc, when, args, kwargs)
        self.message = message
        self.exc = exc
        self.when = when
        self.new_args = args
        self.new_kwargs = kwargs

    def countdown(self, timezone: datetime.tzinfo = datetime.timezone.utc) -> float:
        """Seconds until the next attempt. A time without a zone is one of ``timezone``."""
        if not isinstance(self.when, datetime.datetime):
            return max(0.0, float(self.when or 0))
        when = self.when
        if when.tzinfo is None:
            from cardoon import _values

            when = _values.in_zone(when, timezone)
        return max(0.0, (when - datetime.datetime.now(datetime.timezone.utc)).total_seconds())

    def humanize(self) -> str:
        """When, in words."""
        return f"at {self.when}" if isinstance(self.when, datetime.datetime) else f"in {self.when or 0}s"

    def __str__(self) -> str:
        if self.message:
            return self.message
        return f"Retry {self.humanize()}" + (f": {self.exc!r}" if self.exc else "")


if not TYPE_CHECKING:  # A type checker is to find names that are not there.

    def __getattr__(name: str) -> Any:
        """Says what there is in place of an exception of Celery that nothing raises."""
        _missing.of_module(__name__, name, _missing.EXCEPTIONS)


_BY_CODE: dict[str, type[CardoonError]] = {
    "CD2006": EncodeError,
    "CD3003": TimeoutError,
    "CD3005": NotRegistered,
}

_BY_KIND: dict[str, type[CardoonError]] = {
    "Unavailable": OperationalError,
    "Timeout": OperationalError,
    "Invalid": ImproperlyConfigured,
    "NotFound": NotFound,
}


def _of_core(
    code: str, kind: str, message: str, causes: list[str], checked: list[str], hint: str | None
) -> CardoonError:
    """The exception for an error of the compiled part."""
    cls = _BY_CODE.get(code) or _BY_KIND.get(kind, CardoonError)
    return cls(message, code=code, kind=kind, causes=causes, checked=checked, hint=hint)


def _again(
    cls: type[CardoonError],
    message: str,
    code: str,
    kind: str,
    causes: list[str],
    checked: list[str],
    hint: str | None,
) -> CardoonError:
    return cls(message, code=code, kind=kind, causes=causes, checked=checked, hint=hint)
