"""Children are processes of their own, and are replaced when they should be."""

from __future__ import annotations

import os
import signal

import pytest

from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

TASKS = """
import random
kept = []

@app.task
def pid():
    return os.getpid()

@app.task
def count(n):
    note("count", n, os.getpid())
    return n

@app.task
def grow(mebibytes):
    kept.append(b"x" * (mebibytes << 20))
    note("grown", os.getpid())
    # Its child is replaced after the call, not in the middle of it.
    time.sleep(0.6)
    return os.getpid()

@app.task
def draws():
    import random, uuid
    time.sleep(0.02)
    return [os.getpid(), random.random(), str(uuid.uuid4()), os.urandom(8).hex()]

@app.task
def meets(wanted):
    # Ends only once so many children are in the middle of it.
    note("meets", os.getpid())
    while len(set(open("notes").readlines())) < wanted:
        time.sleep(0.02)
    return os.getpid()

@app.task
def sends(n):
    return [child.id for child in (count.delay(n * 10 + i) for i in range(3))]

@app.task
def sends_and_waits(n):
    return count.delay(n).get(timeout=20, disable_sync_subtasks=False)

@app.task
def sends_many(n):
    return [result.id for result in app.send_many([(count, (n * 100 + i,)) for i in range(20)])]

@app.task(bind=True)
def lineage(self):
    child = parent.delay()
    return [self.request.id, child.id]

@app.task(bind=True)
def parent(self):
    return [self.request.parent_id, self.request.root_id]
"""


@pytest.mark.parametrize("most", [1, 7])
def test_a_child_is_replaced_after_so_many_tasks_and_none_is_lost(project: Project, most: int) -> None:
    project.write(TASKS)
    worker = project.worker("--max-tasks-per-child", str(most))
    count = 60 if most == 1 else 300
    results = project.send_many("count", [(n,) for n in range(count)])
    assert [result.get(timeout=60) for result in results] == list(range(count))
    lines = [line.split() for line in project.notes()]
    assert sorted(int(line[1]) for line in lines) == list(range(count)), "each ran once"
    of_child: dict[str, int] = {}
    for line in lines:
        of_child[line[2]] = of_child.get(line[2], 0) + 1
    assert max(of_child.values()) <= most
    assert len(of_child) >= count // most
    assert worker.stop() == 0


def test_the_number_of_tasks_may_stand_in_the_settings(project: Project) -> None:
    project.write("app.conf.worker_max_tasks_per_child = 2\n" + TASKS)
    project.worker("-c", "1")
    assert len({project.call("pid") for _ in range(6)}) == 3


def test_a_child_that_grows_is_replaced_when_its_task_has_ended(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1", "--max-memory-per-child", str(150 * 1024))
    (child,) = worker.children()
    assert project.call("grow", 20) == child
    assert project.call("pid") == child, "it is small enough"
    assert project.call("grow", 200) == child
    until(lambda: worker.children() and child not in worker.children(), "another child")
    assert project.call("pid") != child
    assert worker.lines("grown beyond its limit")
    assert project.notes() == [f"grown {child}"] * 2
    assert worker.stop() == 0


@pytest.mark.parametrize("numpy", [False, True])
def test_children_draw_different_numbers(project: Project, numpy: bool) -> None:
    source = TASKS
    if numpy:
        source = "import numpy\nnumpy.random.seed(1)\n" + TASKS.replace("random.random()", "numpy.random.random()")
    project.write("import random\nrandom.seed(1)\n" + source)
    project.worker("-c", "4")
    drawn = [result.get(timeout=DEADLINE_SECS) for result in [project.send("draws") for _ in range(40)]]
    assert len({pid for pid, *_ in drawn}) > 1
    for place in (1, 2, 3):
        assert len({numbers[place] for numbers in drawn}) == 40
    # Neither do they repeat from one worker to the next.
    for worker in project.workers:
        worker.stop()
    project.worker("-c", "4")
    again = [result.get(timeout=DEADLINE_SECS) for result in [project.send("draws") for _ in range(8)]]
    assert not {numbers[1] for numbers in drawn} & {numbers[1] for numbers in again}


def test_tasks_send_tasks_over_connections_of_their_own(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    senders = [project.send("sends", n) for n in range(20)]
    ids = [id for sender in senders for id in sender.get(timeout=DEADLINE_SECS)]
    values = [project.app.AsyncResult(id).get(timeout=DEADLINE_SECS) for id in ids]
    assert values == [n * 10 + i for n in range(20) for i in range(3)]
    ids = project.call("sends_many", 7)
    assert [project.app.AsyncResult(id).get(timeout=DEADLINE_SECS) for id in ids] == list(range(700, 720))
    # A child with a connection that dies takes nothing with it.
    for child in worker.children():
        os.kill(child, signal.SIGKILL)
    assert project.call("sends_and_waits", 5) == 5
    assert worker.stop() == 0


@pytest.mark.parametrize(
    "options", [("-P", "threads", "-c", "4"), ("-P", "asyncio", "-c", "4"), ("--start-method", "spawn")]
)
def test_tasks_send_tasks_in_all_pools(project: Project, options: tuple[str, ...]) -> None:
    project.write(TASKS)
    worker = project.worker(*options)
    assert project.call("sends_and_waits", 5) == 5
    own, child = project.call("lineage")
    assert project.app.AsyncResult(child).get(timeout=DEADLINE_SECS) == [own, own]
    assert worker.stop() == 0


def test_a_client_that_was_used_while_importing_is_not_shared(project: Project) -> None:
    project.write(TASKS + "\ncount.delay(1)\n")
    worker = project.worker()
    assert not worker.lines("starts threads")
    assert project.call("sends_and_waits", 5) == 5
    for _ in range(10):
        assert len(project.call("sends", 1)) == 3
    assert worker.stop() == 0


def test_a_process_that_a_task_forks_may_send(project: Project) -> None:
    project.write(
        TASKS
        + """
import multiprocessing

def send(n):
    return count.delay(n).id

@app.task
def forks():
    send(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(send, range(1, 5))
"""
    )
    project.worker()
    ids = project.call("forks")
    assert [project.app.AsyncResult(id).get(timeout=DEADLINE_SECS) for id in ids] == [1, 2, 3, 4]


def test_many_children(project: Project) -> None:
    many = 20
    project.write(TASKS)
    worker = project.worker("-c", str(many))
    worker.wait_until_ready(many)
    results = [project.send("meets", many) for _ in range(many)]
    assert {result.get(timeout=60) for result in results} == set(worker.children()), "all of them at once"
    results = [project.send("draws") for _ in range(200)]
    assert {result.get(timeout=60)[0] for result in results} <= set(worker.children())
    assert len(worker.children()) == many
    assert worker.stop() == 0
