"""Our application sends, Celery's worker executes, and our application reads the results."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from cardoon import exceptions
from helpers.waiting import DEADLINE_SECS, until
from interop.environments import has_types, keeps_headers
from interop.lab import OURS, THEIRS, Lab
from interop.programs.shared import OutOfStock, Refused
from interop.values import PLAIN, TYPED

pytestmark = pytest.mark.usefixtures("their_worker")



def now() -> datetime.datetime:
    """To the millisecond, as times are kept."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN.keys())
def test_values_arrive_and_come_back(lab: Lab, value: Any) -> None:
    assert lab.call("interop.describe", value, kwargs={"named": value}) == repr(((value,), {"named": value}))
    assert repr(lab.call("interop.echo", value)) == repr(value)


@pytest.mark.parametrize("value", TYPED.values(), ids=TYPED.keys())
def test_dates_and_decimals_arrive_and_come_back(lab: Lab, value: Any) -> None:
    arrived = lab.call("interop.describe", value)
    if has_types(lab.version):
        assert arrived == repr(((value,), {}))
    else:
        assert "__type__" in arrived
    assert lab.call("interop.echo", value) == value


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_numbers_that_json_lacks_are_an_error_that_says_so(lab: Lab, text: str) -> None:
    result = lab.send("interop.float", text)
    with pytest.raises(exceptions.CardoonError, match="NaN") as raised:
        result.get(timeout=DEADLINE_SECS)
    assert raised.value.code == "CD2007"


def test_a_result_that_cannot_be_read_is_an_error_and_not_waited_for(lab: Lab) -> None:
    id = f"own-id-{lab.word()}"
    lab.celery.ask("store_raw", id, b"\x80\x04 this is no JSON")
    with pytest.raises(exceptions.CardoonError) as raised:
        lab.app.AsyncResult(id).get(timeout=1)
    assert raised.value.code == "CD2007"


def test_a_task_object_sends_by_delay_and_with_options(lab: Lab) -> None:
    def add(x: int, y: int) -> int:
        raise AssertionError("it runs elsewhere")

    task = lab.app.task(name="interop.add")(add)
    assert task.delay(2, 3).get(timeout=DEADLINE_SECS) == 5
    assert task.apply_async((2,), {"y": 4}, task_id=f"own-id-{lab.word()}").get(timeout=DEADLINE_SECS) == 6
    with pytest.raises(exceptions.ArgumentError):
        task.delay(2)  # type: ignore[call-arg]


def test_many_sent_at_once_all_end(lab: Lab) -> None:
    results = lab.app.send_many([("interop.add", (n, n), {}, {"queue": THEIRS}) for n in range(50)])
    assert [result.get(timeout=DEADLINE_SECS) for result in results] == [2 * n for n in range(50)]


def test_their_task_sees_what_our_call_says(lab: Lab) -> None:
    expires = (now() + datetime.timedelta(minutes=5)).replace(microsecond=0)
    id = f"own-id-{lab.word()}"
    own = {"list": [1, {"ключ": None}]}
    result = lab.send(
        "interop.request",
        1,
        kwargs={"k": "v"},
        task_id=id,
        countdown=0.2,
        expires=expires,
        priority=3,
        headers={"x_own": own},
        time_limit=20,
        soft_time_limit=10,
    )
    request = result.get(timeout=DEADLINE_SECS)
    assert result.id == id
    ids = [request[name] for name in ("id", "root_id", "correlation_id", "parent_id")]
    assert ids == [id, id, id, None]
    assert (request["args"], request["kwargs"], request["retries"]) == ([1], {"k": "v"}, 0)
    assert (request["argsrepr"], request["kwargsrepr"]) == ("(1,)", "{'k': 'v'}")
    assert request["timelimit"] == [20, 10]
    assert datetime.datetime.fromisoformat(request["expires"]) == expires
    assert request["x_own"] == own
    assert request["ignore_result"] is False
    assert request["origin"]
    delivery = request["delivery_info"]
    assert (delivery["routing_key"], delivery["priority"]) == (THEIRS, 3)
    assert not delivery["redelivered"]


