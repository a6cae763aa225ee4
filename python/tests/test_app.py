"""Applications: names, options and routes of tasks, and what is found where."""

from __future__ import annotations

import datetime
import functools
import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cardoon import App, AsyncResult, Task, current_app, shared_task
from cardoon import app as app_module
from cardoon.exceptions import EncodeError, NotRegistered
from cardoon.schedules import crontab

celery = importlib.import_module("celery")


class Sent:
    """Stands for a connection, and keeps what was sent."""

    before_use = None

    def __init__(self, failing: tuple[int, ...] = ()) -> None:
        self.calls: list[tuple[str, Any, Any, dict[str, Any]]] = []
        self._failing = failing

    def send(self, *call: Any) -> str:
        self.calls.append(call)
        return f"id-{len(self.calls)}"

    def send_many(self, calls: list[Any]) -> list[str | Exception]:
        self.calls.extend(calls)
        return [
            EncodeError(f"call {place}") if place in self._failing else f"id-{place}" for place in range(len(calls))
        ]

    def close(self) -> None:
        pass


@pytest.fixture
def app() -> Iterator[App]:
    before = app_module._current
    shared = list(app_module._shared)
    yield connected(App("shop"))
    app_module._current = before
    app_module._shared[:] = shared


def connected(app: App, failing: tuple[int, ...] = ()) -> App:
    app._connections["one"] = Sent(failing)  # type: ignore[assignment]
    return app


def sent(app: App) -> list[Any]:
    return app.connection.calls  # type: ignore[attr-defined, no-any-return]


def queue_of(app: App, name: str, *args: Any, **options: Any) -> str | None:
    app.send_task(name, args, **options)
    queue: str | None = sent(app)[-1][3].get("queue")
    return queue


def test_tasks_are_named_as_celery_names_them(app: App) -> None:
    theirs = celery.Celery("shop", set_as_current=False)

    def pack() -> None: ...

    def of_main() -> None: ...

    of_main.__module__ = "__main__"
    for function in (pack, of_main):
        assert app.task(function).name == theirs.task(function).name
    assert app.task(name="other")(lambda: None).name == "other"


def test_a_task_is_also_the_function(app: App) -> None:
    @app.task
    def add(x: int, y: int) -> int:
        """Adds."""
        return x + y

    assert add(2, 3) == 5
    assert (add.__doc__, add.__module__, add.__wrapped__.__name__) == ("Adds.", __name__, "add")  # type: ignore[attr-defined]


def test_an_unknown_option_is_named_with_the_known_ones(app: App) -> None:
    with pytest.raises(TypeError, match=r"no option 'max_retry'; did you mean max_retries\?; options: .*time_limit"):
        app.task(max_retry=3)(lambda: None)
    with pytest.raises(TypeError, match="no option 'delay'"):
        app.task(delay=3)(lambda: None)
    with pytest.raises(TypeError, match="is no function"):
        app.task("name")  # type: ignore[call-overload]


def test_options_of_celery_without_effect_are_taken(app: App) -> None:
    task = app.task(serializer="json", acks_late=True, track_started=True, trail=False)(lambda: None)
    assert task.acks_late is True


