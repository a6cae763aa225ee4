"""What a worker must do in corners that are hard to reach: full lines, calls that end in odd ways, children that do not obey."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from cardoon import AsyncResult
from helpers.project import Project
from helpers.redis import Redis
from helpers.waiting import DEADLINE_SECS, until

WORDS = """
@app.task
def echo(text):
    return text

@app.task
def ping(number):
    return number
"""

POOLS = [("processes", "2"), ("threads", "8"), ("asyncio", "16")]


@pytest.mark.parametrize(("pool", "slots"), POOLS, ids=[pool for pool, _ in POOLS])
def test_large_calls_and_large_results_pass_each_other(project: Project, pool: str, slots: str) -> None:
    project.write(WORDS)
    text = "x" * 800_000
    results: list[tuple[AsyncResult[Any], object]] = []
    for number in range(40):
        results.append((project.send("echo", text), text))
        results += [(project.send("ping", number), number) for _ in range(2)]
    project.worker("-P", pool, "-c", slots)
    for result, value in results:
        assert result.get(timeout=DEADLINE_SECS) == value


@pytest.mark.parametrize("pool", ["threads", "asyncio"])
def test_a_task_that_kills_a_child_of_one_lane_is_blamed(project: Project, pool: str) -> None:
    project.write("@app.task\ndef die():\n    note('die')\n    os._exit(3)\n")
    project.worker("-P", pool, "-c", "1")
    assert project.call("die").__class__.__name__ == "WorkerLostError"
    assert project.notes() == ["die"] * 3


def test_an_early_task_begins_once_though_its_child_dies_before_it_says_so(project: Project) -> None:
    project.write("""
        @app.task(acks_late=False)
        def early(number, die):
            note(number)
            if die:
                os.kill(os.getpid(), 9)
    """)
    project.worker("-c", "1")
    calls = [(turn * 100 + number, number == 15) for turn in range(12) for number in range(30)]
    results = project.send_many("early", calls)
    until(lambda: all(result.ready() for result in results), "the ends of all")
    notes = project.notes()
    assert len(notes) == len(set(notes)), "one began twice"
    for result, (number, die) in zip(results, calls):
        assert die or str(number) in notes or result.failed()


def test_an_early_task_that_waits_for_a_child_when_its_worker_dies_runs_in_another_one(project: Project) -> None:
    project.write("""
        def is_first(place):
            try:
                open(place, "x").close()
            except FileExistsError:
                return False
            return True

        # The zygote and one child import at once; the other child is not there before its worker's death.
        if os.environ.get("SLOW") and not is_first("zygote") and not is_first("child"):
            time.sleep(60)

        @app.task(acks_late=False)
        def early(secs):
            note(f"begins {secs}")
            time.sleep(secs)
    """)
    worker = project.worker("--start-method", "spawn", "-c", "2", wait=False, env={"SLOW": "1"})
    project.send("early", 20)
    project.wait_for_notes("begins 20")
    waiting = project.send("early", 0)
    until(lambda: waiting.state != "PENDING", "the worker has it")
    worker.kill()
    project.worker("-c", "2")
    until(waiting.ready, f"its end, it is {waiting.state}")
    assert waiting.successful() and "begins 0" in project.notes()


ODD = """
import dataclasses

@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    code: int

class Grows:
    def __init__(self, all):
        self.all = all
    def __json__(self):
        self.all[len(self.all)] = 1
        return 1

class Unspeakable(Exception):
    def __str__(self):
        raise SystemExit("not even this")

@app.task
def frozen():
    raise Frozen(3)

@app.task
def grows():
    all = {}
    all["a"] = all["b"] = Grows(all)
    return all

@app.task
def rejects():
    raise Reject("no", requeue=0)

@app.task
def unspeakable():
    raise Unspeakable

@app.task
def long_message():
    raise ValueError("x" * 10_000_000)

@app.task
def large():
    return "x" * 20_000_000

@app.task
def pid():
    return os.getpid()
