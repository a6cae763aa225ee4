"""Queues and routes, as they are written in the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..view import Queue
from .sources import qualified


def read_queues(settings: Mapping[str, object]) -> tuple[Queue, ...]:
    queues = settings.get("task_queues")
    default_type = str(settings.get("task_default_exchange_type") or "direct")
    if isinstance(queues, Mapping):
        return tuple(_from_options(str(name), options, default_type) for name, options in queues.items())
    if isinstance(queues, Iterable) and not isinstance(queues, str):
        return tuple(_from_queue(queue) for queue in queues)
    return ()


def _from_options(name: str, options: object, default_type: str) -> Queue:
    if not isinstance(options, Mapping):
        return _from_queue(options) if hasattr(options, "exchange") else Queue(name)
    return Queue(
        name=name,
        exchange_type=str(options.get("exchange_type") or default_type),
        arguments=dict(options.get("queue_arguments") or {}),
        max_priority=options.get("max_priority"),
    )


def _from_queue(queue: Any) -> Queue:
    exchange = getattr(queue, "exchange", None)
    return Queue(
        name=str(getattr(queue, "alias", None) or getattr(queue, "name", queue)),
        exchange_type=str(getattr(exchange, "type", None) or "direct"),
        arguments=dict(getattr(queue, "queue_arguments", None) or {}),
        max_priority=getattr(queue, "max_priority", None),
    )


def read_routers(settings: Mapping[str, object]) -> tuple[str, ...]:
    """What decides about a route by executing code. Mappings and pairs are data."""
    routes = settings.get("task_routes")
    if not isinstance(routes, (list, tuple)):
        routes = [routes]
    return tuple(_name(route) for route in routes if _is_router(route))


def _is_router(route: object) -> bool:
    if isinstance(route, str):
        return True
    return callable(route) or hasattr(route, "route_for_task")


def _name(route: object) -> str:
    return route if isinstance(route, str) else qualified(route)
