"""Celery's names of fixtures, from ``celery.contrib.pytest``. They are not there if that plugin is."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from cardoon.pytest_plugin import application, marked

if TYPE_CHECKING:
    from cardoon.app import App
    from cardoon.task import Task
    from cardoon.testing.worker import Worker


@pytest.fixture(scope="session")
def celery_config() -> Mapping[str, Any]:
    """Settings of ``celery_app``, to be overridden."""
    return {}


@pytest.fixture(scope="session")
def celery_parameters() -> Mapping[str, Any]:
    """Arguments that ``celery_app`` is made with, to be overridden."""
    return {}


@pytest.fixture(scope="session")
def celery_includes() -> Sequence[str]:
    """Modules to be imported before a worker starts, to be overridden."""
    return ()


@pytest.fixture(scope="session")
def celery_class_tasks() -> Sequence[type[Task[..., Any]]]:
    """Classes of tasks to be registered before a worker starts, to be overridden."""
    return ()


@pytest.fixture(scope="session")
def celery_worker_pool() -> str:
    """How tasks run, to be overridden. Celery's ``solo`` is one process."""
    return "solo"


@pytest.fixture(scope="session")
def celery_worker_parameters() -> Mapping[str, Any]:
    """``concurrency`` and ``queues`` of workers, to be overridden."""
    return {}


@pytest.fixture
def celery_app(
    request: pytest.FixtureRequest,
    celery_config: Mapping[str, Any],
    celery_parameters: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[App]:
    """An application on a database of the test's own; ``@pytest.mark.celery(…)`` gives settings."""
    settings = {**celery_parameters, **celery_config, **marked(request, "celery")}
    yield from application(tmp_path_factory.mktemp("celery"), settings)


@pytest.fixture(scope="session")
def celery_session_app(
    celery_config: Mapping[str, Any],
    celery_parameters: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[App]:
    """An application for all tests."""
    settings = {**celery_parameters, **celery_config}
    yield from application(tmp_path_factory.mktemp("celery"), settings)


@pytest.fixture
def celery_worker(
    celery_app: App,
    celery_includes: Sequence[str],
    celery_class_tasks: Sequence[type[Task[..., Any]]],
    celery_worker_pool: str,
    celery_worker_parameters: Mapping[str, Any],
) -> Iterator[Worker]:
    """A real worker of ``celery_app``, in processes of its own."""
    _define(celery_app, celery_includes, celery_class_tasks)
    with _started(celery_app, celery_worker_pool, celery_worker_parameters) as worker:
        yield worker


@pytest.fixture(scope="session")
def celery_session_worker(
    celery_session_app: App,
    celery_includes: Sequence[str],
    celery_class_tasks: Sequence[type[Task[..., Any]]],
    celery_worker_pool: str,
    celery_worker_parameters: Mapping[str, Any],
) -> Iterator[Worker]:
    """A real worker of ``celery_session_app`` for all tests."""
    _define(celery_session_app, celery_includes, celery_class_tasks)
    with _started(celery_session_app, celery_worker_pool, celery_worker_parameters) as worker:
        yield worker


@pytest.fixture
def depends_on_current_app(celery_app: App) -> None:
    """Makes ``celery_app`` the current one."""
    celery_app.set_current()


def _define(app: App, includes: Sequence[str], classes: Sequence[type[Task[..., Any]]]) -> None:
    for module in includes:
        importlib.import_module(module)
    for cls in classes:
        app.register_task(cls)


def _started(app: App, pool: str, parameters: Mapping[str, Any]) -> Any:
    from cardoon.testing.worker import start_worker

    queues = parameters.get("queues", ())
    named = ("-Q", queues if isinstance(queues, str) else ",".join(queues)) if queues else ()
    pools = {"threads": ("-P", "threads"), "asyncio": ("-P", "asyncio")}
    return start_worker(app, parameters.get("concurrency", 1), (*named, *pools.get(pool, ())))
