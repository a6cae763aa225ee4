"""Retries: how many, how soon, with which arguments; and what is raised at their end."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from typing import Any

import pytest

from cardoon import App, Task
from cardoon._arguments import Arguments
from cardoon._judge import automatic_retry, judge
from cardoon.exceptions import MaxRetriesExceededError, Retry
from cardoon.request import Context, EagerContext, _running
from cardoon.testing import start_worker
from helpers.waiting import DEADLINE_SECS, until

times = importlib.import_module("celery.utils.time")

app = App("retrying", set_as_current=False)


@app.task(bind=True, max_retries=2)
def fails(self: Task[..., Any], with_exc: bool) -> None:
    try:
        raise ValueError(f"attempt {self.request.retries}")
    except ValueError as error:
        raise self.retry(exc=error if with_exc else None, countdown=0)


@app.task(autoretry_for=(OSError,), dont_autoretry_for=(FileNotFoundError,), max_retries=2, default_retry_delay=0)
def fails_by_itself(kind: str) -> None:
    raise {"os": OSError, "file": FileNotFoundError, "value": ValueError}[kind]("no")


@app.task(bind=True, max_retries=None)
def counts(self: Task[..., Any], x: int, y: int = 0) -> list[int]:
    if x < 3:
        raise self.retry(args=(x + 1,), countdown=0)
    return [x, y, self.request.retries]


@app.task(bind=True)
def waits_long(self: Task[..., Any]) -> None:
    raise self.retry(exc=KeyError("not yet"), countdown=600)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    app.conf.broker_url = f"sqlite:{tmp_path_factory.mktemp('retry')}/tasks.db"
    with start_worker(app):
        yield
    app.close()


def request(retries: int = 0, *args: Any, **kwargs: Any) -> EagerContext:
    return EagerContext(
        id="id",
        root_id="id",
        parent_id=None,
        task="t",
        args=args,
        kwargs=kwargs,
        retries=retries,
        headers={},
        timelimit=(None, None),
        queue="q",
        priority=None,
    )


def asked(task: Task[..., Any], context: Context, **options: Any) -> BaseException:
    token = _running.set(context)
    try:
        task.retry(**options)
    except BaseException as error:  # noqa: BLE001
        return error
    finally:
        _running.reset(token)


def test_a_retry_comes_after_the_delay_of_the_task_or_of_the_call() -> None:
    ways: list[tuple[dict[str, Any], float]] = [({}, 180), ({"countdown": 5}, 5), ({"countdown": 0}, 0)]
    for options, seconds in ways:
        error = asked(fails, request(), **options)
        assert isinstance(error, Retry) and error.countdown() == seconds
    again = judge(fails, request(), asked(fails, request(), countdown=1.5))
    assert again[:2] == ("retry", 1500)


def test_options_of_the_next_attempt_have_no_effect_which_is_said_once() -> None:
    for option in ("queue", "priority", "time_limit", "soft_time_limit", "expires", "headers", "coutdown"):
        with pytest.warns(UserWarning, match=rf"task .*fails: retry: {option} has no effect") as told:
            for _ in range(2):
                error = asked(fails, request(), countdown=3, **{option: 1})
                assert isinstance(error, Retry) and error.countdown() == 3
        assert len(told) == 1
    cause = ValueError("no")
    assert asked(fails, request(9), exc=cause, **{"queue": "other", "max_retries": 1}) is cause


@pytest.mark.parametrize("jitter", [False, True])
@pytest.mark.parametrize(("factor", "most"), [(True, 600), (2, 600), (5, 50)])
def test_pauses_grow_as_celerys(jitter: bool, factor: int, most: int) -> None:
    options: dict[str, Any] = {"retry_backoff": factor, "retry_backoff_max": most, "retry_jitter": jitter}
    task = App("pauses", set_as_current=False).task(name="t", autoretry_for=(ValueError,), **options)(lambda: None)
    random.seed(1)
    for retries in range(14):
        full = times.get_exponential_backoff_interval(int(factor), retries, most)
        pauses = []
        for _ in range(50):
            again = automatic_retry(task, request(retries % 3), ValueError())
            assert again is not None
            pauses.append(task._retry_pause(retries))
        if jitter:
            assert all(0 <= pause <= full for pause in pauses) and max(pauses) > full * 0.8 and min(pauses) < full * 0.2
        else:
            assert set(pauses) == {full}


def test_the_pause_without_backoff_is_that_of_the_task() -> None:
    make = App("pauses", set_as_current=False).task
    assert make(name="a", default_retry_delay=7)(lambda: None)._retry_pause(3) == 7
    assert make(name="b", retry_kwargs={"countdown": 4})(lambda: None)._retry_pause(3) == 4


def test_the_number_of_automatic_retries_is_that_of_their_options() -> None:
    make = App("numbers", set_as_current=False).task
    few = make(name="a", autoretry_for=(ValueError,), retry_kwargs={"max_retries": 1}, max_retries=9)(lambda: None)
    assert automatic_retry(few, request(0), ValueError()) and not automatic_retry(few, request(1), ValueError())
    endless = make(name="b", autoretry_for=(ValueError,), max_retries=None)(lambda: None)
    assert automatic_retry(endless, request(1000), ValueError())


def test_called_as_a_function_a_task_raises_what_it_failed_with() -> None:
    with pytest.raises(ValueError, match="attempt 0"):
        fails(True)
    with pytest.raises(Retry) as caught:
        fails(False)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (((1, 2), {}), ((3,), None), ((3,), {})),
        (((1,), {"y": 2}), ((3,), None), ((3,), {"y": 2})),
        (((), {"x": 1, "y": 2}), ((3,), None), ((3,), {"y": 2})),
        (((1, 2), {}), (None, {"y": 5}), ((1, 5), {})),
        (((1,), {"y": 2}), (None, {"y": 5}), ((1,), {"y": 5})),
        (((1,), {"y": 2}), ((3,), {}), ((3,), {})),
        (((1,), {"y": 2}), (None, None), ((1,), {"y": 2})),
    ],
)
def test_new_arguments_replace_those_that_stand_for_the_same_parameter(old: Any, new: Any, wanted: Any) -> None:
    def function(x: int, y: int = 0) -> None: ...

    assert Arguments(function).merged(old, *new) == wanted


@pytest.mark.usefixtures("worker")
def test_a_worker_tries_again_until_the_retries_are_used_up() -> None:
    result = fails.delay(True)
    with pytest.raises(ValueError, match="attempt 2"):
        result.get(timeout=DEADLINE_SECS)
    assert (result.state, result.retries) == ("FAILURE", 2)
    with pytest.raises(MaxRetriesExceededError, match=r"Can't retry retrying|Can't retry .*fails\["):
        fails.delay(False).get(timeout=DEADLINE_SECS)


@pytest.mark.usefixtures("worker")
def test_a_worker_tries_again_after_the_exceptions_that_are_named() -> None:
    for kind, error, retries in (("os", OSError, 2), ("file", FileNotFoundError, 0), ("value", ValueError, 0)):
        result = fails_by_itself.delay(kind)
        with pytest.raises(error, match="no"):
            result.get(timeout=DEADLINE_SECS)
        assert result.retries == retries


@pytest.mark.usefixtures("worker")
def test_the_next_attempt_has_the_arguments_that_it_was_given() -> None:
    assert counts.delay(0, y=7).get(timeout=DEADLINE_SECS) == [3, 7, 3]


@pytest.mark.usefixtures("worker")
def test_a_task_that_waits_for_its_next_attempt_says_why() -> None:
    result = waits_long.delay()
    until(lambda: result.state == "RETRY", "a task that is to be tried again")
    assert repr(result.result) == "KeyError('not yet')" and not result.ready()
    assert result.traceback and "not yet" in result.traceback
    result.revoke()


@pytest.mark.usefixtures("worker")
def test_eager_and_worker_agree() -> None:
    calls: list[tuple[Task[..., Any], tuple[Any, ...]]] = [(counts, (1,)), (fails, (True,)), (fails_by_itself, ("os",))]
    for task, args in calls:
        there = task.apply_async(args).get(timeout=DEADLINE_SECS, propagate=False)
        here = task.apply(args)
        assert repr(here.get(propagate=False)) == repr(there)
