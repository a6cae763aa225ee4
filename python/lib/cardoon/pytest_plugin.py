"""Fixtures for tests of programs that use Cardoon.

``cardoon_app``: an application on a database of the test's own. ``cardoon_worker``: a real worker of it, which runs also tasks
that the test itself defines. ``cardoon_eager``: the application, whose tasks run at once where they are sent.

Of a program with an application of its own, ``conftest.py`` overrides one fixture, and the others work with it:

```python
@pytest.fixture
def cardoon_app():
    return shop.app
```
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Every run of pytest loads this, so what only these fixtures need is imported where they are used.
if TYPE_CHECKING:
    from cardoon.app import App
    from cardoon.testing import Worker

_CELERYS = "celery.contrib.pytest"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cardoon")
    group.addoption("--cardoon-broker", metavar="URL", help="where tasks of cardoon_app wait; by default a database a test")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "cardoon(broker=..., backend=..., **settings): what the application of the test is made with"
    )
    if not config.pluginmanager.has_plugin(_CELERYS):
        names = importlib.import_module("cardoon.testing.celery_names")
        config.pluginmanager.register(names, "cardoon-celery-names")
        config.addinivalue_line("markers", "celery(**settings): settings of celery_app")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Shows what the worker said beside what the test said."""
    if call.when == "call" and call.excinfo is not None:
        for worker in _workers(item):
            item.add_report_section("call", "worker", worker.log())
    return (yield)


@pytest.fixture(scope="session")
def cardoon_config() -> Mapping[str, Any]:
    """Settings of ``cardoon_app``, to be overridden."""
    return {}


@pytest.fixture
def cardoon_app(
    request: pytest.FixtureRequest, cardoon_config: Mapping[str, Any], tmp_path: Path
) -> Iterator[App]:
    """An application on a database of the test's own; ``@pytest.mark.cardoon(…)`` says otherwise."""
    settings = {**cardoon_config, **marked(request, "cardoon")}
    broker = request.config.getoption("--cardoon-broker")
    if broker:
        settings.setdefault("broker", broker)
    yield from application(tmp_path, settings)


@pytest.fixture
def cardoon_eager(cardoon_app: App) -> Iterator[App]:
    """The application, whose tasks run at once, in the process of the test, where they are sent."""
    before = cardoon_app.conf.task_always_eager
    cardoon_app.conf.task_always_eager = True
    yield cardoon_app
    cardoon_app.conf.task_always_eager = before


@pytest.fixture
def cardoon_worker(cardoon_app: App) -> Iterator[Worker]:
    """A real worker of ``cardoon_app``, in processes of its own. It starts when the application is first used."""
    from cardoon.testing import start_worker

    with start_worker(cardoon_app) as worker:
        yield worker


def application(folder: Path, settings: Mapping[str, Any]) -> Iterator[App]:
    """An application that is the current one meanwhile; on a database in ``folder`` unless ``settings`` name a broker."""
    from cardoon import app as module

    said = dict(settings)
    broker = said.pop("broker", None) or said.pop("broker_url", None)
    if broker is None or broker.startswith("memory:"):
        # Celery's tests name stores of one process, where a worker is a thread.
        broker = f"sqlite:{folder}/cardoon.db"
        said = {name: value for name, value in said.items() if name not in ("backend", "result_backend")}
    before = module._current
    app = module.App(said.pop("main", "tests"), broker=broker, **said)
    try:
        yield app
    finally:
        module._current = before
        app.close()


def marked(request: pytest.FixtureRequest, name: str) -> dict[str, Any]:
    """What the nearest marker ``name`` says."""
    marker = request.node.get_closest_marker(name)
    return dict(marker.kwargs) if marker else {}


def _workers(item: pytest.Item) -> list[Worker]:
    fixtures: Mapping[str, Any] = getattr(item, "funcargs", {})
    return [value for value in fixtures.values() if type(value).__module__ == "cardoon.testing.worker"]
