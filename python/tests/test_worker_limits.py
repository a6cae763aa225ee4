"""Time limits: of all code shapes, of the right task, and of no other."""

from __future__ import annotations

import os
import random

import pytest

from cardoon.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from helpers.project import Project
from helpers.waiting import until

TASKS = """
import asyncio, ctypes, queue, random, re, select, signal, socket, subprocess, threading

@app.task
def quick(n):
    return n * 2

@app.task
def pid():
    return os.getpid()

def sleep():
    time.sleep(60)

def loop():
    while True:
        pass

def lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()

def queue_get():
    queue.Queue().get()

def select_call():
    select.select([], [], [], 60)

def receive():
    a, b = socket.socketpair()
    a.recv(1)

def program():
    subprocess.run(["sleep", "60"])

def regex():
    re.match(r"(a+)+$", "a" * 40 + "b")

def event():
    threading.Event().wait(60)

def coroutine():
    asyncio.run(asyncio.sleep(60))

@app.task(soft_time_limit=0.15)
def soft(shape):
    note("begins", shape)
    try:
        globals()[shape]()
    except SoftTimeLimitExceeded:
        note("told", shape)
        raise
    finally:
        note("cleaned", shape)

@app.task(soft_time_limit=0.15)
def caught():
    try:
        time.sleep(60)
    except SoftTimeLimitExceeded:
        time.sleep(0.1)
        return "cleaned up"

@app.task(soft_time_limit=0.15, time_limit=2)
def deaf():
    note("deaf", os.getpid())
    while True:
        try:
            time.sleep(60)
        except SoftTimeLimitExceeded:
            note("told")

@app.task(soft_time_limit=0.15)
async def soft_coroutine():
    await asyncio.sleep(60)

def c_call():
    # C code that holds the interpreter's lock and checks no signals.
    ctypes.PyDLL(None).usleep(60_000_000)

def ignores_signals():
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    loop()

def exits_never():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

@app.task(time_limit=0.3)
def hard(shape):
    note("runs", os.getpid())
    globals()[shape]()

@app.task
def takes(seconds):
    time.sleep(seconds)
    return "through"

@app.task(soft_time_limit=0.02, time_limit=20)
def around(seconds, n):
    until = time.monotonic() + seconds
    if n % 2:
        time.sleep(seconds)
    else:
        while time.monotonic() < until:
            pass
    return n

@app.task(time_limit=0.02)
def around_hard(seconds, n):
    time.sleep(seconds)
    return n
"""

SHAPES = ["sleep", "loop", "lock", "queue_get", "select_call", "receive", "program", "regex", "event", "coroutine"]


