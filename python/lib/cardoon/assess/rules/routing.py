"""Queues, exchanges and routes."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, Kind, Where
from ..secrets import cut, shown
from ..view import AppView, Queue
from .places import at_queue, at_setting

_PRIORITY = "x-max-priority"


def exchanges(view: AppView) -> Iterator[Finding]:
    usual = view.text("task_default_exchange_type")
    if usual and usual != "direct":
        yield at_setting("queue-exchange", view, "task_default_exchange_type")
    for queue in view.queues:
        if queue.exchange_type != "direct":
            yield at_queue("queue-exchange", queue, f"exchange type {queue.exchange_type}")


def priorities(view: AppView) -> Iterator[Finding]:
    if view.get("task_queue_max_priority"):
        yield at_setting("queue-priority", view, "task_queue_max_priority")
    for queue in view.queues:
        most = queue.max_priority or queue.arguments.get(_PRIORITY)
        if most:
            yield at_queue("queue-priority", queue, f"{_PRIORITY}={most}")


def arguments(view: AppView) -> Iterator[Finding]:
    for queue in view.queues:
        others = {name: value for name, value in queue.arguments.items() if name != _PRIORITY}
        if others:
            text = ", ".join(f"{name}={shown(name, value)}" for name, value in others.items())
            yield at_queue("queue-arguments", queue, text)


def routers(view: AppView) -> Iterator[Finding]:
    for router in view.routers:
        yield Finding("routes-function", Where(Kind.SETTING, "task_routes", router))


def queues(view: AppView) -> Iterator[Finding]:
    names = _names(view)
    if names not in ([], ["celery"]):
        setting = "task_queues" if view.queues else "task_default_queue"
        yield Finding("queues", Where(Kind.SETTING, setting, cut(", ".join(names))), {"queues": ",".join(names)})


def _names(view: AppView) -> list[str]:
    """The queues that a worker without `-Q` takes from."""

    def is_list(queue: Queue) -> bool:
        return queue.exchange_type != "fanout"

    return [queue.name for queue in view.queues if is_list(queue)] or [view.text("task_default_queue") or "celery"]


def worker_direct(view: AppView) -> Iterator[Finding]:
    if view.get("worker_direct"):
        yield at_setting("worker-direct", view, "worker_direct")


RULES = (exchanges, priorities, arguments, worker_direct, routers, queues)