@pytest.mark.parametrize("by", ["countdown", "eta", "eta-naive"])
def test_a_delayed_task_runs_at_its_time(lab: Lab, by: str) -> None:
    due = now() + datetime.timedelta(seconds=0.7)
    if by == "countdown":
        result = lab.send("interop.add", 1, 2, countdown=0.7)
    else:
        result = lab.send("interop.add", 1, 2, eta=due if by == "eta" else due.replace(tzinfo=None))
    assert result.get(timeout=DEADLINE_SECS) == 3
    done = result.date_done
    assert done is not None and datetime.timedelta(0) <= done - due < datetime.timedelta(seconds=5)


def test_an_expired_task_does_not_run(lab: Lab) -> None:
    word = lab.word()
    result = lab.send("interop.note", word, countdown=0.5, expires=0.2)
    with pytest.raises(exceptions.TaskRevokedError, match="expired"):
        result.get(timeout=DEADLINE_SECS)
    assert result.state == "REVOKED"
    assert lab.notes(word) == []


def test_what_celery_revokes_is_revoked_for_us(lab: Lab) -> None:
    word = lab.word()
    result = lab.send("interop.note", word, countdown=1)
    lab.celery.ask("revoke", result.id)
    with pytest.raises(exceptions.TaskRevokedError, match="revoked"):
        result.get(timeout=DEADLINE_SECS)
    assert lab.notes(word) == []


def test_without_result_nothing_is_stored(lab: Lab) -> None:
    word = lab.word()
    result = lab.send("interop.note", word, ignore_result=True)
    lab.wait_for_note(word)
    assert result.get(timeout=DEADLINE_SECS) is None
    # What is sent next by the same way has a result, so the other one would be there by now.
    assert lab.call("interop.add", 1, 1) == 2
    assert lab.celery.ask("look", result.id)[0] == "PENDING"
    assert not result.ready()


@pytest.mark.parametrize(
    ("kind", "args"),
    [("ValueError", ("wrong",)), ("KeyError", ("key",)), ("RuntimeError", ("任务 \n'\"",))],
)
def test_exceptions_of_python_are_raised_as_they_were(lab: Lab, kind: str, args: tuple[Any, ...]) -> None:
    result = lab.send("interop.fail", kind, *args)
    with pytest.raises(Exception) as raised:
        result.get(timeout=DEADLINE_SECS)
    assert (type(raised.value).__name__, raised.value.args) == (kind, args)
    assert result.state == "FAILURE" and result.failed()
    assert result.traceback is not None and "in fail\n" in result.traceback
    assert result.traceback in str(raised.value.__cause__)


@pytest.mark.parametrize(
    ("kind", "args"),
    [("ValueError", ("wrong", 2, [3])), ("ValueError", (7,)), ("ValueError", ()), ("FileNotFoundError", (2, "no file"))],
)
def test_exceptions_keep_all_their_arguments(lab: Lab, kind: str, args: tuple[Any, ...]) -> None:
    error = lab.failure(lab.send("interop.fail", kind, *args).id)
    assert (type(error).__name__, error.args) == (kind, args)


def test_an_exception_that_both_can_import_is_raised_as_it_was(lab: Lab) -> None:
    error = lab.failure(lab.send("interop.fail_shared", "gone").id)
    assert (type(error), error.args) == (Refused, ("gone",))


def test_an_exception_that_both_can_import_keeps_its_arguments(lab: Lab) -> None:
    error = lab.failure(lab.send("interop.fail_shared", 404, "gone").id)
    assert (type(error), error.args) == (Refused, (404, "gone"))


def test_an_exception_that_wants_two_arguments_is_raised_as_it_was(lab: Lab) -> None:
    error = lab.failure(lab.send("interop.fail_in_words", "apples", 3).id)
    assert type(error) is OutOfStock and str(error) == "only 3 of apples"


def test_an_exception_that_only_they_know_is_told_by_name(lab: Lab) -> None:
    error = lab.failure(lab.send("interop.fail_private", "secret").id)
    assert isinstance(error, exceptions.TaskFailed)
    assert error.kind == "interop.programs.celery_app.TheirsAlone"
    assert "secret" in str(error)
    assert error.traceback is not None and "in fail_private" in error.traceback


