"""Sending tasks: what is checked, what is sent, and from where it can be."""

from __future__ import annotations

import datetime
import importlib
import inspect
import os
import pickle
import signal
import threading
import uuid
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
    task = app.task(name="mail.send")(plain)
    with pytest.raises(EncodeError) as caught:
        task.delay(endless)  # type: ignore[arg-type]
    assert caught.value.message == "mail.send.args[0] (parameter x) is nested deeper than 120, or holds itself"
    with pytest.raises(EncodeError) as caught:
        app.send_task("mail.send", (), {"y": {"deep": endless}})
    assert caught.value.message == 'mail.send.kwargs["y"] is nested deeper than 120, or holds itself'


def test_the_path_of_a_value_is_shown_without_its_middle_if_it_is_long(app: App) -> None:
    deep: Any = {1}
    for _ in range(60):
        deep = [deep]
    with pytest.raises(EncodeError, match=r"args\[0\](\[0\]){10}…(\[0\]){10} \(parameter x\) is of type set"):
        app.task(name="mail.send")(plain).delay(deep)


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
            task.apply_async(coutdown=3)  # type: ignore[call-arg]
        with pytest.raises(NotImplementedError, match="link: workflows"):
            task.apply_async(link=[task])
        with pytest.raises(ValueError, match="soft_time_limit"):
            task.apply_async(soft_time_limit=2, time_limit=1)
    with pytest.raises(TypeError, match="option 'thorw'"):
        task.apply(thorw=True)  # type: ignore[call-arg]
    with pytest.raises(NotImplementedError, match="link: workflows"):
        task.apply(link=[task])
    assert task.apply(queue="slow", loglevel="info").get() is None


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"queue": 5}, TypeError, "queue is 5; the name of a queue is a text"),
    ({"queue": "a\nb"}, ValueError, "queue is 'a\\\\nb', which cannot be the name of a queue: it holds a control character"),
    ({"queue": ""}, ValueError, "queue is '', .* it is empty"),
    ({"queue": "x" * 256}, ValueError, "queue is 'x*…, .* it has 256 bytes, more than 255"),
    ({"task_id": 5}, TypeError, "task_id is 5; an id is a text"),
    ({"task_id": "a\tb"}, ValueError, "task_id .* it holds a control character"),
    ({"task_id": "a\ud800"}, ValueError, "task_id .* half of a surrogate pair"),
    ({"priority": "3"}, TypeError, "priority is '3'; a priority is a whole number from 0 to 9"),
    ({"priority": 10}, ValueError, "priority is 10; .* 9 is the most urgent"),
    ({"priority": -1}, ValueError, "priority is -1"),
    ({"priority": 10**30}, ValueError, "priority is 1000"),
    ({"priority": True}, ValueError, "priority is True"),
    ({"countdown": "60"}, TypeError, "countdown is '60'; it is a number of seconds"),
    ({"countdown": datetime.timedelta(1)}, TypeError, r"countdown is datetime.timedelta\(days=1\) \(timedelta\)"),
    ({"countdown": float("nan")}, ValueError, "countdown is nan, which is no length of time"),
    ({"countdown": float("inf")}, ValueError, "countdown is inf"),
    ({"eta": 60}, TypeError, "eta is 60; it is a datetime; for seconds from now there is countdown"),
    ({"eta": datetime.timedelta(1)}, TypeError, "eta is datetime.timedelta"),
    ({"eta": datetime.date(2030, 1, 1)}, TypeError, "eta is datetime.date"),
    ({"eta": "tomorrow"}, ValueError, "eta is 'tomorrow', which is no time as ISO 8601 writes it"),
    ({"expires": "soon"}, ValueError, "expires is 'soon', .* a number of seconds, a timedelta or a datetime"),
    ({"expires": float("nan")}, ValueError, "expires is nan"),
    ({"expires": [1]}, TypeError, r"expires is \[1\]"),
    ({"time_limit": "30"}, TypeError, "time_limit is '30'; it is a number of seconds or a timedelta"),
    ({"time_limit": -1}, ValueError, "time_limit is -1; a limit is not negative"),
    ({"soft_time_limit": 3, "time_limit": 2}, ValueError, r"soft_time_limit \(3\) must be less than .* time_limit \(2\)"),
    ({"headers": [1]}, TypeError, r"headers is \[1\]; headers are a mapping"),
]


