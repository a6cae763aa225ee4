"""How a worker ends, and how tasks are called back."""

from __future__ import annotations

import os
import signal

import pytest

from cardoon.exceptions import TaskError, TaskRevokedError
from helpers.processes import gone, is_alive
from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

TASKS = """
import atexit, signal

@atexit.register
def goodbye():
    note("goodbye", os.getpid())

@app.task
def quick(n):
    note("quick", n)
    return n

@app.task
def waits(n):
    note("begins", n)
    while not os.path.exists("go"):
        time.sleep(0.01)
    note("ends", n)
    return n

@app.task(bind=True)
def seen(self, n):
    note("seen", n, self.request.retries, self.request.delivery_info["redelivered"])
    return n

@app.task
def long():
    note("long", os.getpid())
    time.sleep(600)

@app.task
def busy():
    note("busy", os.getpid())
    while True:
        pass
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_finishes_what_runs_and_leaves_the_rest(
    project: Project, number: signal.Signals
) -> None:
    project.write(TASKS)
    worker = project.worker()
    running = [project.send("waits", n) for n in range(2)]
    project.wait_for_notes("begins 0", "begins 1")
    waiting = project.send_many("seen", [(n,) for n in range(50)])
    worker.signal(number)
    worker.wait_for_log("draining")
    assert worker.process.poll() is None
    (project.folder / "go").touch()
    assert worker.wait() == (130 if number == signal.SIGINT else 0)
    assert [result.get(timeout=10) for result in running] == [0, 1]
    assert not [line for line in project.notes() if line.startswith("seen")]
    project.worker()
    assert [result.get(timeout=DEADLINE_SECS) for result in waiting] == list(range(50))
    # What was not begun was not touched: no attempt is used up, and no copy came into being.
    seen = [line for line in project.notes() if line.startswith("seen")]
    assert len(seen) == 50 and all(line.split()[2] == "0" for line in seen)


def test_a_second_signal_hands_back_what_runs(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    results = [project.send("waits", n) for n in range(2)]
    project.wait_for_notes("begins 0", "begins 1")
    family = worker.family()
    worker.signal(signal.SIGTERM)
    worker.wait_for_log("draining")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert gone(family, 10.0) is not None
    (project.folder / "go").touch()
    project.worker()
    assert [result.get(timeout=DEADLINE_SECS) for result in results] == [0, 1]


@pytest.mark.parametrize("task", ["long", "busy"])
def test_the_grace_of_a_stop_is_limited(project: Project, task: str) -> None:
    project.write(TASKS)
    worker = project.worker("--grace", "300ms")
    result = project.send(task)
    until(project.notes, "it runs")
    assert worker.stop() == 0
    assert not result.ready(), "it is handed back, not failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_reaches_no_running_task(project: Project, number: signal.Signals) -> None:
    """Ctrl-C in a terminal, and what systemd does to a service."""
    project.write(TASKS)
    worker = project.worker(start_new_session=True)
    running = [project.send("waits", n) for n in range(2)]
    project.wait_for_notes("begins 0", "begins 1")
    assert {os.getpgid(pid) for pid in worker.family()} == {worker.pid}
    os.killpg(worker.pid, number)
    worker.wait_for_log("draining")
    (project.folder / "go").touch()
    assert worker.wait() == (130 if number == signal.SIGINT else 0)
    assert [result.get(timeout=10) for result in running] == [0, 1]
    assert sorted(line for line in project.notes() if line.startswith("begins")) == ["begins 0", "begins 1"]


def test_children_end_as_programs_do(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    project.call("quick", 1)
    children = worker.children()
    assert worker.stop() == 0
    assert {f"goodbye {child}" for child in children} <= set(project.notes())


def test_an_idle_worker_ends_at_once_and_leaves_nothing(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    family = worker.family()
    assert worker.stop() == 0
    assert gone(family, 10.0) is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_still_imports_ends_when_it_is_told(project: Project, number: signal.Signals) -> None:
    project.write("note('imports', os.getpid())\ntime.sleep(600)\n")
    worker = project.worker(wait=False, start_new_session=True)
    until(project.notes, "the import begins")
    zygote = int(project.notes()[0].split()[1])
    worker.signal(number)
    assert worker.wait() in (0, 130)
    assert gone([zygote], 10.0) is not None


def test_a_task_that_waits_is_revoked(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    project.send("waits", 0)
    project.wait_for_notes("begins 0")
    results = project.send_many("quick", [(n,) for n in range(5)])
    results[2].revoke()
    until(lambda: results[2].state == "REVOKED", f"the worker has heard it, it is {results[2].state}")
    (project.folder / "go").touch()
    error = results[2].get(timeout=DEADLINE_SECS, propagate=False)
    assert isinstance(error, TaskError) and results[2].state == "REVOKED"
    assert [results[n].get(timeout=DEADLINE_SECS) for n in (0, 1, 3, 4)] == [0, 1, 3, 4]
    assert "quick 2" not in project.notes()
    assert worker.stop() == 0


@pytest.mark.parametrize("task", ["long", "busy"])
def test_a_task_that_runs_is_revoked_and_its_child_replaced(project: Project, task: str) -> None:
    project.write(TASKS)
    worker = project.worker()
    result = project.send(task)
    until(project.notes, "it runs")
    child = int(project.notes()[0].split()[1])
    result.revoke(terminate=True)
    error = result.get(timeout=DEADLINE_SECS, propagate=False)
    assert isinstance(error, TaskRevokedError) and result.state == "REVOKED"
    until(lambda: not is_alive(child), "the child is gone")
    assert project.call("quick", 1) == 1
    assert len([line for line in project.notes() if line.startswith(task)]) == 1
    until(lambda: len(worker.children()) == 2, "there are two children again")
    assert worker.stop() == 0


def test_neighbours_of_a_revoked_task_run_once(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    for result in project.send_many("quick", [(n,) for n in range(100)]):
        result.get(timeout=DEADLINE_SECS)
    first = project.send_many("quick", [(n,) for n in range(100, 200)])
    result = project.send("long")
    rest = project.send_many("quick", [(n,) for n in range(200, 300)])
    until(lambda: [line for line in project.notes() if line.startswith("long")], "it runs")
    result.revoke()
    assert [other.get(timeout=DEADLINE_SECS) for other in first + rest] == list(range(100, 300))
    quick = [line for line in project.notes() if line.startswith("quick")]
    assert len(quick) == len(set(quick)) == 300
    assert worker.stop() == 0
