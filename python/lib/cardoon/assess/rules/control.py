"""Events, remote control and what extends the worker."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, Kind, Where
from ..view import AppView
from .places import at_setting


def remote_control(view: AppView) -> Iterator[Finding]:
    if view.get("worker_enable_remote_control"):
        yield at_setting("remote-control", view, "worker_enable_remote_control")


def events(view: AppView) -> Iterator[Finding]:
    for setting in ("worker_send_task_events", "task_send_sent_event"):
        if view.get(setting):
            yield at_setting("celery-events", view, setting)


def commands(view: AppView) -> Iterator[Finding]:
    for command in view.commands:
        yield Finding("control-command", Where(Kind.COMMAND, command.name, None, command.source))


def bootsteps(view: AppView) -> Iterator[Finding]:
    for step in view.bootsteps:
        yield Finding("worker-extension", Where(Kind.BOOTSTEP, step.name, None, step.source))


RULES = (remote_control, events, commands, bootsteps)
