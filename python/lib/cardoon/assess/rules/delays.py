"""Delays, expiry and long runs against the visibility timeout of the broker."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..findings import Finding
from ..view import AppView, BeatEntry, Task, seconds
from .places import at_entry, at_option_of_setting, at_setting, at_task
from .urls import broker_scheme

_DEFAULT_TIMEOUT_SECS = {"redis": 3600.0, "rediss": 3600.0, "sentinel": 3600.0, "sqs": 1800.0}
_HOUR = 3600


def visibility_timeout_secs(view: AppView) -> float | None:
    """After how long Celery's broker gives a message to another worker; None if it never does."""
    default = _DEFAULT_TIMEOUT_SECS.get(broker_scheme(view))
    if default is None:
        return None
    return seconds(view.mapping("broker_transport_options").get("visibility_timeout")) or default


def eta_redelivery(view: AppView) -> Iterator[Finding]:
    limit = visibility_timeout_secs(view)
    if limit is None:
        return
    tasks = [(task, *longest_delay(task)) for task in view.tasks]
    entries = [(entry, _entry_secs(entry, "countdown")) for entry in view.beat]
    longest = _whole_hours_above([delay for *_, delay in tasks] + [delay for _, delay in entries])
    texts = {"limit": f"{limit:g}", "enough": str(longest)}
    for task, option, delay in tasks:
        if delay > limit:
            yield at_task("eta-redelivery", task, option, **texts)
    for entry, delay in entries:
        if delay > limit:
            yield at_entry("eta-redelivery", entry, f"countdown={delay:g}", **texts)


def longest_delay(task: Task) -> tuple[str, float]:
    """The option that makes the task's longest retry delay, and the delay."""
    if task.get("max_retries") == 0:
        return "max_retries", 0.0
    candidates = [("default_retry_delay", task.seconds("default_retry_delay") or 0.0)]
    if task.get("autoretry_for"):
        candidates = [_autoretry_delay(task, candidates[0])]
    return max(candidates, key=lambda it: it[1])


def _autoretry_delay(task: Task, otherwise: tuple[str, float]) -> tuple[str, float]:
    options = task.get("retry_kwargs")
    given = options if isinstance(options, dict) else {}
    factor = _number(task.get("retry_backoff"))
    if factor:
        return "retry_backoff_max", _longest_backoff(task, given.get("max_retries", task.get("max_retries")), factor)
    countdown = seconds(given.get("countdown"))
    return ("retry_kwargs", countdown) if countdown else otherwise


def _longest_backoff(task: Task, retries: object, factor: float) -> float:
    """Each retry doubles the delay, so a few of them may never reach the cap."""
    cap = _number(task.get("retry_backoff_max"))
    cap = 600.0 if cap is None else cap
    if not isinstance(retries, int) or retries > 60:
        return cap
    return min(cap, max(1, int(factor)) * 2.0 ** max(0, retries - 1))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _entry_secs(entry: BeatEntry, option: str) -> float:
    return seconds(entry.options.get(option)) or 0.0


def _whole_hours_above(delays: list[float]) -> int:
    return (math.ceil(max(delays, default=0.0) / _HOUR) + 1) * _HOUR


def visibility_timeout(view: AppView) -> Iterator[Finding]:
    for setting in ("broker_transport_options", "result_backend_transport_options"):
        value = view.mapping(setting).get("visibility_timeout")
        if value is not None:
            yield at_option_of_setting("visibility-timeout", setting, "visibility_timeout", value)


def long_expires(view: AppView) -> Iterator[Finding]:
    limit = visibility_timeout_secs(view)
    if limit is None:
        return
    for task in view.tasks:
        if (task.seconds("expires") or 0.0) > limit:
            yield at_task("long-expires", task, "expires", limit=f"{limit:g}")
    for entry in view.beat:
        expires = _entry_secs(entry, "expires")
        if expires > limit:
            yield at_entry("long-expires", entry, f"expires={expires:g}", limit=f"{limit:g}")


def long_run(view: AppView) -> Iterator[Finding]:
    limit = visibility_timeout_secs(view)
    for task in view.tasks:
        longest = task.seconds("time_limit") or task.seconds("soft_time_limit") or 0.0
        if limit is not None and task.get("acks_late") and longest > limit:
            option = "time_limit" if task.seconds("time_limit") else "soft_time_limit"
            enough = str(_whole_hours_above([longest]))
            yield at_task("long-run", task, option, limit=f"{limit:g}", enough=enough)


def eta_limit(view: AppView) -> Iterator[Finding]:
    if view.get("worker_eta_task_limit") is not None:
        yield at_setting("eta-limit", view, "worker_eta_task_limit")


RULES = (eta_redelivery, long_run, visibility_timeout, long_expires, eta_limit)
