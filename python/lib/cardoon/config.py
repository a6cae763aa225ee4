"""The settings of an application: ``app.conf``."""

from __future__ import annotations

import datetime
import importlib
import threading
import zoneinfo
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from cardoon.exceptions import ImproperlyConfigured

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
    "task_time_limit": None,
    "task_soft_time_limit": None,
    "task_always_eager": False,
    "task_eager_propagates": False,
    "task_publish_retry": True,
    "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 1},
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

#: Names of Celery before version 4, in lower case, without those that only lack a prefix.
_OLD_NAMES = {
    "celery_result_backend": "result_backend",
    "celery_default_queue": "task_default_queue",
    "celery_routes": "task_routes",
    "celery_acks_late": "task_acks_late",
    "celery_ignore_result": "task_ignore_result",
    "celeryd_task_time_limit": "task_time_limit",
    "celeryd_task_soft_time_limit": "task_soft_time_limit",
    "celery_always_eager": "task_always_eager",
    "celery_eager_propagates": "task_eager_propagates",
    "celery_eager_propagates_exceptions": "task_eager_propagates",
    "celery_task_publish_retry": "task_publish_retry",
    "celery_task_publish_retry_policy": "task_publish_retry_policy",
    "celeryd_pool": "worker_pool",
    "celeryd_concurrency": "worker_concurrency",
    "celeryd_max_tasks_per_child": "worker_max_tasks_per_child",
    "celeryd_max_memory_per_child": "worker_max_memory_per_child",
    "celerybeat_schedule": "beat_schedule",
    "celery_timezone": "timezone",
    "celery_enable_utc": "enable_utc",
    "celery_include": "include",
    "celery_imports": "imports",
}


class Config(MutableMapping[str, Any]):
    """Settings by attribute or by key, with Celery's names in lower case. A name that is not Cardoon's is kept and has no
    effect: ``cardoon assess`` lists those that would have one in Celery.

    What is set here goes before what an object of ``config_from_object`` says, whichever comes first. Such an object is read
    when a setting is first asked for, so that a module may name settings that are not importable yet.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        # Attributes of these names are kept in `__dict__` beside the settings that were looked up before.
        self.__dict__["_set"] = dict(values or {})
        self.__dict__["_loaded"] = {}
        self.__dict__["_sources"] = []
        self.__dict__["_loading"] = threading.RLock()

    def __getitem__(self, name: str) -> Any:
        for values in (self._set, self._of_sources()):
            if name in values:
                return values[name]
        value = DEFAULTS[name]
        if isinstance(value, dict):
            # A schedule is filled by `app.conf.beat_schedule["name"] = …`.
            value = self._set[name] = dict(value)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self._set[name] = value
        self.__dict__.pop(name, None)

    def __delitem__(self, name: str) -> None:
        del self._set[name]
        self.__dict__.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter({**DEFAULTS, **self._of_sources(), **self._set})

    def __len__(self) -> int:
        return len({**DEFAULTS, **self._of_sources(), **self._set})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(f"there is no setting {name}") from None
        # Sending a task looks at several settings: the next look-up finds this one at once.
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __repr__(self) -> str:
        return f"<Config: {', '.join(sorted({**self._loaded, **self._set})) or 'defaults'}>"

    def is_set(self, name: str) -> bool:
        """Whether ``name`` was given a value."""
        return name in self._set or name in self._of_sources()

    def load(self, source: object, namespace: str | None = None, force: bool = False) -> None:
        """Takes settings from a mapping, an object's attributes, or a module (by its name or ``module:object``): when one is
        asked for, or at once with ``force``."""
        self._sources.append((source, namespace))
        for name in [name for name in self.__dict__ if not name.startswith("_")]:
            del self.__dict__[name]
        if force:
            self._of_sources()

    def zone(self) -> datetime.tzinfo:
        """What times without a zone are meant in."""
        name = self.timezone or "UTC"
        if isinstance(name, datetime.tzinfo):
            return name
        try:
            return datetime.timezone.utc if name == "UTC" else zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise ImproperlyConfigured(
                f"timezone is {name!r}, which is no time zone",
                code="CD4002",
                kind="Invalid",
                hint="write a name such as Europe/Berlin",
            ) from None

    def _of_sources(self) -> dict[str, Any]:
        """What the objects of ``config_from_object`` say."""
        loaded: dict[str, Any] = self._loaded
        if self._sources:
            with self._loading:
                while self._sources:
                    source, namespace = self._sources[0]
                    values = _read(source, namespace)
                    loaded.update(values)
                    del self._sources[0]
        return loaded


def _read(source: object, namespace: str | None) -> dict[str, Any]:
    if isinstance(source, str):
        source = _named(source)
    values = dict(source) if isinstance(source, Mapping) else _attributes(source)
    return _in_namespace(values, namespace)


def _named(name: str) -> object:
    module_name, _, attribute = name.partition(":")
    try:
        found: object = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        is_missing_itself = error.name is not None and module_name.startswith(error.name)
        if attribute or "." not in module_name or not is_missing_itself:
            raise
        module_name, _, attribute = module_name.rpartition(".")
        found = importlib.import_module(module_name)
    return getattr(found, attribute) if attribute else found


def _attributes(source: object) -> dict[str, Any]:
    return {name: getattr(source, name) for name in dir(source) if not name.startswith("_")}


def _in_namespace(values: Mapping[str, Any], namespace: str | None) -> dict[str, Any]:
    """The values whose names begin with ``NAMESPACE_``; all that look like settings if there is no namespace."""
    if not namespace:
        return {_new_name(name): value for name, value in values.items() if not _is_code(value)}
    prefix = f"{namespace}_".lower()
    return {
        name[len(prefix) :].lower(): value
        for name, value in values.items()
        if name.lower().startswith(prefix)
    }


def _new_name(name: str) -> str:
    return _OLD_NAMES.get(name.lower(), name.lower())


def _is_code(value: object) -> bool:
    """Modules, classes and functions that settings' modules import."""
    return isinstance(value, type) or type(value).__name__ in ("module", "function", "builtin_function_or_method")
