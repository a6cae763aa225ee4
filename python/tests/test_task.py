"""Sending tasks: what is checked, what is sent, and from where it can be."""

from __future__ import annotations

import datetime
import importlib
import inspect
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cardoon import App, Task
from cardoon._arguments import Arguments
from cardoon.exceptions import ArgumentError, EncodeError, OperationalError
from cardoon.result import AsyncResult
from cardoon.testing import start_worker
from helpers.waiting import DEADLINE_SECS

celery = importlib.import_module("celery")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = App("sending", broker=f"sqlite:{tmp_path}/tasks.db", set_as_current=False)
    yield app
    app.close()


class Sent:
    """Stands for a connection: keeps what was sent, and fails at first if it is to."""

    before_use = None

    def __init__(self, *errors: Exception) -> None:
        self.calls: list[tuple[str, Any, Any, dict[str, Any]]] = []
        self._errors = list(errors)

    def send(self, *call: Any) -> str:
        self.calls.append(call)
        if self._errors:
            raise self._errors.pop(0)
        return "an-id"

    def close(self) -> None:
        pass


def kept(app: App, *errors: Exception) -> Sent:
    sent = Sent(*errors)
    app._connections["one"] = sent  # type: ignore[assignment]
    return sent


def plain(x: int, y: int = 1) -> None: ...
def starred(x: int, *more: int) -> None: ...
def keyed(x: int, *, key: int, other: int = 2) -> None: ...
def open_keyed(x: int, **more: int) -> None: ...
def positional(x: int, y: int = 1, /, z: int = 2) -> None: ...
def nothing() -> None: ...


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (args, kwargs)
    for args in ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))
    for kwargs in ({}, {"x": 1}, {"y": 1}, {"key": 1}, {"key": 1, "other": 2}, {"x": 1, "y": 2}, {"z": 1}, {"no": 1})
]


@pytest.mark.parametrize("function", [plain, starred, keyed, open_keyed, positional, nothing])
def test_arguments_are_taken_that_python_takes(function: Callable[..., Any]) -> None:
    arguments = Arguments(function)
    for args, kwargs in CALLS:
        try:
            inspect.signature(function).bind(*args, **kwargs)
            fits = True
        except TypeError:
            fits = False
        try:
            arguments.check("task", args, kwargs)
            taken = True
        except ArgumentError:
            taken = False
        assert taken is fits, (args, kwargs)


def test_arguments_that_do_not_fit_fail_where_the_task_is_sent(app: App) -> None:
    theirs = celery.Celery("x", set_as_current=False, broker="memory://").task(plain)
    task = app.task(name="mail.send")(plain)
    for args, kwargs in (((), {}), ((1, 2, 3), {}), ((1,), {"no": 1})):
        with pytest.raises(TypeError):
            theirs.apply_async(args, kwargs)
        with pytest.raises(TypeError, match=r"CD2004.*mail\.send\(x: 'int', y: 'int' = 1\) -> 'None': ") as caught:
            task.apply_async(args, kwargs)
        assert isinstance(caught.value, ArgumentError)
    with pytest.raises(ArgumentError, match="missing a required argument: 'x'"):
        app.send_many([(task, (1,)), (task, ())])


def test_arguments_are_not_checked_where_a_task_says_so(app: App) -> None:
    sent = kept(app)
    app.task(name="loose", typing=False)(plain).apply_async((1, 2, 3))
    assert sent.calls[0][1] == (1, 2, 3)


def test_the_first_parameter_of_a_bound_task_is_not_given(app: App) -> None:
    sent = kept(app)

    @app.task(bind=True)
    def bound(self: Task[..., Any], url: str) -> None: ...

    bound.delay("a")
    assert sent.calls[0][1] == ("a",)
    with pytest.raises(ArgumentError, match="too many positional arguments"):
        bound.delay("a", "b")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("args", "kwargs", "where"),
    [
        (({"when": object()}, "a"), {}, 'mail.send.args[0]["when"] (parameter mail) is of type object'),
        (({}, [1, (2, {3})]), {}, "mail.send.args[1][1][1] (parameter to) is of type set"),
        (({}, "a", 1, object()), {}, "mail.send.args[3] (parameter more) is of type object"),
        (({}, "a"), {"when": [float("nan")]}, 'mail.send.kwargs["when"][0] is NaN'),
        (({(1, 2): 3}, "a"), {}, "mail.send.args[0] (parameter mail) has a key of type tuple"),
    ],
)
def test_a_value_that_cannot_be_sent_is_told_with_its_place(
    app: App, args: tuple[Any, ...], kwargs: dict[str, Any], where: str
) -> None:
    def send(mail: Any, to: Any, *more: Any, **options: Any) -> None: ...

    task = app.task(name="mail.send")(send)
    ways: list[Callable[[], object]] = [
        lambda: task.apply_async(args, kwargs),
        lambda: app.send_many([(task, ({}, "a")), (task, args, kwargs)]),
    ]
    for send_it in ways:
        with pytest.raises(EncodeError) as caught:
            send_it()
        assert where in str(caught.value) and caught.value.code == "CD2006"
        assert isinstance(caught.value, TypeError)
    app.conf.task_always_eager = True
    with pytest.raises(EncodeError) as caught:
        task.apply_async(args, kwargs)
    assert where in str(caught.value)


