"""The settings of an application: ``app.conf``."""

from __future__ import annotations

import datetime
import importlib
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from cardoon import _environment, _settings
from cardoon._celery_settings import OLD_NAMES
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

#: What an application is made with, beside its settings.
_OF_APP = ("main", "broker", "backend", "include", "config_source", "namespace", "task_cls", "set_as_current", "changes")

#: Parameters of Celery's applications that have no effect here.
_OF_CELERYS_APP = frozenset(
    {"loader", "amqp", "events", "log", "control", "tasks", "fixups", "autofinalize", "strict_typing"}
)


class Config(MutableMapping[str, Any]):
    """Settings by attribute or by key, with Celery's names; old ones and those in capitals are read too.

    A name that is not Cardoon's is kept and has no effect: ``cardoon assess`` lists those that would have one in Celery. A
    warning says so once for those whose effect would be missed, and for names that resemble one.

    ``broker_url`` and ``result_backend`` are what ``CELERY_BROKER_URL`` and ``CELERY_RESULT_BACKEND`` say where neither the
    application nor Cardoon's own variables nor ``cardoon.toml`` do.

    What is set here goes before what an object of ``config_from_object`` says, whichever comes first. Such an object is read
    when a setting is first asked for, so that a module may name settings that are not importable yet.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        # Attributes of these names are kept in `__dict__` beside the settings that were looked up before.
        self.__dict__["_set"] = {_settings.present(name): value for name, value in (values or {}).items()}
        for name, value in self._set.items():
            _settings.tell(name, value)
        self.__dict__["_loaded"] = {}
        self.__dict__["_sources"] = []
        self.__dict__["_loading"] = threading.RLock()

    def __getitem__(self, name: str) -> Any:
        name = _settings.present(name)
        for values in (self._set, self._of_sources()):
            if name in values:
                return values[name]
        if name in _environment.STORES:
            return _environment.store(name)
        value = DEFAULTS[name]
        if isinstance(value, dict):
            # A schedule is filled by `app.conf.beat_schedule["name"] = …`.
            value = self._set[name] = dict(value)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        name = _settings.present(name)
        _settings.tell(name, value)
        self._set[name] = value
        self.__dict__.pop(name, None)

    def __delitem__(self, name: str) -> None:
        name = _settings.present(name)
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
        if name in DEFAULTS:
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

    def check(self) -> None:
        """Raises :class:`~cardoon.exceptions.ImproperlyConfigured` for settings that would lead to another place than
        Celery's."""
        _settings.check(self)

    def load(
        self, source: object, namespace: str | None = None, force: bool = False, silent: bool = False
    ) -> None:
        """Takes settings from a mapping, an object's attributes, or a module (by its name or ``module:object``): when one is
        asked for, or at once with ``force``. ``silent``: a module that cannot be imported is passed over."""
        self._sources.append((source, namespace, silent))
        for name in [name for name in self.__dict__ if not name.startswith("_")]:
            del self.__dict__[name]
        if force:
            self._of_sources()

    def zone(self) -> datetime.tzinfo:
        """What times without a zone are meant in."""
        name = self.timezone or "UTC"
        if isinstance(name, datetime.tzinfo):
            return name
        if name == "UTC":
            return datetime.timezone.utc
        # Not above: it needs much that nothing else does, and each child would keep it.
        import zoneinfo

        try:
            return zoneinfo.ZoneInfo(name)
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
                    values = _read(*self._sources[0])
                    for name, value in values.items():
                        _settings.tell(name, value)
                    loaded.update(values)
                    del self._sources[0]
        return loaded


def settings_of_call(named: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the keywords that an application is made with, without those that are Celery's own parameters of
    it. Raises TypeError for a name that is no setting."""
    given = {name: value for name, value in named.items() if name not in _OF_CELERYS_APP}
    for name in given:
        if not _settings.is_known(name):
            raise TypeError(f"App has no parameter and no setting {name!r}{_settings.meant(name, *_OF_APP)}")
    return given


def _read(source: object, namespace: str | None, silent: bool) -> dict[str, Any]:
    if isinstance(source, str):
        try:
            source = _named(source)
        except ImportError:
            if not silent:
                raise
            source = {}
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
    return OLD_NAMES.get(name.lower(), name.lower())


def _is_code(value: object) -> bool:
    """Modules, classes and functions that settings' modules import."""
    return isinstance(value, type) or type(value).__name__ in ("module", "function", "builtin_function_or_method")
