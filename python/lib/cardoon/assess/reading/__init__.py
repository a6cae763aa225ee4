"""From an application of Celery to an `AppView`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..view import AppView
from .beat import read_beat
from .extensions import read_bootsteps, read_commands, read_receivers
from .routing import read_queues, read_routers
from .settings import Configuration
from .tasks import read_tasks

__all__ = ["read_app"]


def read_app(name: str, app: Any) -> AppView:
    """The picture of `app`, which `-A` called `name`. It builds no connection and no result backend."""
    configuration = Configuration(app.conf)
    settings = configuration.values()
    return AppView(
        name=name,
        celery_version=str(import_module("celery").__version__),
        settings=settings,
        explicit=configuration.explicit(),
        unknown=configuration.unknown(),
        tasks=read_tasks(app),
        queues=read_queues(settings),
        routers=read_routers(settings),
        beat=read_beat(settings),
        receivers=read_receivers(),
        bootsteps=read_bootsteps(app),
        commands=read_commands(),
    )