def test_a_value_that_holds_itself_is_told(app: App) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(EncodeError, match="nested deeper"):
        app.task(name="mail.send")(plain).delay(endless)  # type: ignore[arg-type]


def test_options_are_sent(app: App) -> None:
    sent = kept(app)
    task = app.task(name="t")(plain)
    when = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    task.apply_async(
        (1,),
        {"y": 2},
        "my-id",
        countdown=1.5,
        eta=when,
        expires=datetime.timedelta(minutes=1),
        queue="slow",
        priority=7,
        headers={"a": 1},
        time_limit=20,
        soft_time_limit=10,
        ignore_result=True,
        serializer="json",
        link=None,
    )
    assert sent.calls == [
        (
            "t",
            (1,),
            {"y": 2},
            {
                "id": "my-id",
                "countdown": 1.5,
                "eta": when.timestamp(),
                "expires_in": 60.0,
                "queue": "slow",
                "priority": 7,
                "headers": {"a": 1},
                "time_limit": 20,
                "soft_time_limit": 10,
                "ignore_result": True,
            },
        )
    ]


def test_options_of_the_task_are_sent_unless_the_call_says_otherwise(app: App) -> None:
    sent = kept(app)
    task = app.task(name="t", queue="slow", priority=3, expires=60, ignore_result=True)(nothing)
    app.conf.task_default_priority = 5
    task.delay()
    task.apply_async(queue="fast", priority=0, expires=1, ignore_result=False)
    app.send_task("elsewhere")
    options = [call[3] for call in sent.calls]
    assert options[0] == {"queue": "slow", "priority": 3, "expires_in": 60.0, "ignore_result": True}
    assert options[1] == {"queue": "fast", "priority": 0, "expires_in": 1.0, "ignore_result": False}
    assert options[2] == {"priority": 5}


def test_a_time_without_a_zone_is_in_that_of_the_settings(app: App) -> None:
    sent = kept(app)
    app.conf.timezone = "Asia/Shanghai"
    app.task(name="t")(nothing).apply_async(eta=datetime.datetime(2030, 1, 1, 8))
    assert sent.calls[0][3]["eta"] == datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc).timestamp()


def test_an_unknown_option_is_told_with_the_known_ones(app: App) -> None:
    task = app.task(name="t")(nothing)
    for eager in (False, True):
        app.conf.task_always_eager = eager
        with pytest.raises(TypeError, match=r"option 'coutdown'; did you mean countdown\?; options: countdown, eta"):
            task.apply_async(coutdown=3)
        with pytest.raises(NotImplementedError, match="link: workflows"):
            task.apply_async(link=[task])
        with pytest.raises(ValueError, match="soft_time_limit"):
            task.apply_async(soft_time_limit=2, time_limit=1)


def unreachable() -> OperationalError:
    return OperationalError("no server", code="CD1001", kind="Unavailable")


def test_sending_is_tried_again_as_the_policy_says(app: App) -> None:
    task = app.task(name="t")(nothing)
    policy = {"max_retries": 2, "interval_start": 0, "interval_step": 0.001}
    sent = kept(app, unreachable(), unreachable())
    assert task.apply_async(retry_policy=policy).id == "an-id"
    assert len(sent.calls) == 3
    sent = kept(app, *[unreachable()] * 5)
    with pytest.raises(OperationalError, match="CD1001"):
        task.apply_async(retry_policy=policy)
    assert len(sent.calls) == 3
    sent = kept(app, unreachable())
    with pytest.raises(OperationalError):
        task.apply_async(retry=False)
    assert len(sent.calls) == 1
    with pytest.raises(TypeError, match="retry_policy has no max_tries"):
        kept(app, unreachable())
        task.apply_async(retry_policy={"max_tries": 3})


