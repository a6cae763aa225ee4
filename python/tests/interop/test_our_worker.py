"""Celery sends, our worker executes, and Celery reads the results."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest

from helpers.waiting import DEADLINE_SECS, until
from interop.environments import has_types
from interop.lab import OURS, THEIRS, Lab
from interop.values import PLAIN, TYPED

pytestmark = pytest.mark.usefixtures("our_worker")



def now() -> datetime.datetime:
    """To the millisecond, as times are kept."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN.keys())
def test_values_arrive_and_come_back(lab: Lab, value: Any) -> None:
    id = lab.celery.send("interop.describe", value, queue=OURS, kwargs={"named": value})
    assert lab.celery.get(id) == repr(((value,), {"named": value}))
    assert repr(lab.celery.get(lab.celery.send("interop.echo", value, queue=OURS))) == repr(value)


@pytest.mark.parametrize("value", TYPED.values(), ids=TYPED.keys())
def test_dates_and_decimals_arrive_and_come_back(lab: Lab, value: Any) -> None:
    if not has_types(lab.version):
        # Bytes it cannot send at all.
        return
    arrived = lab.celery.get(lab.celery.send("interop.describe", value, queue=OURS))
    assert arrived == repr(((value,), {}))
    assert lab.celery.get(lab.celery.send("interop.echo", value, queue=OURS)) == value


def test_dates_of_an_older_celery_arrive_as_its_texts(lab: Lab) -> None:
    if has_types(lab.version):
        return
    sent = {name: TYPED[name] for name in ("datetime", "date", "time", "uuid")}
    texts = {
        "datetime": "2026-01-02T03:04:05.678901Z",
        "date": "2026-02-28T00:00:00",
        "time": "23:59:58.000007",
        "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    }
    assert lab.celery.get(lab.celery.send("interop.echo", sent, queue=OURS)) == texts


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=repr)
def test_numbers_that_json_lacks_are_refused_and_kept(lab: Lab, number: float) -> None:
    letter = lab.dead_letter(lab.celery.send("interop.describe", [number], queue=OURS))
    assert letter["reason"] == "malformed" and "NaN" in letter["detail"]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml"])
def test_bodies_are_read_in_every_form(lab: Lab, serializer: str, compression: str | None) -> None:
    # In the order of their names, which YAML puts them into.
    value = {"long": "x" * 5000, "nested": [1, -2.5, None, True, {"тест": "任务"}], "numbers": [2**53 + 1, -(2**31)]}
    options = {"serializer": serializer, "compression": compression, "queue": OURS}
    id = lab.celery.send("interop.describe", value, **options)
    assert lab.celery.get(id) == repr(((value,), {}))
    # The next attempt has what the first had.
    assert lab.celery.get(lab.celery.send("interop.flaky", 1, **options)) == 1
    assert lab.celery.get(lab.celery.send("interop.counts_down", 1, **options))[0] == [1, 0]


def test_our_task_sees_what_their_call_says(lab: Lab) -> None:
    expires = (now() + datetime.timedelta(minutes=5)).replace(microsecond=0)
    id = f"own-id-{lab.word()}"
    options = {"countdown": 0.2, "expires": expires, "time_limit": 20, "soft_time_limit": 10, "priority": 3}
    own = {"list": [1, {"ключ": None}]}
    lab.celery.send(
        "interop.request", 1, kwargs={"k": "v"}, task_id=id, queue=OURS, headers={"x_own": own}, **options
    )
    request = lab.celery.get(id)
    ids = [request[name] for name in ("id", "root_id", "correlation_id", "parent_id")]
    assert ids == [id, id, id, None]
    assert (request["args"], request["kwargs"], request["retries"]) == ([1], {"k": "v"}, 0)
    assert (request["argsrepr"], request["kwargsrepr"]) == ("(1,)", "{'k': 'v'}")
    assert request["timelimit"] == [20, 10]
    assert datetime.datetime.fromisoformat(request["eta"]) < now()
    assert datetime.datetime.fromisoformat(request["expires"]) == expires
    assert request["x_own"] == own
    assert request["origin"].startswith("gen")
    assert request["called_directly"] is False
    delivery = {"exchange": "", "routing_key": OURS, "priority": 3, "redelivered": False}
    assert request["delivery_info"] == delivery