def test_the_soft_limit_is_raised_inside_of_whatever_runs(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    child = set(worker.children())
    results = [project.send("soft", shape) for shape in SHAPES]
    for shape, result in zip(SHAPES, results, strict=True):
        error = result.get(timeout=30, propagate=False)
        assert isinstance(error, SoftTimeLimitExceeded), (shape, error)
        # asyncio cancels the coroutine and raises where the loop was started.
        assert {f"told {shape}", f"cleaned {shape}"} <= set(project.notes())
    assert project.call("quick", 1) == 2
    assert set(worker.children()) == child, "soft limits cost no child"
    assert worker.stop() == 0


def test_a_task_may_catch_the_soft_limit_and_return(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    assert project.call("caught") == "cleaned up"
    assert isinstance(project.call("soft_coroutine"), SoftTimeLimitExceeded)


def test_a_task_that_does_not_hear_the_soft_limit_meets_the_hard_one(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    error = project.call("deaf")
    assert isinstance(error, TimeLimitExceeded), error
    assert [line.split()[0] for line in project.notes()] == ["deaf", "told"]


@pytest.mark.parametrize("shape", ["loop", "sleep", "c_call", "ignores_signals", "exits_never"])
def test_the_hard_limit_ends_whatever_runs_and_costs_no_other(project: Project, shape: str) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    (child,) = worker.children()
    # Quick ones first, so that the child is known to be fast and others wait behind the call.
    before = project.send_many("quick", [(n,) for n in range(100)])
    slow = project.send("hard", shape)
    after = project.send_many("quick", [(n,) for n in range(100)])
    error = slow.get(timeout=30, propagate=False)
    assert isinstance(error, TimeLimitExceeded), error
    assert "0.3 s" in str(error)
    for n, result in enumerate(before + after):
        assert result.get(timeout=30) == n % 100 * 2
    assert project.notes() == [f"runs {child}"], "it ran once"
    assert project.call("pid") != child
    assert worker.stop() == 0


def test_limits_are_given_by_the_call_and_by_the_settings(project: Project) -> None:
    project.write(TASKS.replace("\n@app.task\ndef pid", "\napp.conf.task_time_limit = 0.4\n@app.task\ndef pid", 1))
    worker = project.worker()
    error = project.call("takes", 30)
    assert isinstance(error, TimeLimitExceeded) and "0.4 s" in str(error)
    error = project.call("takes", 30, time_limit=0.2)
    assert isinstance(error, TimeLimitExceeded) and "0.2 s" in str(error)
    assert isinstance(project.call("takes", 30, soft_time_limit=0.1), SoftTimeLimitExceeded)
    assert project.call("takes", 0.5, time_limit=20) == "through"
    assert worker.stop() == 0


def test_limits_are_given_by_the_command_line(project: Project) -> None:
    project.write(TASKS)
    project.worker("--time-limit", "300ms")
    error = project.send("takes", 3).get(timeout=20, propagate=False)
    assert isinstance(error, TimeLimitExceeded) and "0.3 s" in str(error)


def test_a_late_soft_limit_never_hits_the_next_task(project: Project) -> None:
    """Many tasks that take about as long as their limit: each ends with its own value or its own exception."""
    project.write(TASKS)
    worker = project.worker()
    children = set(worker.children())
    draw = random.Random(20261128)
    results = []
    for n in range(300):
        results.append((n, project.send("around", draw.uniform(0.012, 0.028), n)))
        results.append((n, project.send("quick", n)))
    told = 0
    for place, (n, result) in enumerate(results):
        value = result.get(timeout=60, propagate=False)
        if place % 2:
            assert value == n * 2, "a task without a limit was hit"
        elif isinstance(value, SoftTimeLimitExceeded):
            told += 1
        else:
            assert value == n
    print(f"{told} of 300 were told")
    assert 0 < told < 300
    assert set(worker.children()) == children
    assert worker.stop() == 0


def test_a_late_hard_limit_never_ends_the_next_task(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    draw = random.Random(7)
    results = []
    for n in range(60):
        results.append((n, project.send("around_hard", draw.uniform(0.015, 0.025), n)))
        results.append((n, project.send("quick", n)))
    ended = 0
    for place, (n, result) in enumerate(results):
        value = result.get(timeout=60, propagate=False)
        if place % 2:
            assert value == n * 2
        elif isinstance(value, TimeLimitExceeded):
            ended += 1
        else:
            assert value == n, value
    print(f"{ended} of 60 were ended")
    assert ended > 0
    assert worker.stop() == 0


def test_quick_tasks_do_not_wait_behind_a_slow_one(project: Project) -> None:
    """A child that is known to be fast holds many calls; what waits there behind a slow one goes to the other child."""
    project.write(
        TASKS
        + """
@app.task
def sometimes(n, slow):
    if slow:
        note("slow begins")
        while not os.path.exists("go"):
            time.sleep(0.01)
    note("done", n)
    return n
"""
    )
    worker = project.worker()
    for result in project.send_many("sometimes", [(n, False) for n in range(300)]):
        result.get(timeout=30)
    calls = [(1000 + n, n == 100) for n in range(400)]
    results = project.send_many("sometimes", calls)
    for place, result in enumerate(results):
        if place != 100:
            assert result.get(timeout=30) == 1000 + place
    assert project.notes().count("slow begins") == 1
    assert not results[100].ready()
    (project.folder / "go").touch()
    assert results[100].get(timeout=30) == 1100
    done = [line for line in project.notes() if line.startswith("done")]
    assert len(done) == len(set(done)) == 700, "each ran once"
    assert worker.stop() == 0


def test_a_slow_task_in_each_child_holds_back_what_has_no_other_place(project: Project) -> None:
    """With both children busy, quick tasks wait, and run when one is free: none is lost and none runs twice."""
    project.write(TASKS)
    worker = project.worker()
    for result in project.send_many("quick", [(n,) for n in range(200)]):
        result.get(timeout=30)
    slow = [project.send("takes", 0.4) for _ in range(2)]
    quick = project.send_many("quick", [(n,) for n in range(300)])
    assert [result.get(timeout=30) for result in quick] == [n * 2 for n in range(300)]
    assert [result.get(timeout=30) for result in slow] == ["through"] * 2
    assert worker.stop() == 0


def test_a_killed_child_releases_what_the_limit_waits_for(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    slow = project.send("takes", 60, time_limit=30)
    until(lambda: slow.state == "STARTED", "it runs")
    (child,) = worker.children()
    slow.revoke()
    assert slow.get(timeout=20, propagate=False).__class__.__name__ == "TaskRevokedError"
    until(lambda: not os.path.exists(f"/proc/{child}"), "its child is gone")
    assert project.call("quick", 2) == 4
