"""The fixtures, in tests of a user's project."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import pytest

import cardoon
from helpers.processes import is_alive
from helpers.waiting import until

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project finds the package that is tested here, from its own folder."""
    monkeypatch.setenv("PYTHONPATH", str(Path(cardoon.__file__).parent.parent))


def run(pytester: pytest.Pytester, source: str, *arguments: str, conftest: str = "", **modules: str) -> pytest.RunResult:
    pytester.makeconftest(conftest)
    pytester.makepyfile(**{"test_project": source, **modules})
    installed = any(entry.value == "cardoon.pytest_plugin" for entry in importlib.metadata.entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "cardoon.pytest_plugin"]
    return pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", *arguments)


def passes(pytester: pytest.Pytester, source: str, passed: int = 1, *arguments: str, **modules: str) -> None:
    run(pytester, source, "-W", "error", *arguments, **modules).assert_outcomes(passed=passed)


def test_a_worker_runs_tasks_that_a_test_defines(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import os

        def test_one(cardoon_app, cardoon_worker):
            offset = 10

            @cardoon_app.task(queue="slow")
            def add(x, y):
                return [x + y + offset, os.getpid()]

            value, pid = add.delay(2, 3).get(timeout=30)
            assert value == 15 and pid != os.getpid()

            @cardoon_app.task(bind=True)
            def later(self):
                return add.delay(1, 1).id

            child = later.delay().get(timeout=30)
            assert cardoon_app.AsyncResult(child).get(timeout=30)[0] == 12

        def test_two(cardoon_app, cardoon_worker):
            assert not cardoon_app.tasks
        """,
        passed=2,
    )


def test_a_worker_sees_what_a_test_has_patched(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import shop

        def test_one(cardoon_app, cardoon_worker, monkeypatch):
            assert shop.greet.delay().get(timeout=30) == "hello"
            monkeypatch.setattr(shop, "word", lambda: "patched")
            cardoon_worker.reload()
            assert shop.greet.delay().get(timeout=30) == "patched"
        """,
        shop="""
        from cardoon import shared_task

        def word():
            return "hello"

        @shared_task
        def greet():
            return word()
        """,
    )


def test_a_program_tests_its_own_application(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import shop

        def test_one(cardoon_worker):
            assert shop.add.delay(2, 3).get(timeout=30) == 5

        def test_two(cardoon_eager):
            assert type(shop.add.delay(2, 3)).__name__ == "EagerResult"

        def test_three():
            assert not shop.app.conf.task_always_eager
        """,
        passed=3,
        conftest="""
        import pytest, shop

        @pytest.fixture
        def cardoon_app(tmp_path):
            shop.app.close()
            shop.app.conf.broker_url = f"sqlite:{tmp_path}/shop.db"
            return shop.app
        """,
        shop="""
        from cardoon import App
        app = App("shop")

        @app.task
        def add(x, y):
            return x + y
        """,
    )


OF_PRODUCTION = """
from cardoon import App
app = App("shop", broker="redis://production.invalid/0", backend="redis://production.invalid/1")

@app.task
def add(x, y):
    return x + y
"""

ITS_OWN = """
import pytest, shop

@pytest.fixture
def cardoon_app():
    return shop.app
"""


def test_no_test_sends_to_the_broker_that_a_program_works_with(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import shop

        def test_one(cardoon_worker):
            assert shop.add.delay(2, 3).get(timeout=30) == 5

        def test_two(cardoon_app):
            shop.add.delay(2, 3)
            assert shop.app.conf.broker_url == shop.app.conf.result_backend
            assert shop.app.conf.broker_url.startswith("sqlite:")

        def test_three():
            assert shop.app.conf.broker_url == "redis://production.invalid/0"
            assert shop.app.conf.result_backend == "redis://production.invalid/1"
        """,
        3,
        conftest=ITS_OWN,
        shop=OF_PRODUCTION,
    )


