"""Workers and children are killed at random under load, and no task is lost."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

from cardoon import AsyncResult
from cardoon.exceptions import WorkerLostError
from helpers.project import Project, Worker
from helpers.redis import Redis
from helpers.waiting import until

#: The soak asks for more.
KILLS = int(os.environ.get("CHAOS_KILLS", "30"))
TASKS = KILLS * 2000 // 30
SEED = 20261128

SOURCE = """
@app.task
def work(n):
    with open("done", "ab", buffering=0) as done:
        done.write(b"%d\\n" % n)
    if n % 10 == 0:
        time.sleep(0.01)
    return n

@app.task
def forgets(n):
    # The positive control: acknowledged before it runs, so that a death loses it.
    note(n)
    while not os.path.exists("go"):
        time.sleep(0.01)
    with open("done", "ab", buffering=0) as done:
        done.write(b"%d\\n" % n)
forgets.acks_late = False
"""


def done(project: Project) -> list[int]:
    try:
        return [int(line) for line in (project.folder / "done").read_text().split()]
    except FileNotFoundError:
        return []


def wait_for_done(project: Project, count: int) -> None:
    until(lambda: len(done(project)) >= count, f"{count} runs", 60)


def kill_at_random(project: Project, draw: random.Random, total: int, kills: int) -> dict[str, int]:
    """Kills children, and each fourth time a whole worker, spread over the load."""
    workers: list[Worker] = [project.worker() for _ in range(2)]
    killed = {"children": 0, "workers": 0}
    for number in range(kills):
        wait_for_done(project, int((number + draw.random()) / kills * 0.9 * total))
        place = draw.randrange(2)
        worker = workers[place]
        children = worker.children()
        if number % 4 == 3 or not children:
            worker.kill()
            workers[place] = project.worker(wait=False)
            killed["workers"] += 1
            continue
        try:
            os.kill(draw.choice(children), signal.SIGKILL)
            killed["children"] += 1
        except ProcessLookupError:
            pass
    return killed


def assert_nothing_is_lost(project: Project) -> None:
    project.write(SOURCE)
    results: list[AsyncResult[object]] = project.send_many("work", [(n,) for n in range(TASKS)])
    killed = kill_at_random(project, random.Random(SEED), TASKS, KILLS)
    values = [result.get(timeout=60, propagate=False) for result in results]
    # A task that was under way at three of the kills is buried, and its record says so: it has run, and is not lost.
    buried = [n for n, value in enumerate(values) if isinstance(value, WorkerLostError)]
    assert [n for n, value in enumerate(values) if value != n] == buried, "each has its own result"
    assert len(buried) <= KILLS // 3
    ran = done(project)
    lost = set(range(TASKS)) - set(ran)
    print(f"{killed}; {len(ran) - TASKS} of {TASKS} ran again; lost {len(lost)}, buried {len(buried)}")
    assert not lost
    # At least once, and hardly more: only what a dying process had begun, or ended and not yet said, runs again.
    assert len(ran) - TASKS <= 64 * KILLS
    assert sum(killed.values()) >= KILLS - 2


def test_no_task_is_lost_on_sqlite(project: Project) -> None:
    assert_nothing_is_lost(project)


def test_no_task_is_lost_on_redis(tmp_path: Path, redis_server: Redis) -> None:
    project = Project(tmp_path, redis_server.url)
    try:
        assert_nothing_is_lost(project)
    finally:
        project.close()


def test_a_loss_would_be_seen(project: Project) -> None:
    """With acknowledgement before the run, deaths lose tasks, and this count finds it."""
    project.write(SOURCE)
    project.send_many("forgets", [(n,) for n in range(20)])
    worker = project.worker()
    until(lambda: len(project.notes()) == 2, "each child is in the middle of a task")
    begun = {int(note) for note in project.notes()}
    for child in worker.children():
        os.kill(child, signal.SIGKILL)
    (project.folder / "go").touch()
    until(lambda: set(range(20)) - set(done(project)) == begun, "all have run but the two that were under way", 60)


def test_a_task_that_kills_every_worker_is_buried(project: Project) -> None:
    # Not before its worker has noted that the task has begun: only then can the next one blame it.
    project.write(
        """
        import signal

        @app.task
        def killer():
            note("ran")
            death = f"death {len(open('notes').readlines())}"
            while not os.path.exists(death):
                time.sleep(0.01)
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        """
    )
    result = project.send("killer")
    for number in range(1, 4):
        worker = project.worker(wait=False)
        until(lambda: len(project.notes()) == number, f"run {number}; the log: {worker.log()}")
        until(lambda: result.state == "STARTED", "the worker knows that it runs")
        (project.folder / f"death {number}").touch()
        assert worker.wait() == -signal.SIGKILL
    project.worker()
    error = result.get(timeout=60, propagate=False)
    assert getattr(error, "kind", "") == "WorkerLost" and "3 workers died" in str(error)
    assert project.notes() == ["ran"] * 3
