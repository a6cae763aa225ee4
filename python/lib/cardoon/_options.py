"""The names of options, and what they become."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from cardoon import _values, _warnings

if TYPE_CHECKING:
    import uuid

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

#: Celery's options of tasks whose effect would be missed, and what there is in their place.
_TASK_MISSED = {
    "rate_limit": "a queue with one worker of one slot bounds how many run at once",
    "exchange": "name a queue",
    "routing_key": "name a queue",
}

#: Options of ``apply_async``: how each is checked, and its name in the compiled part. Times are beside them.
_SENT: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "countdown": ("countdown", _values.countdown),
    "headers": ("headers", _values.headers),
    "ignore_result": ("ignore_result", lambda _where, value: bool(value)),
    "parent_id": ("parent_id", _values.task_id),
    "priority": ("priority", _values.priority),
    "queue": ("queue", _values.queue),
    "root_id": ("root_id", _values.task_id),
    "soft_time_limit": ("soft_time_limit", _values.limit),
    "task_id": ("id", _values.task_id),
    "time_limit": ("time_limit", _values.limit),
}

#: Options of ``apply_async`` that steer the sending itself.
_OF_SENDING = frozenset({"retry", "retry_policy"})

#: Celery's options of ``apply_async`` that need no counterpart here.
_SENT_WITHOUT_EFFECT = frozenset({"serializer", "compression", "argsrepr", "kwargsrepr", "add_to_parent"})

#: Celery's options of ``apply_async`` whose effect would be missed, and what there is in their place.
SENT_MISSED = {
    "connection": "tasks go to the broker of the application",
    "delivery_mode": "every task is stored",
    "exchange": "name a queue: queue=…",
    "expiration": "write expires=…",
    "producer": "tasks go to the broker of the application",
    "publisher": "tasks go to the broker of the application",
    "reply_to": "results are in the result backend",
    "routing_key": "name a queue: queue=…",
    "shadow": "a task is shown by its own name",
}

_WORKFLOWS = frozenset({"link", "link_error", "chord", "group_id", "chain"})

SENDING_OPTIONS = _SENT.keys() | _OF_SENDING | {"eta", "expires"}

_KNOWN = SENDING_OPTIONS | _SENT_WITHOUT_EFFECT | SENT_MISSED.keys() | _WORKFLOWS

#: Attributes of tasks that are checked where a task is defined.
_ATTRIBUTES: dict[str, Callable[[str, Any], Any]] = {
    "default_retry_delay": _values.delay,
    "expires": lambda where, value: _values.expires(where, value, lambda: datetime.timezone.utc),
    "max_retries": _values.whole,
    "priority": _values.priority,
    "queue": _values.queue,
    "retry_backoff_max": _values.delay,
    "soft_time_limit": _values.limit,
    "time_limit": _values.limit,
}


class CelerysSending(TypedDict, total=False):
    """Options of ``apply_async`` that Celery has, and that have no effect here or are refused."""

    serializer: str | None
    compression: str | None
    argsrepr: str | None
    kwargsrepr: str | None
    add_to_parent: bool | None
    connection: Any
    delivery_mode: Any
    exchange: Any
    expiration: float | None
    producer: Any
    publisher: Any
    reply_to: str | None
    routing_key: str | None
    shadow: str | None
    link: Any
    link_error: Any
    chord: Any
    group_id: str | None
    chain: Any


class _WithoutHeaders(CelerysSending, total=False):
    """Options beside the id, the headers, ``countdown`` and ``eta``."""

    expires: float | datetime.timedelta | datetime.datetime | str | None
    queue: str | None
    priority: int | None
    time_limit: float | datetime.timedelta | None
    soft_time_limit: float | datetime.timedelta | None
    ignore_result: bool | None
    retry: bool | None
    retry_policy: Mapping[str, Any] | None
    root_id: str | None
    parent_id: str | None


class MoreSending(_WithoutHeaders, total=False):
    """Options beside the id, ``countdown`` and ``eta``."""

    headers: Mapping[str, Any] | None


class AppliedSending(_WithoutHeaders, total=False):
    """Options of ``apply`` beside the id and the headers."""

    countdown: float | None
    eta: datetime.datetime | str | None


class Sending(MoreSending, total=False):
    """All options of ``apply_async``."""

    task_id: str | uuid.UUID | None
    countdown: float | None
    eta: datetime.datetime | str | None


def task_options(name: str, options: Mapping[str, Any], base: type) -> dict[str, Any]:
    """The options of ``@app.task`` that become attributes of the task."""
    kept = {}
    for option, value in options.items():
        if option in TASK_OPTIONS or option in _HOOKS or _is_own_attribute(base, option):
            kept[option] = value
        elif option == "pydantic" and value:
            raise NotImplementedError(f"task {name}: pydantic is not there yet; call Model.model_validate in the task")
        elif option in _TASK_MISSED:
            if value:
                _warnings.once(
                    f"task {name} {option}",
                    f"task {name}: {option} has no effect here: {_TASK_MISSED[option]}; see `cardoon assess`",
                )
        elif option not in _TASK_WITHOUT_EFFECT | {"pydantic"}:
            raise TypeError(f"task {name}: there is no option {option!r}{known(option, TASK_OPTIONS)}")
    for option in ("autoretry_for", "dont_autoretry_for", "throws"):
        if option in kept:
            kept[option] = _classes(name, option, kept[option])
    return kept


def check_attributes(name: str, task: Any) -> None:
    """Raises TypeError or ValueError if an option of a task, or an attribute of its class, is not what it has to be."""
    checked = {}
    for option, check in _ATTRIBUTES.items():
        value = getattr(task, option)
        if value is not None:
            checked[option] = check(f"{option} of {name}", value)
    _check_limits(name, checked)


def core_options(name: str, options: Mapping[str, Any], zone: Callable[[], datetime.tzinfo]) -> dict[str, Any]:
    """The options of a call of the task ``name`` as the compiled part takes them. Times without a zone are in ``zone``.

    Raises TypeError or ValueError, which names the option, for one that is not known or not what it has to be.
    """
    core: dict[str, Any] = {}
    for option, value in options.items():
        if option not in _KNOWN:
            raise TypeError(f"task {name}: a task is not sent with an option {option!r}{known(option, SENDING_OPTIONS)}")
        if value is None:
            continue
        where = f"task {name}: {option}"
        if option in _SENT:
            core_name, check = _SENT[option]
            checked = check(where, value)
            if checked is not None:
                core[core_name] = checked
        elif option == "eta":
            core["eta"] = _values.eta(where, value, zone)
        elif option == "expires":
            core_name, core_value = _values.expires(where, value, zone)
            core[core_name] = core_value
        elif value:
            _say_no_effect(where, option)
    _check_limits(name, core)
    return core


def _say_no_effect(where: str, option: str) -> None:
    if option in SENT_MISSED:
        _warnings.once(f"sent {option}", f"{where} has no effect here: {SENT_MISSED[option]}")
    elif option in _WORKFLOWS:
        raise NotImplementedError(f"{where}: workflows are not there yet; let the task send what follows")


def _check_limits(name: str, checked: Mapping[str, Any]) -> None:
    soft, hard = checked.get("soft_time_limit"), checked.get("time_limit")
    if soft and hard and soft > hard:
        raise ValueError(
            f"task {name}: soft_time_limit ({soft:g}) must be less than or equal to time_limit ({hard:g})"
        )


def _is_own_attribute(base: type, option: str) -> bool:
    """Whether a class of the user has this attribute, which an option then sets."""
    return any(option in vars(cls) for cls in base.__mro__ if not cls.__module__.startswith(("cardoon.", "builtins")))


def _classes(name: str, option: str, value: Any) -> tuple[type[BaseException], ...]:
    classes = (value,) if isinstance(value, type) else tuple(value)
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            raise TypeError(f"task {name}: {option} has {cls!r}, which is no class of exceptions")
    return classes


def known(name: str, names: Iterable[str]) -> str:
    """What may have been meant by ``name``, and all ``names``, to be put behind an error."""
    import difflib

    listed = sorted(names)
    close = difflib.get_close_matches(name, listed, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{meant}; options: {', '.join(listed)}"