@pytest.mark.parametrize(("options", "error", "text"), WRONG, ids=lambda value: repr(value)[:40])
def test_an_option_that_is_wrong_is_told_with_its_task(
    app: App, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    sent = kept(app)
    task = app.task(name="mail.send")(nothing)
    ways: list[Callable[[], object]] = [
        lambda: task.apply_async(**options),
        lambda: app.send_task("mail.send", **options),
        lambda: app.send_many([(task, ()), ("mail.send", (), {}, options)]),
    ]
    for send in ways:
        with pytest.raises(error, match=f"^task mail.send: {text}"):
            send()
    assert not sent.calls


def test_options_may_be_what_celery_takes(app: App) -> None:
    sent = kept(app)
    task = app.task(name="t")(nothing)
    id = uuid.uuid4()
    task.apply_async(task_id=id, countdown=-5, eta="2030-01-01T08:00:00+08:00", time_limit=0)
    task.apply_async(eta="2030-01-01T00:00:00Z", expires="2030-01-01", soft_time_limit=datetime.timedelta(minutes=1))
    new_year = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    assert [call[3] for call in sent.calls] == [
        {"id": str(id), "countdown": 0.0, "eta": new_year},
        {"eta": new_year, "expires": new_year, "soft_time_limit": 60.0},
    ]


@pytest.mark.parametrize("args", ["ab", b"ab", {"x": 1}, {1, 2}, 5], ids=repr)
def test_what_is_no_list_of_arguments_is_told(app: App, args: Any) -> None:
    sent = kept(app)
    task = app.task(name="t", typing=False)(plain)
    ways: list[Callable[[], object]] = [
        lambda: task.apply_async(args),
        lambda: task.apply(args),
        lambda: app.send_task("t", args),
        lambda: app.send_many([(task, args)]),
        lambda: app.add_periodic_task(1, task, args),
    ]
    for send in ways:
        with pytest.raises(TypeError, match=r"task t: args is .*; positional arguments are a tuple or a list: \(.*,\)"):
            send()
    with pytest.raises(TypeError, match=r"task t: kwargs is \[1\]; named arguments are a mapping"):
        task.apply_async((), [1])  # type: ignore[arg-type]
    assert not sent.calls


@pytest.mark.parametrize("name", ["", "a\ud800"])
def test_a_name_that_no_task_can_have_is_told(app: App, name: str) -> None:
    for send in (lambda: app.send_task(name), lambda: app.send_many([(name, ())]), lambda: app.task(name=name)(nothing)):
        with pytest.raises(ValueError, match="cannot be the name of a task"):
            send()
    with pytest.raises(TypeError, match="a task's name is a text, not 5"):
        app.send_task(5)  # type: ignore[arg-type]


def test_options_of_celery_whose_effect_would_be_missed_are_told_once(app: App) -> None:
    sent = kept(app)
    task = app.task(name="t")(nothing)
    for option in ("routing_key", "exchange", "expiration", "shadow", "reply_to", "producer", "connection"):
        with pytest.warns(UserWarning, match=f"task t: {option} has no effect here: .") as told:
            for _ in range(2):
                task.apply_async(**{option: "x"})  # type: ignore[arg-type]
        assert [Path(one.filename).name for one in told] == ["test_task.py"]
    assert all(call[3] == {} for call in sent.calls)
    app.conf.task_routes = {"other": {"exchange": "mails", "delivery_mode": 1}}
    with pytest.warns(UserWarning, match="task other: delivery_mode has no effect"):
        app.send_task("other")


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