@pytest.mark.usefixtures("their_worker")
def test_our_task_sees_of_its_request_what_it_would_see_in_celery(lab: Lab) -> None:
    def seen(queue: str) -> dict[str, Any]:
        request = lab.celery.get(lab.celery.send("interop.request", 1, "two", queue=queue, kwargs={"k": None}))
        id = request["id"]
        assert request.pop("origin")
        request.pop("headers")
        assert request["delivery_info"].pop("routing_key") == queue
        # What stands for no priority: 4 of ours, 0 of Celery.
        assert request["delivery_info"].pop("priority") in (0, 4)
        # Older ones say nothing instead.
        assert not request["delivery_info"].pop("redelivered")
        return {name: "its id" if value == id else value for name, value in request.items()}

    assert seen(OURS) == seen(THEIRS)


def test_a_delayed_task_runs_at_its_time(lab: Lab) -> None:
    due = now() + datetime.timedelta(seconds=0.7)
    for delay in ({"countdown": 0.7}, {"eta": due}, {"eta": due.replace(tzinfo=None)}):
        id = lab.celery.send("interop.add", 1, 2, queue=OURS, **delay)
        assert lab.celery.get(id) == 3
        done = lab.app.AsyncResult(id).date_done
        assert done is not None and datetime.timedelta(0) <= done - due < datetime.timedelta(seconds=5)


def test_an_expired_task_does_not_run(lab: Lab) -> None:
    word = lab.word()
    id = lab.celery.send("interop.note", word, queue=OURS, countdown=0.5, expires=0.2)
    raised = lab.celery.raised(id)
    assert (raised["type"], raised["module"], raised["state"]) == ("TaskRevokedError", "celery.exceptions", "REVOKED")
    assert "expired" in raised["text"]
    assert lab.notes(word) == []


def test_what_we_revoke_before_somebody_takes_it_is_revoked_for_celery(lab: Lab) -> None:
    id = lab.celery.send("interop.add", 1, 2, queue="nobody")
    lab.app.AsyncResult(id).revoke()
    assert lab.celery.raised(id)["state"] == "REVOKED"


def test_a_result_says_of_its_task_what_celery_asks_for(lab: Lab) -> None:
    sent = now()
    id = lab.celery.send("interop.flaky", 1, queue=OURS)
    assert lab.celery.get(id) == 1
    said = lab.celery.ask("about", id)
    assert (said["name"], said["queue"], said["retries"], said["children"]) == ("interop.flaky", OURS, 1, [])
    assert said["worker"]
    assert sent <= said["date_done"] <= now()


def test_a_result_that_one_side_forgets_is_forgotten_for_the_other(lab: Lab) -> None:
    first, second = [lab.celery.send("interop.add", 1, 2, queue=OURS) for _ in range(2)]
    assert [lab.celery.get(first), lab.celery.get(second)] == [3, 3]
    lab.celery.ask("forget", first)
    lab.app.AsyncResult(second).forget()
    assert lab.state(first) == "PENDING"
    assert lab.celery.ask("look", second) == ["PENDING", None, None]


def test_what_we_revoke_is_revoked_for_celery(lab: Lab) -> None:
    word = lab.word()
    id = lab.celery.send("interop.note", word, queue=OURS, countdown=1)
    lab.app.AsyncResult(id).revoke()
    raised = lab.celery.raised(id)
    assert (raised["type"], raised["module"], raised["state"]) == ("TaskRevokedError", "celery.exceptions", "REVOKED")
    assert lab.notes(word) == []


def test_a_running_task_of_theirs_that_we_revoke_ends(lab: Lab) -> None:
    id = lab.celery.send("interop.sleep", 20, queue=OURS)
    until(lambda: lab.state(id) == "STARTED", f"state STARTED, it is {lab.state(id)}")
    lab.app.AsyncResult(id).revoke()
    assert lab.celery.raised(id)["state"] == "REVOKED"


@pytest.mark.parametrize("by", ["call", "task"])
def test_without_result_nothing_is_stored(lab: Lab, by: str) -> None:
    word = lab.word()
    if by == "call":
        id = lab.celery.send("interop.note", word, queue=OURS, ignore_result=True)
    else:
        id = lab.celery.ask("apply", "interop.silent", (word,), queue=OURS)
    lab.wait_for_note(word)
    assert lab.celery.get(lab.celery.send("interop.add", 1, 1, queue=OURS)) == 2
    assert lab.celery.ask("look", id) == ["PENDING", None, None]


