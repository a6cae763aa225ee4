"""The entries of `beat_schedule`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from ..view import BeatEntry
from .sources import qualified


def read_beat(settings: Mapping[str, object]) -> tuple[BeatEntry, ...]:
    entries = settings.get("beat_schedule")
    if not isinstance(entries, Mapping):
        return ()
    return tuple(_read_entry(str(name), entry) for name, entry in entries.items())


def _read_entry(name: str, entry: Any) -> BeatEntry:
    given: Mapping[str, Any] = entry if isinstance(entry, Mapping) else vars(entry)
    schedule = given.get("schedule")
    return BeatEntry(
        name=name,
        task=str(given.get("task") or ""),
        kind=_kind(schedule),
        schedule_class=qualified(schedule),
        options=dict(given.get("options") or {}),
    )


def _kind(schedule: object) -> str:
    """A subclass may compute its times as it likes, so the class itself counts."""
    schedules = import_module("celery.schedules")
    if isinstance(schedule, (int, float, timedelta)):
        return "interval"
    kinds = {schedules.schedule: "interval", schedules.crontab: "crontab", schedules.solar: "solar"}
    return kinds.get(type(schedule), "custom")