"""


@pytest.mark.parametrize("pool", ["processes", "threads", "asyncio"])
def test_calls_that_end_in_odd_ways_end_and_cost_no_child(project: Project, pool: str) -> None:
    project.write(ODD)
    project.worker("-P", pool, "-c", "1")
    child = project.call("pid")

    def failed(task: str) -> str:
        ended = project.call(task)
        assert isinstance(ended, BaseException), ended
        return f"{type(ended).__name__} {ended}"

    assert "Frozen" in failed("frozen")
    assert project.call("grows") == {"a": 1, "b": 1}
    assert "TaskRejectedError" in failed("rejects")
    assert failed("unspeakable")
    assert len(failed("long_message")) < 100_000
    assert "the return value has 20000002 bytes" in failed("large")
    assert project.call("pid") == child


def words_that_wait(child: int) -> int:
    """How many words of its worker a child has heard since its loop looked the last time."""
    folder = Path(f"/proc/{child}/fdinfo")
    counts = (re.search(r"^eventfd-count: *(\w+)$", one.read_text(), re.MULTILINE) for one in folder.iterdir())
    return sum(int(count[1], 16) for count in counts if count)


def test_a_coroutine_that_is_revoked_before_its_first_step_costs_no_other_one(project: Project) -> None:
    project.write("""
        import asyncio

        @app.task
        async def sleep(secs):
            note(f"sleeps {secs}")
            await asyncio.sleep(secs)
            return secs

        @app.task
        async def block(path):
            note("blocks")
            while not os.path.exists(path):
                time.sleep(0.01)
    """)
    worker = project.worker("-P", "asyncio", "-c", "8")
    neighbours = [project.send("sleep", 8 + number) for number in range(3)]
    project.wait_for_notes("sleeps 8", "sleeps 9", "sleeps 10")
    blocking = project.send("block", str(project.folder / "go"))
    project.wait_for_notes("blocks")
    (child,) = worker.children()
    heard = words_that_wait(child)
    victim = project.send("sleep", 1)
    until(lambda: words_that_wait(child) == heard + 1, "its child has it")
    victim.revoke()
    until(lambda: words_that_wait(child) == heard + 2, "its child has heard that it is revoked")
    (project.folder / "go").touch()
    blocking.get(timeout=DEADLINE_SECS)
    until(victim.ready, f"its end, it is {victim.state}")
    assert [result.get(timeout=DEADLINE_SECS) for result in neighbours] == [8, 9, 10]
    assert sorted(project.notes()) == sorted(["sleeps 8", "sleeps 9", "sleeps 10", "blocks"])
    assert worker.stop() == 0


def test_threads_of_a_loop_that_overrun_their_limit_do_not_use_up_its_lanes(project: Project) -> None:
    project.write("""
        @app.task(time_limit=0.5)
        def stuck():
            time.sleep(300)

        @app.task
        def quick():
            return "quick"
    """)
    project.worker("-P", "asyncio", "-c", "2")
    stuck = [project.send("stuck") for _ in range(2)]
    for result in stuck:
        assert type(result.get(timeout=DEADLINE_SECS, propagate=False)).__name__ == "TimeLimitExceeded"
    assert project.call("quick") == "quick"


def test_children_that_do_not_end_when_they_are_told_to_are_killed(project: Project) -> None:
    project.write("import atexit\n\n@app.task\ndef hang():\n    atexit.register(time.sleep, 1000)\n    return os.getpid()\n")
    worker = project.worker("--max-tasks-per-child", "1", "-c", "1")
    pids = [project.call("hang") for _ in range(3)]
    until(lambda: not set(pids) & set(worker.family()), "the end of those that hang", deadline_secs=25)


def test_progress_said_in_a_process_that_a_task_forks_does_it_no_harm(project: Project) -> None:
    project.write("""
        import multiprocessing

        def inner():
            forks.update_state(state="INNER")

        @app.task
        def forks():
            process = multiprocessing.get_context("fork").Process(target=inner)
            process.start()
            process.join()
            return process.exitcode
    """)
    project.worker("-c", "1")
    assert project.call("forks") == 0


def test_what_a_second_signal_ends_in_threads_does_not_run_in_two_workers_at_once(project: Project) -> None:
    project.write("""
        @app.task
        def ticks():
            while not os.path.exists("go"):
                note(os.getppid(), time.monotonic_ns())
                time.sleep(0.01)
    """)
    first = project.worker("-P", "threads", "-c", "2")
    result = project.send("ticks")
    until(project.notes, "its first tick")
    second = project.worker("-P", "threads", "-c", "2")
    first.signal(signal.SIGTERM)
    first.wait_for_log("draining")
    first.signal(signal.SIGTERM)
    first.wait()
    until(lambda: project.notes()[-1].startswith(f"{second.pid} "), "a tick in the other worker")
    (project.folder / "go").touch()
    result.get(timeout=DEADLINE_SECS)
    ticks: dict[str, list[int]] = {}
    for line in project.notes():
        pid, at = line.split()
        ticks.setdefault(pid, []).append(int(at))
    assert set(ticks) == {str(first.pid), str(second.pid)}
    assert max(ticks[str(first.pid)]) < min(ticks[str(second.pid)])


def buries_what_kills_its_worker(project: Project) -> None:
    project.write("@app.task\ndef kill():\n    note('kill')\n    os.kill(os.getppid(), 9)\n    time.sleep(5)\n")
    result = project.send("kill")
    for _ in range(6):
        worker = project.worker("-c", "1", wait=False)
        until(lambda: worker.process.poll() is not None or result.ready(), "the worker's death", deadline_secs=40)
        if result.ready():
            break
    assert result.ready() and type(result.get(propagate=False)).__name__ == "WorkerLostError"
    # The first death may be too quick to be noticed.
    assert 3 <= project.notes().count("kill") <= 4


def test_a_task_that_kills_its_worker_at_once_is_buried_on_sqlite(project: Project) -> None:
    buries_what_kills_its_worker(project)


def test_a_task_that_kills_its_worker_at_once_is_buried_on_redis(tmp_path: Path, redis_server: Redis) -> None:
    project = Project(tmp_path, redis_server.url)
    try:
        buries_what_kills_its_worker(project)
    finally:
        project.close()


def test_an_import_that_fails_for_a_while_does_not_end_a_worker_that_runs(project: Project) -> None:
    project.write("""
        if os.path.exists("broken"):
            raise ConnectionError("the database is away")

        @app.task
        def pid():
            return os.getpid()

        @app.task
        def die():
            os._exit(1)
    """)
    worker = project.worker("--start-method", "spawn", "-c", "1")
    before = project.call("pid")
    (project.folder / "broken").touch()
    os.kill(before, signal.SIGKILL)
    worker.wait_for_log("the database is away")
    (project.folder / "broken").unlink()
    assert project.call("pid") != before
    assert worker.stop() == 0


def test_a_line_that_names_another_call_is_not_shown_as_its(project: Project) -> None:
    project.write("""
        from cardoon._core import MARK

        @app.task
        def liar():
            for tag in range(200):
                os.write(1, f"{MARK}{tag}\\nnot mine\\n".encode())

        @app.task
        def honest(path):
            print("mine", flush=True)
            while not os.path.exists(path):
                time.sleep(0.01)
    """)
    worker = project.worker("-c", "2")
    honest = project.send("honest", str(project.folder / "go"))
    worker.wait_for_log("mine")
    liar = project.send("liar")
    liar.get(timeout=DEADLINE_SECS)
    (project.folder / "go").touch()
    honest.get(timeout=DEADLINE_SECS)
    until(lambda: len([line for line in worker.output() if line[1] == "not mine"]) >= 100, "what it printed")
    assert not [line for line in worker.output() if line == (honest.id, "not mine")]


def test_a_child_whose_imports_are_too_large_already_is_not_replaced_again_and_again(project: Project) -> None:
    project.write("@app.task\ndef pid():\n    return os.getpid()\n")
    worker = project.worker("--max-memory-per-child", "1000", "-c", "1")
    pids = []
    for _ in range(3):
        (child,) = until(lambda: [pid for pid in worker.children() if pid not in pids], "a child that has run nothing")
        pids.append(project.call("pid"))
        assert pids[-1] == child
        until(lambda: len(worker.lines("has grown")) == len(pids), "its replacement, and no other")


def test_to_revoke_what_has_just_ended_costs_nobody(project: Project) -> None:
    project.write("""
        @app.task
        def short(number):
            note(number)
    """)
    project.worker("-c", "1")
    for turn in range(20):
        results = project.send_many("short", [(turn * 20 + number,) for number in range(20)])
        for result in results:
            result.revoke()
    until(lambda: all(result.ready() for result in results), "the ends of all")
    notes = project.notes()
    assert len(notes) == len(set(notes))


def test_progress_of_a_task_that_leaves_no_result_is_gone_with_it(tmp_path: Path, redis_server: Redis) -> None:
    project = Project(tmp_path, redis_server.url)
    try:
        project.write("""
            @app.task(bind=True, ignore_result=True)
            def says(self, number):
                self.update_state(state="PROGRESS", meta={"at": number})
                if number % 10 == 0:
                    time.sleep(0.2)
                note(number)
        """)
        project.worker("-c", "2")
        results = [project.send("says", number) for number in range(60)]
        until(lambda: len(project.notes()) == 60, "all of them have run")
        until(lambda: {result.state for result in results} <= {"PENDING", "SUCCESS"}, "nothing is said any more")
    finally:
        project.close()


def test_spare_children_that_die_leave_nothing_behind(project: Project) -> None:
    project.write("@app.task\ndef pid():\n    return os.getpid()\n")
    worker = project.worker("-c", "1")

    def files() -> int:
        return len(os.listdir(f"/proc/{min(worker.family())}/fd"))

    until(lambda: len(worker.family()) == 3, "the zygote, a child and a spare")
    before = files()
    for _ in range(4):
        (child,) = worker.children()
        (spare,) = set(worker.family()) - {child, min(worker.family())}
        os.kill(spare, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
        until(lambda: worker.children() not in ([], [child]), "the next child")
        until(lambda: len([pid for pid in worker.family() if pid != spare]) == 3, "the next spare")
    # What a new spare has from its making is closed soon, and a leak stays.
    until(lambda: files() <= before, "no file that is left open")


def test_a_worker_takes_from_the_queues_that_the_application_names(project: Project) -> None:
    project.write("""
        app.conf.task_queues = ("celery", "low")
        app.conf.task_routes = {"tasks.slow": "low"}

        @app.task
        def slow():
            return "done"
    """)
    project.worker("-c", "1")
    assert project.send("slow", queue="low").get(timeout=DEADLINE_SECS) == "done"
