"""Fixtures for tests of programs that use Cardoon.

``cardoon_app``: an application on a database of the test's own. ``cardoon_worker``: a real worker of it, which runs also tasks
that the test itself defines. ``cardoon_eager``: the application, whose tasks run at once where they are sent.

Of a program with an application of its own, ``conftest.py`` overrides one fixture, and the others work with it:

```python
@pytest.fixture
def cardoon_app():
    return shop.app
```

An application of the program itself is put on a database of the test's own meanwhile, whatever broker its code names, or where
``--cardoon-broker``, the test's marker or ``CARDOON_BROKER`` say. That begins when the fixture
has answered: what it sends before goes where the code says, and so does what it sends when it ends.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Every run of pytest loads this, so what only these fixtures need is imported where they are used.
if TYPE_CHECKING:
    from cardoon.app import App
    from cardoon.testing import Worker

_CELERYS = "celery.contrib.pytest"

#: Fixtures that a program overrides to answer its application.
_APPLICATIONS = ("cardoon_app", "celery_app", "celery_session_app")


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


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Puts an application that the program's own fixture answers on a store for tests."""
    value = yield
    if fixturedef.argname in _APPLICATIONS and not _is_of_cardoon(fixturedef.func) and _is_application(value):
        fixturedef.addfinalizer(_put_on(value, *_stores_of_test(request)))
    return value


def _is_of_cardoon(function: Callable[..., Any]) -> bool:
    return str(getattr(function, "__module__", "")).startswith("cardoon.")


def _is_application(value: object) -> bool:
    from cardoon.app import App

    return isinstance(value, App)


def _stores_of_test(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Where tasks and results of a test are."""
    said = marked(request, "cardoon")
    broker = said.get("broker") or request.config.getoption("--cardoon-broker") or os.environ.get("CARDOON_BROKER")
    if not broker:
        folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("cardoon")
        broker = f"sqlite:{folder}/cardoon.db"
    return broker, said.get("backend") or os.environ.get("CARDOON_RESULTS") or broker


def _put_on(app: App, broker: str, backend: str) -> Callable[[], None]:
    """Has the application use other stores. Answers what gives it back its own."""
    stores = {"broker_url": broker, "result_backend": backend}
    before = {name: app.conf._set[name] for name in stores if name in app.conf._set}
    app.close()
    app.conf.update(stores)

    def give_back() -> None:
        app.close()
        for name in stores:
            with contextlib.suppress(KeyError):
                del app.conf[name]
        app.conf.update(before)

    return give_back


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