def test_a_task_that_may_have_been_taken_is_sent_again_only_under_its_own_id(app: App) -> None:
    task = app.task(name="t")(nothing)
    silent = OperationalError("no answer", code="CD1005", kind="Timeout")
    sent = kept(app, silent)
    with pytest.raises(OperationalError, match="CD1005"):
        task.delay()
    assert len(sent.calls) == 1
    sent = kept(app, silent)
    task.apply_async(task_id="mine", retry_policy={"interval_step": 0})
    assert len(sent.calls) == 2


def test_a_store_that_cannot_be_reached_is_told_with_its_code(app: App) -> None:
    lost = App("lost", broker="redis://127.0.0.1:1/0", set_as_current=False)
    with pytest.raises(OperationalError, match="CD1001"):
        lost.task(name="t")(nothing).apply_async(retry=False)


def test_a_task_is_sent_by_name_and_by_id_once(app: App) -> None:
    first = app.send_task("elsewhere", (1,), {"x": 2}, task_id="mine")
    again = app.send_task("elsewhere", (1,), {"x": 2}, task_id="mine")
    assert first.id == again.id == "mine" and first.state == "PENDING"


def test_tasks_and_results_travel_between_processes(app: App) -> None:
    task = app.task(name="t")(nothing)
    assert pickle.loads(pickle.dumps(task)) is task
    result = task.delay()
    again = pickle.loads(pickle.dumps(result))
    assert again == result and again.app is app and type(again) is AsyncResult
    eager = task.apply()
    assert pickle.loads(pickle.dumps(eager)).state == "SUCCESS"


def in_child(work: Callable[[], object]) -> str:
    """What ``work`` answers, or raises, in a process that is forked for it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(int(DEADLINE_SECS))
        try:
            os.write(writer, str(work()).encode())
        except BaseException as error:  # noqa: BLE001
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return said


def test_a_program_that_has_sent_can_be_forked_and_both_send(app: App) -> None:
    double = app.task(name="double")(lambda x: 2 * x)
    with start_worker(app):
        assert double.delay(1).get(timeout=DEADLINE_SECS) == 2
        app.connection.before_use = None
        assert in_child(lambda: double.delay(2).get(timeout=DEADLINE_SECS)) == "4"
        assert double.delay(3).get(timeout=DEADLINE_SECS) == 6
        assert in_child(lambda: in_child(lambda: double.delay(4).get(timeout=DEADLINE_SECS))) == "8"
        assert double.delay(5).get(timeout=DEADLINE_SECS) == 10


def test_a_thread_that_waits_goes_on_while_the_program_is_forked(app: App, tmp_path: Path) -> None:
    def wait_for(file: str) -> str:
        from helpers.waiting import until

        until(lambda: os.path.exists(file), file)
        return "waited"

    task = app.task(name="wait")(wait_for)
    with start_worker(app, concurrency=2):
        answers: list[str] = []
        result = task.delay(str(tmp_path / "go"))
        threads = [
            threading.Thread(target=lambda: answers.append(result.get(timeout=DEADLINE_SECS))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        app.connection.before_use = None
        for number in range(3):
            assert len(in_child(lambda: app.send_task("elsewhere").id)) == 36, number
        (tmp_path / "go").touch()
        for thread in threads:
            thread.join(DEADLINE_SECS)
        assert answers == ["waited"] * 3


def test_eight_threads_send_and_wait_at_once(app: App) -> None:
    double = app.task(name="double")(lambda x: 2 * x)
    wrong: list[Any] = []

    def use(number: int) -> None:
        for step in range(20):
            value = double.delay(100 * number + step).get(timeout=DEADLINE_SECS)
            if value != 2 * (100 * number + step):
                wrong.append(value)

    with start_worker(app, concurrency=2):
        double.delay(0).get(timeout=DEADLINE_SECS)
        threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_SECS)
            assert not thread.is_alive()
    assert not wrong


def test_a_task_that_sends_is_the_parent_of_what_it_sends(app: App) -> None:
    @app.task(bind=True)
    def show(self: Task[..., Any]) -> list[Any]:
        return [self.request.parent_id, self.request.root_id]

    @app.task(bind=True)
    def send(self: Task[..., Any]) -> list[Any]:
        return [self.request.id, show.delay().id]

    with start_worker(app):
        id, sent = send.delay().get(timeout=DEADLINE_SECS)
        assert app.AsyncResult(sent).get(timeout=DEADLINE_SECS) == [id, id]
