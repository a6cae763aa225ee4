"""The names of options, and what they become."""

from __future__ import annotations

import datetime
import difflib
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: Options of ``@app.task``.
TASK_OPTIONS = frozenset(
    {"name", "bind", "base", "max_retries", "default_retry_delay", "autoretry_for", "dont_autoretry_for"}
    | {"retry_kwargs", "retry_backoff", "retry_backoff_max", "retry_jitter", "throws", "queue", "priority"}
    | {"soft_time_limit", "time_limit", "expires", "ignore_result", "acks_late", "typing"}
)

#: Hooks that may be given as options too.
_HOOKS = frozenset({"before_start", "on_success", "on_retry", "on_failure", "after_return"})

#: Celery's options of tasks that need no counterpart here.
_TASK_WITHOUT_EFFECT = frozenset(
    {"serializer", "compression", "shared", "lazy", "trail", "send_events", "store_errors_even_if_ignored", "backend"}
    | {"track_started", "acks_on_failure_or_timeout", "acks_on_failure", "acks_on_timeout", "reject_on_worker_lost"}
    | {"retry_on_worker_lost", "resultrepr_maxsize", "shadow_name", "filter", "delivery_mode", "Strategy", "Request"}
)

#: Celery's options of tasks whose effect would be missed.
_TASK_MISSED = frozenset({"rate_limit", "exchange", "routing_key"})

#: Options of ``apply_async`` that are handed on as they are.
_SENT_AS_THEY_ARE = frozenset(
    {"countdown", "priority", "queue", "time_limit", "soft_time_limit", "ignore_result", "headers", "root_id"}
    | {"parent_id"}
)

#: Options of ``apply_async`` that steer the sending itself.
_OF_SENDING = frozenset({"retry", "retry_policy"})

#: Celery's options of ``apply_async`` that need no counterpart here.
_SENT_WITHOUT_EFFECT = frozenset(
    {"serializer", "compression", "shadow", "producer", "connection", "publisher", "argsrepr", "kwargsrepr"}
    | {"exchange", "routing_key", "add_to_parent", "reply_to", "expiration", "delivery_mode"}
)

_WORKFLOWS = frozenset({"link", "link_error", "chord", "group_id", "chain"})

SENDING_OPTIONS = _SENT_AS_THEY_ARE | _OF_SENDING | {"eta", "expires", "task_id"}

_KNOWN = SENDING_OPTIONS | _SENT_WITHOUT_EFFECT | _WORKFLOWS


def task_options(name: str, options: Mapping[str, Any], base: type) -> dict[str, Any]:
    """The options of ``@app.task`` that become attributes of the task."""
    kept = {}
    for option, value in options.items():
        if option in TASK_OPTIONS or option in _HOOKS or _is_own_attribute(base, option):
            kept[option] = value
        elif option == "pydantic" and value:
            raise NotImplementedError(f"task {name}: pydantic is not there yet; call Model.model_validate in the task")
        elif option in _TASK_MISSED and value:
            warnings.warn(f"task {name}: {option} has no effect here; see `cardoon assess`", stacklevel=5)
        elif option not in _TASK_WITHOUT_EFFECT | _TASK_MISSED | {"pydantic"}:
            raise TypeError(f"task {name}: there is no option {option!r}{_known(option, TASK_OPTIONS)}")
    for option in ("autoretry_for", "dont_autoretry_for", "throws"):
        if option in kept:
            kept[option] = _classes(name, option, kept[option])
    return kept


def core_options(options: Mapping[str, Any], zone: Callable[[], datetime.tzinfo]) -> dict[str, Any]:
    """The options of ``apply_async`` as the compiled part takes them. Times without a zone are in ``zone``."""
    core: dict[str, Any] = {}
    for name, value in options.items():
        if name not in _KNOWN:
            raise TypeError(f"a task is not sent with an option {name!r}{_known(name, SENDING_OPTIONS)}")
        if value is None:
            continue
        if name in _SENT_AS_THEY_ARE:
            core[name] = value
        elif name == "task_id":
            core["id"] = value
        elif name == "eta":
            core["eta"] = seconds(value, zone)
        elif name == "expires":
            core["expires" if isinstance(value, datetime.datetime) else "expires_in"] = seconds(value, zone)
        elif name in _WORKFLOWS and value:
            raise NotImplementedError(f"{name}: workflows are not there yet; let the task send what follows")
    _check_limits(core)
    return core


def seconds(
    value: float | datetime.datetime | datetime.timedelta, zone: Callable[[], datetime.tzinfo]
) -> float:
    """A time as seconds since 1970; a span as its length."""
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone())).timestamp()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return float(value)


def _check_limits(core: Mapping[str, Any]) -> None:
    soft, hard = core.get("soft_time_limit"), core.get("time_limit")
    if soft and hard and soft > hard:
        raise ValueError(f"soft_time_limit ({soft}) must be less than or equal to time_limit ({hard})")


def _is_own_attribute(base: type, option: str) -> bool:
    """Whether a class of the user has this attribute, which an option then sets."""
    return any(option in vars(cls) for cls in base.__mro__ if not cls.__module__.startswith(("cardoon.", "builtins")))


def _classes(name: str, option: str, value: Any) -> tuple[type[BaseException], ...]:
    classes = (value,) if isinstance(value, type) else tuple(value)
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            raise TypeError(f"task {name}: {option} has {cls!r}, which is no class of exceptions")
    return classes


def _known(name: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    close = difflib.get_close_matches(name, listed, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{meant}; options: {', '.join(listed)}"
