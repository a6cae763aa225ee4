"""Pools with many calls in one child."""

from __future__ import annotations

import os
import signal

import pytest

from cardoon.exceptions import SoftTimeLimitExceeded, TaskRevokedError, TimeLimitExceeded
from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

TASKS = """
import asyncio, threading

together = 0
most = 0
turn = threading.Lock()

@app.task
def quick(n):
    return n

@app.task
async def aquick(n):
    return n

@app.task
def pid():
    return os.getpid()

@app.task
def meets(wanted, secs=20):
    # Returns only if so many of them run at once.
    global together, most
    with turn:
        together += 1
        most = max(most, together)
    until = time.monotonic() + secs
    while most < wanted and time.monotonic() < until:
        time.sleep(0.01)
    with turn:
        together -= 1
    return most >= wanted

@app.task
async def ameets(wanted, secs=30):
    global together, most
    together += 1
    most = max(most, together)
    until = time.monotonic() + secs
    while most < wanted and time.monotonic() < until:
        await asyncio.sleep(0.02)
    together -= 1
    return most >= wanted

@app.task(bind=True)
def who(self, n):
    time.sleep(0.01)
    return [self.request.id, threading.current_thread().name.split("_")[0].split("-")[0]]

@app.task(bind=True)
async def awho(self, n):
    await asyncio.sleep(0.01)
    return [self.request.id, self.request.args[0]]

@app.task
async def cancels_itself():
    raise asyncio.CancelledError("of its own")

@app.task
async def awaits_a_cancelled_future():
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future

@app.task
async def sleeps():
    note("sleeps")
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        note("cancelled")
        await asyncio.sleep(0.05)
        note("cleaned")
        raise

@app.task
async def survives():
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        return "made the best of it"

@app.task
async def blocks():
    note("blocks")
    while True:
        pass

@app.task
def blocks_thread():
    note("blocks")
    while True:
        time.sleep(0.01)

@app.task
async def stubborn():
    note("stubborn")
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass

@app.task
def fails(n):
    raise ValueError(n)

@app.task
async def afails(n):
    await asyncio.sleep(0)
    raise ValueError(n)

@app.task
async def aexits():
    sys.exit("from a coroutine")

@app.task
def die():
    note("dies")
    os._exit(7)

@app.task
def waits():
    note("waits")
    while not os.path.exists("go"):
        time.sleep(0.01)
    return "waited"

@app.task
async def asubtask(n):
    return sum(await asyncio.gather(*(child(i) for i in range(n))))

async def child(i):
    await asyncio.sleep(0.001)
    return i
"""


@pytest.fixture
def tasks(project: Project) -> Project:
    project.write(TASKS)
    return project


def test_thirty_two_threads_sleep_at_once_in_one_child(tasks: Project) -> None:
    worker = tasks.worker("-P", "threads", "-c", "32")
    results = [tasks.send("meets", 32) for _ in range(64)]
    assert all(result.get(timeout=60) for result in results)
    assert len(worker.children()) == 1
    assert worker.stop() == 0


def test_a_thousand_coroutines_sleep_at_once(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "1000")
    results = tasks.send_many("ameets", [(1000,) for _ in range(1000)])
    assert all(result.get(timeout=60) for result in results)
    assert len(worker.children()) == 1
    assert worker.stop() == 0


def test_functions_run_in_threads_of_an_asyncio_child(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "40")
    results = [tasks.send("meets", 40) for _ in range(40)]
    # While all of them block their threads, coroutines run.
    assert all(result.get(timeout=60) for result in results)
    assert tasks.call("aquick", 3) == 3
    assert tasks.call("asubtask", 100) == 4950
    assert worker.stop() == 0


@pytest.mark.parametrize("pool", ["threads", "asyncio", "processes"])
def test_each_call_knows_its_own_request(tasks: Project, pool: str) -> None:
    worker = tasks.worker("-P", pool, "-c", "10")
    plain = [tasks.send("who", n) for n in range(100)]
    coroutines = [tasks.send("awho", n) for n in range(100)]
    assert [result.get(timeout=DEADLINE_SECS)[0] for result in plain] == [result.id for result in plain]
    assert [result.get(timeout=DEADLINE_SECS) for result in coroutines] == [
        [result.id, n] for n, result in enumerate(coroutines)
    ]
    assert worker.stop() == 0


@pytest.mark.parametrize("pool", ["processes", "threads", "asyncio"])
def test_failures_are_their_own(tasks: Project, pool: str) -> None:
    worker = tasks.worker("-P", pool, "-c", "10")
    for task in ("fails", "afails"):
        results = [tasks.send(task, n) for n in range(30)]
        errors = [result.get(timeout=DEADLINE_SECS, propagate=False) for result in results]
        assert [str(error) for error in errors] == [str(n) for n in range(30)]
        lines = (results[0].traceback or "").splitlines()
        assert "tasks.py" in lines[1] and f"in {task}" in lines[1], lines
        assert not any("cardoon/_" in line or "asyncio" in line for line in lines), lines
    for task in ("quick", "aquick"):
        # The call itself was wrong, which no other attempt would mend.
        result = tasks.send(task, 1, 2, 3)
        assert isinstance(result.get(timeout=DEADLINE_SECS, propagate=False), TypeError)
    status, listed = tasks.command("--broker", tasks.broker, "dead", "list")
    assert status == 0 and listed.count("bad-arguments") == 2, listed
    error = tasks.call("aexits")
    assert getattr(error, "kind", "") == "SystemExit"
    assert tasks.call("quick", 1) == 1
    assert worker.stop() == 0


