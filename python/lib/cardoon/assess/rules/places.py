"""Makes findings at the places that a view knows."""

from __future__ import annotations

from ..findings import Finding, Kind, Where
from ..secrets import shown
from ..view import AppView, BeatEntry, Queue, Task


class Assignment:
    """How to give a setting, or an option of a task, the value that a text names: `{set:True}`."""

    def __init__(self, before: str, after: str = "") -> None:
        self._before = before
        self._after = after

    def __format__(self, value: str) -> str:
        return f"{self._before}{value}{self._after}"


def at_setting(finding: str, view: AppView, setting: str, **values: str) -> Finding:
    value = shown(setting, view.get(setting))
    own = {"setting": setting, "value": value, "set": Assignment(f"app.conf.{setting} = ")}
    return Finding(finding, Where(Kind.SETTING, setting, value), {**own, **values})


def at_option_of_setting(finding: str, setting: str, option: str, value: object, **values: str) -> Finding:
    """At one key of a setting that is a mapping."""
    text = f"{option}={shown(option, value)}"
    return Finding(finding, Where(Kind.SETTING, setting, text), {"setting": setting, "option": option, **values})


def at_task(finding: str, task: Task, option: str | None = None, **values: str) -> Finding:
    if option is None:
        return Finding(finding, Where(Kind.TASK, task.name, None, task.source), values)
    value = f"{option}={shown(option, task.get(option))}"
    own = {"set": Assignment(f"@app.task({option}=", ")")}
    return Finding(finding, Where(Kind.TASK, task.name, value, task.source), {**own, **values})


def at_members(finding: str, task: Task, members: frozenset[str]) -> Finding:
    """At those of a task's members that are replaced."""
    return Finding(finding, Where(Kind.TASK, task.name, ", ".join(sorted(members)), task.source))


def at_entry(finding: str, entry: BeatEntry, value: str | None = None, **values: str) -> Finding:
    return Finding(finding, Where(Kind.BEAT_ENTRY, entry.name, value), values)


def at_queue(finding: str, queue: Queue, value: str) -> Finding:
    return Finding(finding, Where(Kind.QUEUE, queue.name, value))