def test_an_option_whose_effect_would_be_missed_is_told(app: App) -> None:
    with pytest.warns(UserWarning, match="rate_limit has no effect"):
        app.task(name="limited", rate_limit="10/m")(lambda: None)
    with pytest.raises(NotImplementedError, match="pydantic"):
        app.task(name="checked", pydantic=True)(lambda: None)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"priority": 300}, ValueError, "priority of made is 300"),
        ({"queue": "a\n"}, ValueError, "queue of made is"),
        ({"time_limit": "30"}, TypeError, "time_limit of made is '30'"),
        ({"soft_time_limit": 3, "time_limit": 2}, ValueError, "task made: soft_time_limit"),
        ({"expires": float("nan")}, ValueError, "expires of made is nan"),
        ({"max_retries": "3"}, TypeError, "max_retries of made is '3'; it is a whole number"),
        ({"max_retries": -1}, ValueError, "max_retries of made is -1; it is not negative"),
        ({"default_retry_delay": "3"}, TypeError, "default_retry_delay of made is '3'"),
        ({"default_retry_delay": -1}, ValueError, "default_retry_delay of made is -1"),
    ],
    ids=repr,
)
def test_options_are_checked_where_a_task_is_defined(
    app: App, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    class Base(Task[..., Any]):
        pass

    for name, value in options.items():
        setattr(Base, name, value)

    class Made(Base):
        name = "made"

        def run(self) -> None: ...

    ways: list[Any] = [
        lambda: app.task(name="made", **options)(lambda: None),
        lambda: shared_task(name="made", **options)(lambda: None),
        lambda: app.task(name="made", base=Base)(lambda: None),
        lambda: app.register_task(Made),
    ]
    for define in ways:
        with pytest.raises(error, match=f"^{text}"):
            define()
    assert not app.tasks and not [one for one in app_module._shared if one[1].get("name") == "made"]


def test_a_name_of_a_task_is_a_text(app: App) -> None:
    with pytest.raises(TypeError, match="a task's name is a text, not 5"):
        app.task(name=5)(lambda: None)


def test_a_task_is_made_of_a_function_with_a_name(app: App) -> None:
    with pytest.raises(TypeError, match="functools.partial.* has no name.* write `def`"):
        app.task(functools.partial(int, "3"))
    with pytest.raises(TypeError, match="functools.partial.* has no name"):
        app.task(name="named")(functools.partial(int, "3"))


def test_an_attribute_of_a_base_class_is_an_option(app: App) -> None:
    class Audited(Task[..., Any]):
        level = 1

    task = app.task(base=Audited, level=5)(lambda: None)
    assert task.level == 5  # type: ignore[attr-defined]


def test_exceptions_to_retry_for_are_checked_where_they_are_written(app: App) -> None:
    assert app.task(name="one", autoretry_for=[OSError])(lambda: None).autoretry_for == (OSError,)
    with pytest.raises(TypeError, match="autoretry_for has 'OSError'"):
        app.task(name="two", autoretry_for=("OSError",))(lambda: None)


def test_a_function_that_is_defined_again_takes_the_place_of_the_old_one(app: App) -> None:
    def define(value: int) -> None:
        @app.task
        def answer() -> int:
            return value

    define(1)
    define(2)
    assert next(iter(app.tasks.values()))() == 2


def test_another_function_of_the_same_name_is_told_and_left_out_as_with_celery(app: App) -> None:
    theirs = celery.Celery("shop", set_as_current=False)
    theirs.finalize()

    def first() -> int:
        return 1

    def second() -> int:
        return 2

    for one in (app, theirs):
        one.task(name="same")(first)
        with pytest.warns(UserWarning, match="registered|named same already"):
            task = one.task(name="same")(second)
            assert task() == 1


def test_a_class_of_tasks_is_registered(app: App) -> None:
    class Greet(Task[[str], str]):
        def run(self, name: str) -> str:
            return f"Hello, {name}"

    task = app.register_task(Greet)
    assert (task.name, task("Ann")) == (f"{__name__}.Greet", "Hello, Ann")
    task.delay("Ann")
    assert sent(app)[-1][:2] == (task.name, ("Ann",))


def test_a_class_of_tasks_is_made_of_that_of_the_application(app: App) -> None:
    class Audited(app.Task):  # type: ignore[name-defined, misc]
        level = 1

    assert app.task(name="t", base=Audited, level=5)(lambda: None).level == 5  # type: ignore[attr-defined]


def test_names_of_tasks_may_be_made_otherwise() -> None:
    class Shouting(App):
        def gen_task_name(self, name: str, module: str) -> str:
            return super().gen_task_name(name, module).upper()

    def pack() -> None: ...

    assert Shouting("shop", set_as_current=False).task(pack).name == f"{__name__}.pack".upper()
    assert App("shop", set_as_current=False).gen_task_name("pack", "__main__") == "shop.pack"


def test_a_shared_task_belongs_to_every_application(app: App) -> None:
    @shared_task(max_retries=7)
    def pack(what: str) -> str:
        return what

    later = connected(App("later"))
    name = f"{__name__}.pack"
    assert app.tasks[name].app is app and later.tasks[name].app is later
    assert pack.app is later and pack.max_retries == 7 and isinstance(pack, Task)
    assert pack("a") == "a"
    pack.delay("a")
    assert sent(later)[-1][0] == name
    app.set_current()
    pack.delay("b")
    assert sent(app)[-1][:2] == (name, ("b",))


def test_the_current_application_is_the_one_made_last(app: App) -> None:
    assert current_app() is app and current_app.main == "shop"
    assert AsyncResult("some-id").app is app
    aside = App("aside", set_as_current=False)
    assert current_app() is app is not aside


def test_an_application_is_the_one_where_none_is_current(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "_current", None)
    monkeypatch.setattr(app_module, "_default", None)
    app.set_default()
    assert current_app() is app
    other = App("other")
    assert current_app() is other


def test_an_application_knows_the_time(app: App) -> None:
    app.conf.timezone = "Asia/Shanghai"
    now = app.now()
    assert str(app.timezone) == "Asia/Shanghai" and now.tzinfo is app.timezone
    assert abs(now - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(seconds=5)
    app.finalize()


def test_options_of_a_call_have_the_places_of_celerys(app: App) -> None:
    app.send_task("mail.send", (1,), {"x": 2}, 3, None, "mine")
    assert sent(app)[-1] == ("mail.send", (1,), {"x": 2}, {"countdown": 3.0, "id": "mine"})


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        ("cardoon", "chain", "workflows are not there yet"),
        ("cardoon", "group", "workflows are not there yet"),
        ("cardoon", "signature", "workflows are not there yet"),
        ("cardoon", "current_task", "bind=True"),
        ("cardoon.exceptions", "QueueNotFound", "a queue exists when it is named"),
    ],
)
def test_an_import_that_is_not_there_yet_says_what_to_do(module: str, name: str, text: str) -> None:
    with pytest.raises(ImportError, match=f"{module} has no {name}: .*{text}"):
        exec(f"from {module} import {name}", {})
    with pytest.raises(AttributeError, match=f"{module} has no {name}: .*{text}"):
        getattr(importlib.import_module(module), name)
    assert not hasattr(importlib.import_module(module), name)
    with pytest.raises(ImportError, match="cannot import name 'nonsense'"):
        exec(f"from {module} import nonsense", {})


