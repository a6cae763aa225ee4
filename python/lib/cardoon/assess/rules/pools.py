"""How a worker executes tasks: its pool and what goes with it."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..view import AppView
from .places import at_setting

_FINDINGS = {
    "gevent": "pool-green",
    "eventlet": "pool-green",
    "solo": "pool-solo",
    "threads": "pool-threads",
    "prefork": "pool-prefork",
    "processes": "pool-prefork",
}
_WHEN_SET = {
    "worker_prefetch_multiplier": "prefetch",
    "worker_disable_prefetch": "prefetch",
    "worker_concurrency": "concurrency",
    "worker_max_tasks_per_child": "recycle-tasks",
    "worker_max_memory_per_child": "recycle-memory",
    "worker_autoscaler": "autoscaler",
    "worker_soft_shutdown_timeout": "shutdown-grace",
    "worker_consumer": "worker-extension",
    "worker_agent": "worker-extension",
    "worker_timer": "worker-extension",
}


def pool_name(view: AppView) -> str:
    """The pool of the settings: the command line of a worker may name another one."""
    pool = view.get("worker_pool")
    return pool if isinstance(pool, str) else "custom" if pool else "prefork"


def pool(view: AppView) -> Iterator[Finding]:
    if view.is_set("worker_pool"):
        yield at_setting(_FINDINGS.get(pool_name(view), "pool-custom"), view, "worker_pool")


def when_set(view: AppView) -> Iterator[Finding]:
    for setting, finding in _WHEN_SET.items():
        if view.is_set(setting) and view.get(setting):
            yield at_setting(finding, view, setting)


RULES = (pool, when_set)