def test_a_program_is_tested_where_the_environment_the_option_or_the_marker_say(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDOON_BROKER", "sqlite:of-environment.db")
    source = """
    import pytest, shop

    def test_one(cardoon_worker):
        assert shop.add.delay(2, 3).get(timeout=30) == 5
        assert (shop.app.conf.broker_url, shop.app.conf.result_backend) == ("sqlite:{0}.db", "sqlite:{0}.db")

    @pytest.mark.cardoon(broker="sqlite:of-marker.db")
    def test_two(cardoon_app):
        assert shop.app.conf.broker_url == "sqlite:of-marker.db"
    """
    passes(pytester, source.format("of-environment"), 2, conftest=ITS_OWN, shop=OF_PRODUCTION)
    assert (pytester.path / "of-environment.db").exists()
    passes(
        pytester, source.format("of-option"), 2, "--cardoon-broker=sqlite:of-option.db", conftest=ITS_OWN, shop=OF_PRODUCTION
    )


def test_tasks_run_at_once_where_that_is_asked_for(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import os, pytest

        def test_one(cardoon_app, cardoon_eager):
            assert cardoon_eager is cardoon_app
            pid = cardoon_app.task(os.getpid).delay().get()
            assert pid == os.getpid()

        @pytest.mark.cardoon(task_eager_propagates=True)
        def test_two(cardoon_eager):
            with pytest.raises(ZeroDivisionError):
                cardoon_eager.task(name="t")(lambda: 1 / 0).delay()
        """,
        passed=2,
    )


def test_a_marker_says_what_the_application_is_made_with(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest
        from cardoon import current_app

        @pytest.mark.cardoon(main="shop", broker="redis://localhost:1/0", task_default_queue="mail")
        def test_one(cardoon_app):
            assert current_app() is cardoon_app and cardoon_app.main == "shop"
            assert cardoon_app.conf.broker_url == "redis://localhost:1/0"
            assert cardoon_app.conf.task_default_queue == "mail"

        def test_two(cardoon_app):
            assert cardoon_app.conf.broker_url == "redis://elsewhere/0"
            assert cardoon_app.conf.task_default_queue == "of-config"
        """,
        2,
        "--strict-markers",
        "--cardoon-broker=redis://elsewhere/0",
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def cardoon_config():
            return {"task_default_queue": "of-config"}
        """,
    )


def test_fixtures_of_celery_have_their_names(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest
        from celery_tasks import mul

        def test_create_task(celery_app, celery_worker):
            @celery_app.task
            def add(x, y):
                return x + y

            celery_worker.reload()
            assert add.delay(4, 4).get(timeout=30) == 8
            assert celery_app.conf.task_default_queue == "tests"

        @pytest.mark.celery(task_default_queue="other")
        def test_marker(celery_app):
            assert celery_app.conf.task_default_queue == "other" and celery_app.main == "named"

        def test_session(celery_session_worker):
            assert mul.delay(4, 4).get(timeout=30) == 16

        def test_session_again(celery_session_app, celery_session_worker):
            celery_session_app.set_current()
            assert mul.delay(4, 5).get(timeout=30) == 20
        """,
        4,
        "--strict-markers",
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def celery_config():
            return {"broker_url": "memory://", "result_backend": "cache+memory://", "task_default_queue": "tests"}

        @pytest.fixture(scope="session")
        def celery_parameters():
            return {"main": "named"}

        @pytest.fixture(scope="session")
        def celery_includes():
            return ["celery_tasks"]
        """,
        celery_tasks="""
        from cardoon import shared_task

        @shared_task
        def mul(x, y):
            return x * y
        """,
    )


def test_celerys_own_plugin_keeps_its_names(pytester: pytest.Pytester) -> None:
    source = "def test_one(celery_app):\n    assert type(celery_app).__module__.startswith('celery')\n"
    run(pytester, source, "-p", "celery.contrib.pytest").assert_outcomes(passed=1)
    run(pytester, source, conftest='pytest_plugins = ["celery.contrib.pytest"]').assert_outcomes(passed=1)


def test_a_worker_that_cannot_start_is_told(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.cardoon(include=["no_such_module"])
        def test_one(cardoon_app, cardoon_worker):
            cardoon_app.task(name="t")(int).delay()
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the worker has ended with status*", "*no_such_module*"])


def test_a_failed_test_shows_what_the_worker_said(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_one(cardoon_app, cardoon_worker):
            cardoon_app.task(name="t")(lambda: print("printed in the task")).delay().get(timeout=30)
            assert not "this"
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Captured worker call*", "*printed in the task*"])


@pytest.mark.parametrize("end", ["assert True", "os.kill(os.getpid(), 9)"])
def test_workers_end_with_the_tests_however_these_end(pytester: pytest.Pytester, end: str) -> None:
    pids = Path(pytester.path) / "pids"
    run(
        pytester,
        f"""
        import os, pathlib

        def test_one(cardoon_app, cardoon_worker):
            pid = cardoon_app.task(name="t")(os.getpid).delay().get(timeout=30)
            pathlib.Path({str(pids)!r}).write_text(f"{{pid}} {{cardoon_worker.pid}}")
            {end}
        """,
    )
    left = [int(pid) for pid in pids.read_text().split()]
    assert os.getpid() not in left
    until(lambda: not any(is_alive(pid) for pid in left), f"processes that end: {left}")
