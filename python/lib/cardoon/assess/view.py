"""A read-only picture of a Celery application: what the rules look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Source:
    """A line of the user's code; the file is relative to the current folder if it is below it."""

    file: str
    line: int


@dataclass(frozen=True)
class Task:
    """A registered task, with the options that are in force for it."""

    name: str
    source: Source | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    is_bound: bool = False
    is_async: bool = False
    overrides: frozenset[str] = frozenset()
    """Methods and classes of `celery.Task` that the user replaced."""
    canvas: tuple[str, ...] = ()
    """The canvas primitives that the task's function names."""
    chooses_ids: bool = False
    """The task's function sends tasks with ids of its own."""

    def get(self, option: str) -> object:
        return self.options.get(option)

    def seconds(self, option: str) -> float | None:
        return seconds(self.get(option))


@dataclass(frozen=True)
class Queue:
    """An entry of `task_queues`."""

    name: str
    exchange_type: str = "direct"
    arguments: Mapping[str, object] = field(default_factory=dict)
    max_priority: int | None = None


@dataclass(frozen=True)
class BeatEntry:
    """An entry of `beat_schedule`; its kind is `interval`, `crontab`, `solar` or `custom`."""

    name: str
    task: str
    kind: str
    schedule_class: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Receiver:
    """A function of the user that is connected to a signal."""

    signal: str
    name: str
    source: Source | None = None


@dataclass(frozen=True)
class Extension:
    """A bootstep or a remote control command of the user."""

    name: str
    source: Source | None = None


@dataclass(frozen=True)
class UnknownSetting:
    """A name that is set and that Celery does not know."""

    name: str
    suggestion: str | None = None
    """The setting that it resembles."""


@dataclass(frozen=True)
class AppView:
    """All that the rules know of an application."""

    name: str
    celery_version: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Every setting of this version of Celery with the value in force."""
    explicit: frozenset[str] = frozenset()
    """The settings that the application sets itself."""
    unknown: tuple[UnknownSetting, ...] = ()
    tasks: tuple[Task, ...] = ()
    queues: tuple[Queue, ...] = ()
    routers: tuple[str, ...] = ()
    """Functions and objects in `task_routes`."""
    beat: tuple[BeatEntry, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    bootsteps: tuple[Extension, ...] = ()
    commands: tuple[Extension, ...] = ()

    def get(self, setting: str) -> object:
        return self.settings.get(setting)

    def seconds(self, setting: str) -> float | None:
        return seconds(self.get(setting))

    def text(self, setting: str) -> str:
        value = self.get(setting)
        return value if isinstance(value, str) else ""

    def mapping(self, setting: str) -> Mapping[str, object]:
        value = self.get(setting)
        return value if isinstance(value, Mapping) else {}

    def is_set(self, setting: str) -> bool:
        return setting in self.explicit


def seconds(value: object) -> float | None:
    """A length of time as Celery writes it: a number, or a `timedelta`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    total = getattr(value, "total_seconds", None)
    return float(total()) if callable(total) else None