def test_retries_of_theirs_end_with_their_value(lab: Lab) -> None:
    assert lab.call("interop.flaky", 2) == 2
    id = f"own-id-{lab.word()}"
    own = [1] if keeps_headers(lab.version) else None
    assert lab.call("interop.counts_down", 2, task_id=id, headers={"x_own": [1]}) == [[2, 1, 0], 2, id, own]


def test_a_task_that_waits_for_its_retry_says_so_and_why(lab: Lab) -> None:
    result = lab.send("interop.waits_for_retry")
    until(lambda: result.state == "RETRY", "state RETRY")
    assert not result.ready()
    assert isinstance(result.result, ValueError)
    assert result.traceback is not None and "waits_for_retry" in result.traceback


def test_retries_that_are_used_up_are_told(lab: Lab) -> None:
    error = lab.failure(lab.send("interop.gives_up").id)
    assert isinstance(error, exceptions.MaxRetriesExceededError)
    assert "interop.gives_up" in str(error)


def test_a_task_of_theirs_that_runs_is_started(lab: Lab) -> None:
    gate = lab.word()
    result = lab.send("interop.waits", gate)
    try:
        until(lambda: result.state == "STARTED", "state STARTED")
    finally:
        lab.open(gate)
    assert result.get(timeout=DEADLINE_SECS) == "done"


def test_a_state_of_their_own_is_seen_with_what_is_said_beside_it(lab: Lab) -> None:
    gate = lab.word()
    result = lab.send("interop.progress", gate)
    try:
        until(lambda: result.state == "PROGRESS", "state PROGRESS")
        assert result.info == {"done": 3, "of": [10, "тест"]}
        assert not result.ready()
    finally:
        lab.open(gate)
    assert result.get(timeout=DEADLINE_SECS) == "done"
    assert (result.state, result.result) == ("SUCCESS", "done")


def test_a_state_that_another_program_of_theirs_sets_is_seen(lab: Lab) -> None:
    id = f"own-id-{lab.word()}"
    lab.celery.ask("set_state", id, "WAITS FOR MAIL", {"since": "today"})
    result = lab.app.AsyncResult(id)
    assert (result.state, result.info, result.ready()) == ("WAITS FOR MAIL", {"since": "today"}, False)


def test_time_limits_of_our_call_are_kept_by_their_worker(lab: Lab) -> None:
    hard = lab.send("interop.sleep", 20, time_limit=1)
    soft = lab.send("interop.tidies_up", soft_time_limit=1)
    assert soft.get(timeout=15) == "told in time"
    error = hard.get(timeout=15, propagate=False)
    assert isinstance(error, exceptions.TaskError) and error.kind.endswith("TimeLimitExceeded")


def test_a_time_limit_in_their_worker_is_raised_as_one_of_ours(lab: Lab) -> None:
    hard = lab.send("interop.sleep", 20, time_limit=1)
    soft = lab.send("interop.sleep", 20, soft_time_limit=1)
    raised = [type(lab.failure(result.id)) for result in (soft, hard)]
    assert raised == [exceptions.SoftTimeLimitExceeded, exceptions.TimeLimitExceeded]


def test_their_task_sends_one_to_our_worker_that_knows_whose_it_is(lab: Lab) -> None:
    assert lab.our_worker
    outer = lab.send("interop.send_on", OURS, 1, 2)
    inner = lab.app.AsyncResult(outer.get(timeout=DEADLINE_SECS)).get(timeout=DEADLINE_SECS)
    assert (inner["args"], inner["parent_id"], inner["root_id"]) == ([1, 2], outer.id, outer.id)


def test_a_single_worker_of_theirs_does_so_too(lab: Lab) -> None:
    assert lab.their_single_worker
    assert lab.call("interop.add", 1, 2, queue="solo") == 3
    assert isinstance(lab.failure(lab.send("interop.fail", "ValueError", "x", queue="solo").id), ValueError)
    assert lab.call("interop.flaky", 1, queue="solo") == 1


def test_waiting_for_what_does_not_end_is_over_in_time(lab: Lab) -> None:
    result = lab.send("interop.add", 1, 2, countdown=20)
    with pytest.raises(exceptions.TimeoutError):
        result.get(timeout=0.2)
