"""Receivers of Celery's signals."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, Kind, Where
from ..view import AppView

# Sent by Celery's own code where a task runs or is sent.
_IN_CHILD = frozenset(
    "before_task_publish after_task_publish task_prerun task_postrun task_success task_retry task_failure"
    " task_internal_error worker_process_init worker_process_shutdown".split()
)
_LOGGING = frozenset({"setup_logging", "after_setup_logger", "after_setup_task_logger"})
# Beat and the command `celery` send them, which a worker of ours does not replace.
_ELSEWHERE = frozenset({"beat_init", "beat_embedded_init", "user_preload_options", "task_sent"})


def receivers(view: AppView) -> Iterator[Finding]:
    for receiver in view.receivers:
        finding = _finding_of(receiver.signal)
        if finding:
            where = Where(Kind.SIGNAL, receiver.signal, receiver.name, receiver.source)
            yield Finding(finding, where)


def _finding_of(signal: str) -> str | None:
    if signal in _ELSEWHERE:
        return None
    if signal in _LOGGING:
        return "signal-logging"
    return "signal-in-child" if signal in _IN_CHILD else "signal-not-sent"


RULES = (receivers,)
