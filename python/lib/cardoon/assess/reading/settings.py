"""The settings in force, those that the application sets, and those that Celery does not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from ..view import UnknownSetting

# They take the environment into account, which the mapping of settings does not.
_PROPERTIES = ("broker_url", "broker_read_url", "broker_write_url", "result_backend")


class Configuration:
    """`app.conf`, after it was read."""

    def __init__(self, conf: Any) -> None:
        defaults = import_module("celery.app.defaults")
        self._conf = conf
        self._known: frozenset[str] = frozenset(defaults.DEFAULTS)
        self._renamed: Mapping[str, str] = defaults._TO_NEW_KEY
        self._prefix = str(conf.prefix or "")

    def values(self) -> dict[str, object]:
        values = {name: self._conf.get(name) for name in self._known}
        values.update({name: getattr(self._conf, name, None) for name in _PROPERTIES})
        return values

    def explicit(self) -> frozenset[str]:
        names = (self._canonical(name) for name, _ in self._given())
        return frozenset(name for name in names if name is not None)

    def unknown(self) -> tuple[UnknownSetting, ...]:
        names = {
            name
            for name, value in self._given()
            if self._canonical(name) is None and _is_data(value) and self._looks_like_a_setting(name)
        }
        return tuple(UnknownSetting(name, self._suggestion(name)) for name in sorted(names))

    def _given(self) -> Iterator[tuple[str, object]]:
        for mapping in self._conf.maps[:-1]:
            for name in list(mapping):
                if isinstance(name, str) and not name.startswith("_"):
                    yield name, mapping.get(name)

    def _canonical(self, name: str) -> str | None:
        """The name of today for a setting that Celery reads under `name`."""
        if name in self._known:
            return name
        if name in self._renamed:
            return self._renamed[name]
        return self._below_prefix(name) if self._has_prefix(name) else None

    def _below_prefix(self, name: str) -> str | None:
        short = name[len(self._prefix) :]
        for candidate in (short.lower(), self._renamed.get(short.upper(), "")):
            if candidate in self._known:
                return candidate
        return None

    def _has_prefix(self, name: str) -> bool:
        return bool(self._prefix) and name.upper().startswith(self._prefix.upper())

    def _looks_like_a_setting(self, name: str) -> bool:
        """A module of settings may hold names for its own use, a project of Django holds those of everybody."""
        if self._prefix:
            return self._has_prefix(name)
        if name.startswith(("CELERY_", "CELERYD_", "CELERYBEAT_")):
            return True
        return name.islower() and (self._has_known_section(name) or self._suggestion(name) is not None)

    def _has_known_section(self, name: str) -> bool:
        sections = {known.split("_")[0] for known in self._known if "_" in known}
        return "_" in name and name.split("_")[0] in sections

    def _suggestion(self, name: str) -> str | None:
        prefix = name[: len(self._prefix)] if self._has_prefix(name) else ""
        short = name[len(prefix) :]
        close = difflib.get_close_matches(short.lower(), sorted(self._known), n=1, cutoff=0.85)
        if not close:
            return None
        return prefix + (close[0].upper() if prefix and short.isupper() else close[0])


def _is_data(value: object) -> bool:
    return not isinstance(value, (ModuleType, FunctionType, BuiltinFunctionType, type))