@pytest.mark.parametrize(
    ("kind", "args"), [("ValueError", ["wrong"]), ("KeyError", ["key"]), ("RuntimeError", ["任务 \n'\""])]
)
def test_exceptions_of_python_are_raised_as_they_were(lab: Lab, kind: str, args: list[Any]) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.fail", kind, *args, queue=OURS))
    assert (raised["type"], raised["module"], raised["args"], raised["state"]) == (kind, "builtins", args, "FAILURE")
    assert "in fail\n" in raised["traceback"] and kind in raised["traceback"]
    assert "cardoon/" not in raised["traceback"], "frames of the package"


@pytest.mark.parametrize(
    ("kind", "args"),
    [("ValueError", ["wrong", 2, [3]]), ("ValueError", [7]), ("ValueError", []), ("FileNotFoundError", [2, "no file"])],
)
def test_exceptions_keep_all_their_arguments(lab: Lab, kind: str, args: list[Any]) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.fail", kind, *args, queue=OURS))
    assert (raised["type"], raised["args"]) == (kind, args)


def test_an_exception_that_both_can_import_is_raised_as_it_was(lab: Lab) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.fail_shared", "gone", queue=OURS))
    assert (raised["type"], raised["module"], raised["args"]) == ("Refused", "interop.programs.shared", ["gone"])
    assert raised["is_known"]


def test_an_exception_that_wants_two_arguments_is_raised_as_it_was(lab: Lab) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.fail_in_words", "apples", 3, queue=OURS))
    assert (raised["type"], raised["text"]) == ("OutOfStock", "only 3 of apples")


def test_an_exception_that_only_we_know_is_told_by_name(lab: Lab) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.fail_private", "secret", queue=OURS))
    assert (raised["type"], raised["args"], raised["is_known"]) == ("OursAlone", ["secret"], False)
    assert "in fail_private" in raised["traceback"]


def test_arguments_that_do_not_fit_fail_as_in_celery(lab: Lab) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.add", 1, queue=OURS))
    assert raised["type"] == "TypeError" and "missing 1 required positional argument" in raised["text"]


def test_retries_end_with_the_value(lab: Lab) -> None:
    assert lab.celery.get(lab.celery.send("interop.flaky", 2, queue=OURS)) == 2
    id = lab.celery.send("interop.counts_down", 2, queue=OURS, headers={"x_own": [1]})
    assert lab.celery.get(id) == [[2, 1, 0], 2, id, [1]]


def test_a_task_that_waits_for_its_retry_says_so_and_why(lab: Lab) -> None:
    id = lab.celery.send("interop.waits_for_retry", queue=OURS)
    until(lambda: lab.celery.ask("look", id)[0] == "RETRY", "state RETRY")
    _, info, traceback = lab.celery.ask("look", id)
    assert info[0] == "ValueError"
    assert "waits_for_retry" in traceback
    lab.app.AsyncResult(id).revoke()


def test_retries_that_are_used_up_are_told(lab: Lab) -> None:
    raised = lab.celery.raised(lab.celery.send("interop.gives_up", queue=OURS))
    assert (raised["type"], raised["module"]) == ("MaxRetriesExceededError", "celery.exceptions")
    assert "interop.gives_up" in raised["text"]


def test_headers_that_we_do_not_know_are_carried_through_a_retry(lab: Lab) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    own = {"x_own": {"deep": [1, None, 2**60, "任务", ""]}, "traceparent": trace, "baggage": "", "x-list": []}
    names = [*own, "lang", "root_id", "parent_id", "origin", "group", "shadow", "timelimit", "expires", "stamps"]
    id = lab.celery.send("ours.headers", names, queue=OURS, headers=own, expires=60, time_limit=30, soft_time_limit=20)
    before, after, retries = lab.celery.get(id)
    assert (after, retries) == (before, 1)
    assert own.items() <= before.items()
    assert (before["root_id"], before["timelimit"]) == (id, [30, 20])


def test_the_headers_of_a_request_are_those_that_its_sender_added(lab: Lab) -> None:
    request = lab.celery.get(lab.celery.send("interop.request", queue=OURS, headers={"x_own": [1]}))
    assert request["headers"] == {"x_own": [1]}


