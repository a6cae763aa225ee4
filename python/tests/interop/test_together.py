"""Workers of both sides on one queue."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.waiting import DEADLINE_SECS
from interop.lab import BOTH, Lab

pytestmark = pytest.mark.usefixtures("our_worker", "their_worker")

#: Tasks of each sender.
EACH = 150


def test_tasks_of_both_senders_all_run_and_both_read_every_result(lab: Lab) -> None:
    word = lab.word()
    theirs: list[str] = []
    ours: list[str] = []
    for _ in range(3):
        theirs += lab.celery.ask("send_many", [("interop.note", (word,))] * (EACH // 3), queue=BOTH)
        sent = lab.app.send_many(("interop.note", (word,), {}, {"queue": BOTH}) for _ in range(EACH // 3))
        ours += [result.id for result in sent]
    ids = ours + theirs
    assert lab.celery.ask("get_many", ids, DEADLINE_SECS) == [{"value": word}] * len(ids)
    assert [lab.app.AsyncResult(id).get(timeout=DEADLINE_SECS) for id in ids] == [word] * len(ids)
    ran = [line.split()[1] for line in lab.notes(word)]
    assert set(ran) == set(ids) and len(set(ids)) == 2 * EACH


def test_failures_and_retries_of_both_end_alike(lab: Lab) -> None:
    calls: list[tuple[str, tuple[Any, ...]]] = [("interop.flaky", (1,)), ("interop.fail", ("ValueError", "wrong"))] * 10
    ids = lab.celery.ask("send_many", calls, queue=BOTH)
    ids += [lab.send(task, *args, queue=BOTH).id for task, args in calls]
    for id, (task, _) in zip(ids, calls * 2, strict=True):
        if task == "interop.flaky":
            assert lab.celery.get(id) == lab.app.AsyncResult(id).get(timeout=DEADLINE_SECS) == 1
        else:
            raised, error = lab.celery.raised(id), lab.failure(id)
            assert (raised["type"], raised["args"]) == ("ValueError", ["wrong"])
            assert (type(error), error.args) == (ValueError, ("wrong",))


def test_what_only_one_side_knows_ends_up_there(lab: Lab) -> None:
    word = lab.word()
    ids = []
    for _ in range(5):
        for task in ("ours.only", "theirs.only"):
            ids.append(lab.celery.send(task, word, queue=BOTH))
            ids.append(lab.send(task, word, queue=BOTH).id)
    assert lab.celery.ask("get_many", ids, DEADLINE_SECS) == [{"value": word}] * len(ids)
    assert sorted(line.split()[1] for line in lab.notes(word)) == sorted(ids)
    assert {letter["id"] for letter in lab.dead_letters()}.isdisjoint(ids)