def test_a_coroutine_that_is_cancelled_by_itself_has_failed(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "10")
    for task in ("cancels_itself", "awaits_a_cancelled_future"):
        result = tasks.send(task)
        error = result.get(timeout=DEADLINE_SECS, propagate=False)
        assert "CancelledError" in getattr(error, "kind", "") + type(error).__name__
        assert result.state == "FAILURE"
    assert worker.stop() == 0


def test_a_coroutine_is_cancelled_by_its_soft_limit(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "10")
    error = tasks.call("sleeps", soft_time_limit=0.2)
    assert isinstance(error, SoftTimeLimitExceeded)
    assert tasks.notes() == ["sleeps", "cancelled", "cleaned"]
    assert tasks.call("survives", soft_time_limit=0.2) == "made the best of it"
    assert worker.stop() == 0


def test_a_coroutine_is_ended_by_its_hard_limit_and_others_go_on(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "10")
    (child,) = worker.children()
    waiting = tasks.send("waits")
    tasks.wait_for_notes("waits")
    error = tasks.call("sleeps", time_limit=0.2)
    assert isinstance(error, TimeLimitExceeded)
    (tasks.folder / "go").touch()
    assert waiting.get(timeout=DEADLINE_SECS) == "waited"
    assert worker.children() == [child], "the child lives on"
    assert worker.stop() == 0


def test_a_coroutine_is_revoked_and_cleans_up(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "10")
    result = tasks.send("sleeps")
    tasks.wait_for_notes("sleeps")
    result.revoke()
    error = result.get(timeout=DEADLINE_SECS, propagate=False)
    assert isinstance(error, TaskRevokedError)
    tasks.wait_for_notes("cleaned")
    assert tasks.call("aquick", 1) == 1
    assert worker.stop() == 0


def test_a_coroutine_that_blocks_its_loop_ends_by_its_hard_limit(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "10")
    result = tasks.send("blocks", time_limit=0.3)
    tasks.wait_for_notes("blocks")
    error = result.get(timeout=DEADLINE_SECS, propagate=False)
    assert isinstance(error, TimeLimitExceeded)
    assert tasks.call("aquick", 1) == 1, "the loop is free again"
    assert worker.stop() == 0


def test_a_coroutine_that_ignores_its_cancellation_ends_by_its_hard_limit(tasks: Project) -> None:
    worker = tasks.worker("-P", "asyncio", "-c", "10")
    error = tasks.call("stubborn", time_limit=0.3)
    assert isinstance(error, TimeLimitExceeded)
    assert tasks.call("aquick", 1) == 1
    assert worker.stop() == 0


def test_limits_in_threads_end_the_call_at_once_and_its_thread_with_the_child(tasks: Project) -> None:
    """A thread cannot be ended: the call's end is recorded, and its child is replaced when nothing else runs in it."""
    worker = tasks.worker("-P", "threads", "-c", "4")
    (child,) = worker.children()
    waiting = tasks.send("waits", soft_time_limit=0.2)
    tasks.wait_for_notes("waits")
    error = tasks.call("blocks_thread", time_limit=0.3)
    assert isinstance(error, TimeLimitExceeded)
    assert tasks.call("pid") == child
    (tasks.folder / "go").touch()
    assert waiting.get(timeout=DEADLINE_SECS) == "waited"
    until(lambda: worker.children() not in ([], [child]), "a child without the thread that goes on")
    assert tasks.call("quick", 1) == 1
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


@pytest.mark.parametrize("pool", ["threads", "asyncio"])
def test_a_death_of_the_child_runs_again_what_ran_there(tasks: Project, pool: str) -> None:
    worker = tasks.worker("-P", pool, "-c", "10")
    waiting = [tasks.send("waits") for _ in range(5)]
    until(lambda: tasks.notes().count("waits") == 5, "all run")
    (child,) = worker.children()
    os.kill(child, signal.SIGKILL)
    # One of them is to blame, so they run one after the other.
    until(lambda: tasks.notes().count("waits") > 5, "one runs again")
    (tasks.folder / "go").touch()
    assert [result.get(timeout=DEADLINE_SECS) for result in waiting] == ["waited"] * 5
    assert tasks.notes().count("waits") == 10
    assert tasks.call("quick", 1) == 1
    assert worker.stop() == 0


@pytest.mark.parametrize("pool", ["threads", "asyncio"])
def test_a_task_that_kills_a_child_of_many_is_buried_and_the_others_succeed(tasks: Project, pool: str) -> None:
    worker = tasks.worker("-P", pool, "-c", "4")
    quick = tasks.send_many("quick", [(n,) for n in range(40)])
    dying = tasks.send("die")
    quick += tasks.send_many("quick", [(n,) for n in range(40, 80)])
    error = dying.get(timeout=DEADLINE_SECS, propagate=False)
    assert getattr(error, "kind", "") == "WorkerLost"
    assert [result.get(timeout=DEADLINE_SECS) for result in quick] == list(range(80))
    assert worker.stop() == 0


@pytest.mark.parametrize("pool", ["threads", "asyncio"])
def test_pools_of_many_drain(tasks: Project, pool: str) -> None:
    worker = tasks.worker("-P", pool, "-c", "4")
    running = [tasks.send("waits") for _ in range(4)]
    until(lambda: tasks.notes().count("waits") == 4, "all run")
    queued = tasks.send_many("quick", [(n,) for n in range(20)])
    worker.signal(signal.SIGTERM)
    worker.wait_for_log("draining")
    (tasks.folder / "go").touch()
    assert worker.wait() == 0
    assert [result.get(timeout=10) for result in running] == ["waited"] * 4
    tasks.worker("-P", pool, "-c", "4")
    assert [result.get(timeout=DEADLINE_SECS) for result in queued] == list(range(20))
