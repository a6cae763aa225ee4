"""The settings of an application: ``app.conf``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

__all__ = ["Config"]

#: What counts, and its default. Names are Celery's; defaults differ from Celery's where that would lose tasks.
DEFAULTS: dict[str, Any] = {
    "broker_url": None,
    "result_backend": None,
    "task_default_queue": "celery",
    "task_default_priority": None,
    "task_routes": None,
    "task_acks_late": True,
    "task_ignore_result": False,
    "task_track_started": False,
    "task_time_limit": None,
    "task_soft_time_limit": None,
    "task_always_eager": False,
    "task_eager_propagates": False,
    "task_annotations": None,
    "worker_pool": None,
    "worker_concurrency": None,
    "worker_max_tasks_per_child": None,
    "worker_max_memory_per_child": None,
    "beat_schedule": {},
    "timezone": "UTC",
    "enable_utc": True,
    "include": (),
    "imports": (),
}


class Config(MutableMapping[str, Any]):
    """Settings by attribute or by key, with Celery's names in lower case. A name that is not Cardoon's is kept and has no
    effect: ``cardoon assess`` lists those that would have one in Celery."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.__dict__["_values"] = {}
        self.update(values or {})

    def __getitem__(self, name: str) -> Any:
        values = self.__dict__["_values"]
        if name in values:
            return values[name]
        value = DEFAULTS[name]
        if isinstance(value, dict):
            # A schedule is filled by `app.conf.beat_schedule["name"] = …`.
            value = values[name] = {}
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self.__dict__["_values"][name] = value

    def __delitem__(self, name: str) -> None:
        del self.__dict__["_values"][name]

    def __iter__(self) -> Iterator[str]:
        return iter({**DEFAULTS, **self.__dict__["_values"]})

    def __len__(self) -> int:
        return len({**DEFAULTS, **self.__dict__["_values"]})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no setting {name}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def is_set(self, name: str) -> bool:
        """Whether ``name`` was given a value."""
        return name in self.__dict__["_values"]

    def load(self, source: object, namespace: str | None = None) -> None:
        """Takes settings from a mapping, an object's attributes, or a module (by its name or ``module:object``)."""
        if isinstance(source, str):
            source = _named(source)
        values = dict(source) if isinstance(source, Mapping) else _attributes(source)
        self.update(_in_namespace(values, namespace))


def _named(name: str) -> object:
    module_name, _, attribute = name.partition(":")
    try:
        found: object = importlib.import_module(module_name)
    except ModuleNotFoundError:
        if attribute or "." not in module_name:
            raise
        module_name, _, attribute = module_name.rpartition(".")
        found = importlib.import_module(module_name)
    return getattr(found, attribute) if attribute else found


def _attributes(source: object) -> dict[str, Any]:
    return {name: getattr(source, name) for name in dir(source) if not name.startswith("_")}


def _in_namespace(values: Mapping[str, Any], namespace: str | None) -> dict[str, Any]:
    """The values whose names begin with ``NAMESPACE_``; all that look like settings if there is no namespace."""
    if namespace:
        prefix = f"{namespace}_"
        return {
            name[len(prefix) :].lower(): value
            for name, value in values.items()
            if name.upper().startswith(prefix.upper())
        }
    return {name.lower(): value for name, value in values.items() if not callable(value)}
