"""Tasks that run at once: as with Celery, whose task runs beside ours."""

from __future__ import annotations

import asyncio
import importlib
import uuid
from collections.abc import Callable
from typing import Any, cast

import pytest

import cardoon
from cardoon import App, EagerResult, Task, exceptions
from cardoon.result import allow_join_result

celery = importlib.import_module("celery")
celery_exceptions = importlib.import_module("celery.exceptions")
celery_result = importlib.import_module("celery.result")


class Side:
    """One of the two packages, and what was noted of its tasks."""

    def __init__(self, app: Any, exceptions: Any, allow_join: Any) -> None:
        self.app = app
        self.exceptions = exceptions
        self.allow_join = allow_join
        self.log: list[Any] = []
        log = self.log

        class Noting(app.task_cls if isinstance(app, App) else app.Task):  # type: ignore[misc]
            def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
                log.append(("before_start", args, kwargs))

            def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
                log.append(("on_success", args, kwargs))

            def on_retry(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
                log.append(("on_retry", args, kwargs))

            def on_failure(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
                log.append(("on_failure", type(exc).__name__, args, kwargs))

            def after_return(self, status: str, *more: Any) -> None:
                log.append(("after_return", status))

        self.base = Noting

    def task(self, **options: Any) -> Callable[[Callable[..., Any]], Any]:
        make = self.app.task(name=f"t-{uuid.uuid4()}", bind=True, base=self.base, **options)
        return cast("Callable[[Callable[..., Any]], Any]", make)


def sides(propagates: bool) -> list[Side]:
    ours = App("eager", set_as_current=False, task_always_eager=True, task_eager_propagates=propagates)
    theirs = celery.Celery("eager", set_as_current=False, broker="memory://")
    theirs.conf.update(task_always_eager=True, task_eager_propagates=propagates)
    return [Side(ours, exceptions, allow_join_result), Side(theirs, celery_exceptions, celery_result.allow_join_result)]


def retries_with_exc(side: Side) -> tuple[Any, ...]:
    @side.task(max_retries=2)
    def task(self: Any) -> None:
        try:
            raise ValueError("no")
        except ValueError as error:
            raise self.retry(exc=error, countdown=5)

    return task, ()


def retries_without_exc(side: Side) -> tuple[Any, ...]:
    @side.task(max_retries=1)
    def task(self: Any) -> None:
        raise self.retry()

    return task, ()


def retries_in_handler(side: Side) -> tuple[Any, ...]:
    @side.task(max_retries=1)
    def task(self: Any) -> None:
        try:
            raise ValueError("no")
        except ValueError:
            raise self.retry()

    return task, ()


def retries_by_itself(side: Side) -> tuple[Any, ...]:
    @side.task(autoretry_for=(ValueError,), max_retries=2)
    def task(self: Any) -> None:
        raise ValueError("no")

    return task, ()


def retries_with_arguments(side: Side) -> tuple[Any, ...]:
    @side.task(max_retries=None)
    def task(self: Any, x: int, y: int = 5) -> list[int]:
        if x < 3:
            raise self.retry(args=[x + 1])
        return [x, y, self.request.retries]

    return task, (1,)


def succeeds(side: Side) -> tuple[Any, ...]:
    @side.task()
    def task(self: Any, x: Any) -> list[Any]:
        return [x, self.request.is_eager, self.request.called_directly, self.request.retries]

    return task, ((1, 2),)


def fails(side: Side) -> tuple[Any, ...]:
    @side.task()
    def task(self: Any) -> None:
        raise KeyError("no")

    return task, ()


def ignores(side: Side) -> tuple[Any, ...]:
    @side.task()
    def task(self: Any) -> None:
        raise side.exceptions.Ignore()

    return task, ()


def rejects(side: Side) -> tuple[Any, ...]:
    @side.task()
    def task(self: Any) -> None:
        raise side.exceptions.Reject("no")

    return task, ()


def joins(side: Side) -> tuple[Any, ...]:
    inner = succeeds(side)[0]

    @side.task()
    def task(self: Any) -> Any:
        return inner.delay(1).get()

    return task, ()


def joins_allowed(side: Side) -> tuple[Any, ...]:
    inner = succeeds(side)[0]

    @side.task()
    def task(self: Any) -> Any:
        with side.allow_join():
            return inner.delay(1).get()

    return task, ()


def nests(side: Side) -> tuple[Any, ...]:
    @side.task()
    def inner(self: Any) -> list[Any]:
        return [self.request.parent_id, self.request.root_id]

    @side.task()
    def task(self: Any) -> list[bool]:
        inner_result = inner.delay().result
        return [one == self.request.id for one in inner_result]

    return task, ()


SCENARIOS = [
    retries_with_exc,
    retries_without_exc,
    retries_in_handler,
    retries_by_itself,
    retries_with_arguments,
    succeeds,
    fails,
    ignores,
    rejects,
    joins,
    joins_allowed,
    nests,
]


def seen(call: tuple[Any, ...], how: str) -> list[Any]:
    """What a caller sees of a call."""
    task, args = call
    try:
        result = task.delay(*args) if how == "delay" else task.apply(args)
    except Exception as error:  # noqa: BLE001
        return ["raised", type(error).__name__]
    try:
        got = ["got", result.get()]
    except Exception as error:  # noqa: BLE001
        got = ["get raised", type(error).__name__]
    value = result.result
    is_error = isinstance(value, BaseException)
    return [result.state, type(value).__name__ if is_error else value, bool(result.traceback), *got]


def plain(value: Any) -> Any:
    """Tuples and lists are one to a task whose arguments are JSON."""
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("how", ["delay", "apply"])
@pytest.mark.parametrize("propagates", [False, True])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_task_that_runs_at_once_does_as_with_celery(
    scenario: Callable[[Side], tuple[Any, ...]], propagates: bool, how: str
) -> None:
    if scenario is joins and how == "apply":
        pytest.skip("Celery forbids to wait inside of what it stands for sending, and allows it inside of apply")
    ours, theirs = sides(propagates)
    wanted, found = (seen(scenario(side), how) for side in (theirs, ours))
    assert plain(found) == plain(wanted)
    assert plain(ours.log) == plain(theirs.log)


def eager(**settings: Any) -> App:
    return App("eager", set_as_current=False, task_always_eager=True, **settings)


def test_arguments_and_value_travel_as_json() -> None:
    def back(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    task = eager().task(name="t")(back)
    assert task.delay((1, 2), x={3: 4}).get() == [[[1, 2]], {"x": {"3": 4}}]
    marker = object()
    assert task.apply((marker,)).get() == ((marker,), {})
    broken = eager().task(name="t")(object)
    with pytest.raises(exceptions.EncodeError, match="result of t"):
        broken.delay()


def test_a_task_of_another_name_is_called_by_send_task() -> None:
    app = eager()
    app.task(name="double")(lambda x: 2 * x)
    assert app.send_task("double", (4,), task_id="mine").get() == 8
    results = app.send_many([("double", (1,)), (app.tasks["double"], (2,), {}, {"task_id": "two"})])
    assert [result.get() for result in results] == [2, 4] and results[1].id == "two"


def test_the_request_has_what_the_call_said() -> None:
    app = eager()

    @app.task(bind=True, queue="slow", time_limit=7)
    def show(self: Task[..., Any]) -> dict[str, Any]:
        request = self.request
        return {
            "id": request.id,
            "queue": request.delivery_info["routing_key"],
            "priority": request.delivery_info["priority"],
            "trace": request.trace,
            "limits": request.timelimit,
            "utc": request.utc,
            "default": request.get("nothing", 3),
        }

    result = show.apply_async(task_id="mine", headers={"trace": "abc"}, priority=3)
    assert result.get() == {
        "id": "mine",
        "queue": "slow",
        "priority": 3,
        "trace": "abc",
        "limits": [7, None],
        "utc": None,
        "default": 3,
    }
    with pytest.raises(AttributeError, match="no_such_header"):
        show.request.no_such_header


def test_a_coroutine_runs_to_its_end_with_and_without_a_loop() -> None:
    app = eager()

    @app.task(bind=True, autoretry_for=(ValueError,), max_retries=2)
    async def fetch(self: Task[..., Any], x: int) -> int:
        await asyncio.sleep(0)
        if self.request.retries < 1:
            raise ValueError("again")
        return x + self.request.retries

    assert fetch.delay(1).get() == 2

    async def main() -> list[int]:
        inner = fetch.delay(2).get()
        outer = await fetch.adelay(3)
        return [inner, await outer, await (await fetch.adelay(4)).aget()]

    assert asyncio.run(main()) == [3, 4, 5]


def test_the_result_tells_of_its_task() -> None:
    app = eager()
    result = app.task(name="t", max_retries=1, autoretry_for=(OSError,))(lambda: 1 / 0).delay()
    assert isinstance(result, EagerResult) and isinstance(result, cardoon.AsyncResult)
    assert (result.name, result.ready(), result.failed(), result.retries) == ("t", True, True, 0)
    assert result.date_done is not None and "ZeroDivisionError" in (result.traceback or "")
    assert isinstance(result.get(propagate=False), ZeroDivisionError)


def test_a_revoked_result_says_so_as_with_celery() -> None:
    ours, theirs = sides(False)
    for side in (ours, theirs):
        result = succeeds(side)[0].delay(1)
        result.revoke()
        assert result.state == "REVOKED"
        with pytest.raises(side.exceptions.TaskRevokedError):
            result.get()