def test_an_ignored_run_leaves_no_result(lab: Lab) -> None:
    word = lab.word()
    id = lab.celery.send("interop.ignore", word, queue=OURS)
    lab.wait_for_note(word)
    assert lab.celery.get(lab.celery.send("interop.add", 1, 1, queue=OURS)) == 2
    assert lab.celery.ask("look", id)[0] == "PENDING"
    assert len(lab.notes(word)) == 1
    assert id not in [letter["id"] for letter in lab.dead_letters()]


def test_a_rejected_message_goes_to_the_dead_letters(lab: Lab) -> None:
    word = lab.word()
    id = lab.celery.send("interop.reject", word, queue=OURS)
    assert lab.dead_letter(id)["task"] == "interop.reject"
    assert len(lab.notes(word)) == 1


def test_a_message_that_is_rejected_to_its_queue_is_executed_again(lab: Lab) -> None:
    word = lab.word()
    id = lab.celery.send("interop.reject_once", word, queue=OURS)
    assert lab.celery.get(id) == "at the second time"
    assert len(lab.notes(word)) == 2


def test_a_state_of_our_own_is_seen_with_what_is_said_beside_it(lab: Lab) -> None:
    gate = lab.word()
    id = lab.celery.send("interop.progress", gate, queue=OURS)
    until(lambda: lab.state(id) == "PROGRESS", f"state PROGRESS, it is {lab.state(id)}")
    seen = lab.celery.ask("look", id)
    lab.open(gate)
    assert seen == ["PROGRESS", {"done": 3, "of": [10, "тест"]}, None]
    assert lab.celery.get(id) == "done"


def test_soft_time_limits_of_their_call_are_kept_by_our_worker(lab: Lab) -> None:
    soft = lab.celery.send("interop.tidies_up", queue=OURS, soft_time_limit=0.5)
    assert lab.celery.get(soft) == "told in time"
    raised = lab.celery.raised(lab.celery.send("interop.sleep", 20, queue=OURS, soft_time_limit=0.5))
    assert (raised["type"], raised["module"]) == ("SoftTimeLimitExceeded", "billiard.exceptions")
    assert raised["state"] == "FAILURE"


def test_a_hard_time_limit_of_their_call_ends_the_task_as_in_celery(lab: Lab) -> None:
    id = lab.celery.send("interop.sleep", 20, queue=OURS, time_limit=0.5)
    ended = lab.celery.ask("get", id, 15)
    lab.app.AsyncResult(id).revoke()
    assert ended.get("type") == "TimeLimitExceeded", ended
    assert (ended["module"], ended["state"]) == ("billiard.exceptions", "FAILURE")


@pytest.mark.usefixtures("their_worker")
def test_our_task_sends_one_to_their_worker_that_knows_whose_it_is(lab: Lab) -> None:
    outer = lab.celery.send("interop.send_on", THEIRS, 3, 4, queue=OURS)
    inner = lab.celery.get(lab.celery.get(outer))
    assert (inner["args"], inner["parent_id"], inner["root_id"]) == ([3, 4], outer, outer)


@pytest.mark.parametrize("pool", ["threads", "asyncio"])
def test_other_pools_do_so_too(lab: Lab, pool: str) -> None:
    assert lab.our_threads if pool == "threads" else lab.our_loop
    send, get = lab.celery.send, lab.celery.get
    value = {"nested": [1, "任务"]}
    assert get(send("interop.echo", value, queue=pool)) == value
    ids = [send("interop.request", n, queue=pool, headers={"x_own": n}) for n in range(20)]
    seen = [(request["id"], request["args"], request["x_own"]) for request in map(get, ids)]
    assert seen == [(id, [n], n) for n, id in enumerate(ids)]
    ids = [send("ours.awaits", str(n), queue=pool, headers={"x_own": n}) for n in range(20)]
    assert [get(id) for id in ids] == [[str(n), id, n] for n, id in enumerate(ids)]
    raised = lab.celery.raised(send("interop.fail", "ValueError", "wrong", queue=pool))
    assert (raised["type"], raised["args"]) == ("ValueError", ["wrong"])
    assert get(send("interop.flaky", 1, queue=pool)) == 1
    assert get(send("interop.counts_down", 1, queue=pool))[0] == [1, 0]


def test_many_of_theirs_all_end(lab: Lab) -> None:
    ids = lab.celery.ask("send_many", [("interop.add", (n, n)) for n in range(100)], queue=OURS)
    ended = lab.celery.ask("get_many", ids, DEADLINE_SECS)
    assert ended == [{"value": 2 * n} for n in range(100)]