def test_an_attribute_that_is_not_there_yet_says_what_to_do(app: App) -> None:
    @shared_task
    def wrap(what: str) -> None: ...

    @app.task(name="t")
    def task() -> None: ...

    result = app.AsyncResult("some-id")
    wanted: list[tuple[Any, str, str]] = [
        (task, "s", "task t has no attribute 's': workflows are not there yet"),
        (task, "si", "workflows"),
        (task, "replace", "send the other one"),
        (task, "backend", "AsyncResult"),
        (wrap, "s", "workflows"),
        (app, "control", "an application has no attribute 'control': there is no remote control yet; `cardoon task list`"),
        (app, "amqp", "send by apply_async"),
        (current_app, "control", "remote control"),
        (result, "children", "a result has no attribute 'children': workflows"),
        (result, "args", "cardoon task get"),
        (task, "nonsense", "task t has no attribute 'nonsense'$"),
    ]
    for owner, name, text in wanted:
        with pytest.raises(AttributeError, match=text):
            getattr(owner, name)
        assert not hasattr(owner, name)
    with pytest.raises(TypeError, match=r"app.connection\(\) is not there: .* send by apply_async"):
        App("other", broker="sqlite:x.db", set_as_current=False).connection()


def test_results_are_made_as_celerys(app: App) -> None:
    other = App("other", set_as_current=False)
    assert AsyncResult("some-id", None, "t", other).app is other
    assert app.AsyncResult("some-id", None, "t").app is app


PROGRAM = """
import sys
from cardoon import App

app = App("program")

@app.task
def add(x, y):
    return x + y

if __name__ == "__main__":
    {0}
    print("returned")
"""


@pytest.mark.parametrize(
    ("call", "printed", "status"),
    [
        ("app.start(['beat', '--list'])", "every", 0),
        ("app.start(['-A', 'program', 'beat', '--list'])", "every", 0),
        ("app.start(['worker', '--no-such-option'])", "--no-such-option", 2),
        ("app.worker_main(['beat'])", "ValueError: worker_main executes the command worker", 1),
        ("app.worker_main(['worker', '--help'])", "Usage", 0),
    ],
)
def test_a_program_executes_the_command(call: str, printed: str, status: int, tmp_path: Path) -> None:
    source = PROGRAM.format(call).replace(
        "@app.task", "app.conf.beat_schedule = {'every': {'task': 'program.add', 'schedule': 9, 'args': (1, 2)}}\n\n@app.task"
    )
    (tmp_path / "program.py").write_text(source)
    package = str(Path(app_module.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": package, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert printed in done.stdout + done.stderr
    assert ("returned" in done.stdout) is (status == 0)


def test_tasks_go_where_their_routes_say_as_with_celery(app: App) -> None:
    routes: dict[str, Any] = {"shop.*": "shops", "shop.pack": {"queue": "packing"}, "mail.send": {"queue": "mail"}}
    app.conf.task_routes = routes
    theirs = celery.Celery("x", set_as_current=False, task_routes=routes)
    for name in ("shop.pack", "shop.sell", "mail.send", "other"):
        wanted = theirs.amqp.router.route({}, name)["queue"].name
        assert (queue_of(app, name) or "celery") == wanted
    assert queue_of(app, "mail.send", queue="mine") == "mine"


def test_routes_are_lists_functions_and_their_paths(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_size(name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **more: Any) -> Any:
        return {"queue": "big", "priority": 9} if args and args[0] > 10 else None

    monkeypatch.setattr(sys.modules[__name__], "by_size", by_size, raising=False)
    for route in (by_size, f"{__name__}.by_size", f"{__name__}:by_size"):
        app.conf.task_routes = [route, [("shop.*", {"queue": "shops"})]]
        assert queue_of(app, "shop.sell", 1) == "shops"
        assert queue_of(app, "shop.sell", 11) == "big"
    assert sent(app)[-1][3]["priority"] == 9


def test_many_tasks_are_sent_with_the_options_of_their_tasks(app: App) -> None:
    @app.task(queue="slow", priority=3)
    def pack(what: str, times: int = 1) -> None: ...

    results = app.send_many([(pack, ("a",)), ("mail.send", ("b",), {"x": 1}, {"queue": "mail", "task_id": "mine"})])
    assert [result.id for result in results] == ["id-0", "id-1"]
    assert sent(app) == [
        (pack.name, ("a",), {}, {"queue": "slow", "priority": 3}),
        ("mail.send", ("b",), {"x": 1}, {"queue": "mail", "id": "mine"}),
    ]
    pack.send_many([("a",), (("b",), {"times": 2})], countdown=5)
    assert [call[1:3] for call in sent(app)[-2:]] == [(("a",), {}), (("b",), {"times": 2})]
    assert sent(app)[-1][3]["countdown"] == 5


def test_calls_of_many_that_could_not_be_sent_are_named(app: App) -> None:
    connected(app, failing=(1, 3))
    with pytest.raises(EncodeError, match="call 1") as caught:
        app.send_many([("a", ()), ("b", ()), ("c", ()), ("d", ())])
    assert caught.value.failed == [1, 3]


def test_a_task_that_is_not_known_is_told_with_the_known_ones(app: App) -> None:
    app.task(name="known")(lambda: None)
    app.conf.task_always_eager = True
    with pytest.raises(NotRegistered, match=r"(?s)CD3005.*no task is named mail.send.*known: known"):
        app.send_task("mail.send")


def test_periodic_tasks_become_entries_of_the_schedule(app: App) -> None:
    task = app.task(name="clean")(lambda: None)
    name = app.add_periodic_task(crontab(minute="*/15"), task, args=(1,), queue="slow")
    assert app.conf.beat_schedule[name]["task"] == "clean"
    assert app.conf.beat_schedule[name]["options"] == {"queue": "slow"}
    assert App("other", set_as_current=False).conf.beat_schedule == {}


def write(folder: Path, **modules: str) -> None:
    for name, source in modules.items():
        file = folder / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source))


def test_tasks_are_discovered_in_packages(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = "from cardoon import shared_task\n@shared_task\ndef {0}(): ...\n"
    write(
        tmp_path,
        found_one____init__="",
        found_one__tasks=source.format("one"),
        found_two____init__="",
        found_three=source.format("three"),
    )
    wanted: list[str] = []
    app.conf.include = ["found_three"]
    app.autodiscover_tasks(lambda: wanted)
    wanted += ["found_one", "found_two"]
    assert not app.tasks
    app.import_tasks()
    assert sorted(app.tasks) == ["found_one.tasks.one", "found_three.three"]


def test_a_package_that_is_missing_or_broken_is_told(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    write(tmp_path, found_broken____init__="", found_broken__tasks="import no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        app.autodiscover_tasks(["no_such_package"], force=True)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        app.autodiscover_tasks(["found_broken"], force=True)


def test_functions_are_called_when_tasks_are_imported(app: App) -> None:
    called: list[Any] = []

    @app.on_after_configure.connect
    def add_periodic(sender: App, **_more: Any) -> None:
        called.append(sender)

    app.import_tasks()
    assert called == [app]


def test_what_celery_programs_write_in_passing_is_taken() -> None:
    app = App("passing", include="json", imports="json", set_as_current=False)

    class ContextTask(app.Task):  # type: ignore[name-defined,misc]
        pass

    app.Task = ContextTask  # type: ignore[attr-defined]
    assert isinstance(app.task(lambda: None), ContextTask)
    app.import_tasks()
    assert App("none", include=None, set_as_current=False).conf.include == ()


def test_settings_of_the_program_are_no_misspelt_settings(recwarn: pytest.WarningsRecorder) -> None:
    App("flask", set_as_current=False).conf.update(SECRET_KEY="x", TIME_ZONE="UTC")
    assert not recwarn.list
    App("slip", set_as_current=False).conf.update(task_defualt_queue="x")
    assert "task_default_queue" in str(recwarn.pop().message)
