"""A task that kills, corrupts or floods its child costs only itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from cardoon import AsyncResult
from helpers.processes import gone, is_alive
from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

TASKS = """
import ctypes, signal, threading

@app.task
def quick(n):
    return n * 2

@app.task
def pid():
    return os.getpid()

@app.task
def segfault():
    note("ran")
    ctypes.string_at(0)

@app.task
def kill():
    note("ran")
    os.kill(os.getpid(), signal.SIGKILL)

@app.task
def abort():
    note("ran")
    os.abort()

@app.task
def leave():
    note("ran")
    os._exit(3)

@app.task
def leave_well():
    note("ran")
    os._exit(0)

@app.task
def close_most():
    note("ran")
    os.closerange(3, 65536)

@app.task
def close_all():
    note("ran")
    os.closerange(0, 65536)

@app.task
def close_and_open():
    note("ran")
    os.closerange(3, 65536)
    for number in range(40):
        os.open("/dev/null", os.O_RDWR)

@app.task
def terminate():
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    return "lives"

@app.task
def exit():
    note("ran")
    sys.exit("enough")

@app.task
def interrupt():
    note("ran")
    raise KeyboardInterrupt

@app.task
def generator_exit():
    note("ran")
    raise GeneratorExit("x")

@app.task
def fork_and_return():
    note("ran")
    if os.fork() == 0:
        return "from the grandchild"
    os.wait()
    return "from the child"

@app.task
def fork_and_raise():
    note("ran")
    if os.fork() == 0:
        raise RuntimeError("in the grandchild")
    os.wait()
    return "from the child"

@app.task
def fork_and_die():
    note("ran")
    if (grandchild := os.fork()) == 0:
        time.sleep(600)
        os._exit(0)
    note("grandchild", grandchild)
    os.kill(os.getpid(), signal.SIGKILL)

@app.task
def fork_and_leave():
    # A process that outlives its parent and holds all it had open.
    if (grandchild := os.fork()) == 0:
        time.sleep(600)
        os._exit(0)
    return grandchild

@app.task
def thread_kills():
    threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    time.sleep(60)

@app.task
def memory():
    # What the kernel does when memory ends.
    blob = bytearray(64 << 20)
    os.kill(os.getpid(), signal.SIGKILL)

@app.task
def hang():
    note("hangs", os.getpid())
    time.sleep(600)
"""

#: What a program finds that it does with signals.
DISPOSITIONS = "import signal; print([signal.getsignal(n) in (0, signal.default_int_handler) for n in (2, 10, 15)])"


def between(project: Project, task: str, count: int = 200) -> tuple[AsyncResult[object], list[AsyncResult[object]]]:
    """Sends ``task`` in the middle of many quick ones."""
    before = project.send_many("quick", [(n,) for n in range(count // 2)])
    middle = project.send(task)
    after = project.send_many("quick", [(n,) for n in range(count // 2, count)])
    return middle, before + after


def assert_all_succeed(results: list[AsyncResult[object]]) -> None:
    values = [result.get(timeout=DEADLINE_SECS, propagate=False) for result in results]
    assert values == [n * 2 for n in range(len(results))]


@pytest.mark.parametrize(
    ("task", "how"),
    [
        ("segfault", "signal 11"),
        ("kill", "signal 9"),
        ("abort", "signal 6"),
        ("leave", "exit status 3"),
        ("leave_well", "exit status 0"),
        ("close_most", "signal 9"),
        ("close_all", "signal 9"),
        ("close_and_open", "signal 9"),
        ("memory", "signal 9"),
        ("thread_kills", "signal 9"),
        ("fork_and_die", "signal 9"),
    ],
)
def test_a_task_that_kills_its_child_is_tried_three_times_and_costs_no_other(
    project: Project, task: str, how: str
) -> None:
    project.write(TASKS)
    killing, others = between(project, task)
    worker = project.worker()
    error = killing.get(timeout=DEADLINE_SECS, propagate=False)
    assert getattr(error, "kind", None) == "WorkerLost", repr(error)
    assert how in str(error)
    assert_all_succeed(others)
    if task not in ("memory", "thread_kills"):
        assert project.notes().count("ran") == 3
    for line in project.notes():
        if line.startswith("grandchild"):
            os.kill(int(line.split()[1]), signal.SIGKILL)
    dead, listed = project.command("--broker", project.broker, "dead", "list")
    assert dead == 0 and f"tasks.{task}" in listed, listed
    assert project.call("quick", 4) == 8
    assert worker.stop() == 0


@pytest.mark.parametrize(
    ("task", "kind"),
    [("exit", "SystemExit"), ("interrupt", "KeyboardInterrupt"), ("generator_exit", "GeneratorExit")],
)
def test_what_would_end_a_program_ends_only_the_call(project: Project, task: str, kind: str) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    before = project.call("pid")
    ending, others = between(project, task, 40)
    assert getattr(ending.get(timeout=DEADLINE_SECS, propagate=False), "kind", None) == kind
    assert_all_succeed(others)
    assert project.notes().count("ran") == 1
    assert project.call("pid") == before, "the child lives on"
    assert worker.stop() == 0


def test_a_child_that_is_asked_to_end_by_others_lives(project: Project) -> None:
    project.write(TASKS)
    project.worker()
    assert project.call("terminate") == "lives"


@pytest.mark.parametrize("task", ["fork_and_return", "fork_and_raise"])
def test_a_forked_process_that_comes_back_from_the_task_says_nothing(project: Project, task: str) -> None:
    project.write(TASKS)
    worker = project.worker()
    forking, others = between(project, task, 40)
    assert forking.get(timeout=DEADLINE_SECS) == "from the child"
    assert_all_succeed(others)
    assert project.notes().count("ran") == 1
    assert worker.stop() == 0


def test_a_forked_process_that_outlives_its_child_hides_no_death(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    grandchild = project.call("fork_and_leave")
    try:
        hanging = project.send("hang")
        until(lambda: [line for line in project.notes() if line.startswith("hangs")], "the task runs")
        child = int(project.notes()[0].split()[1])
        # The grandchild holds the socket, so that only the kernel's handle of the process shows the death.
        os.kill(child, signal.SIGKILL)
        until(lambda: project.notes().count(f"hangs {child}") < len(project.notes()), "the task runs again")
        assert is_alive(grandchild)
        hanging.revoke()
        assert project.call("quick", 1) == 2
        assert worker.stop() == 0
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_dead_child_is_replaced_at_once_also_when_it_is_idle(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    for _ in range(5):
        for child in (before := worker.children()):
            os.kill(child, signal.SIGKILL)
        until(lambda: len(set(worker.children()) - set(before)) == 2, "two new children")
        assert project.call("quick", 3) == 6
    assert worker.stop() == 0


def test_a_dead_zygote_is_replaced_and_its_children_go_on(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    children = worker.children()
    zygote = min(set(worker.family()) - set(children))
    os.kill(zygote, signal.SIGKILL)
    assert project.call("pid") in children
    for child in children:
        os.kill(child, signal.SIGKILL)
    until(lambda: len(worker.children()) == 2, "two children of the next zygote")
    assert project.call("pid") not in children
    assert worker.stop() == 0


@pytest.mark.parametrize("busy", ["loop", "sleep", "c_call", "holds_everything", "idle"])
def test_nothing_is_left_of_a_killed_worker(project: Project, busy: str) -> None:
    project.write(
        """
        import ctypes

        @app.task
        def loop():
            note("runs")
            while True:
                pass

        @app.task
        def sleep():
            note("runs")
            time.sleep(600)

        @app.task
        def c_call():
            note("runs")
            # With the interpreter's lock held, so that no thread of Python could run.
            ctypes.PyDLL(None).sleep(600)

        @app.task
        def holds_everything():
            import signal
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            note("runs")
            while True:
                pass
        """
    )
    worker = project.worker()
    if busy != "idle":
        project.send(busy)
        project.send(busy)
        until(lambda: len(project.notes()) == 2, "both run")
    until(lambda: len(worker.family()) == 4, "the zygote, two children and a spare")
    family = worker.family()
    worker.kill()
    took = gone(family, 10.0)
    assert took is not None, "orphans"
    print(f"gone after {took * 1000:.1f} ms")


def test_nothing_is_left_of_a_worker_killed_while_it_imports(project: Project) -> None:
    project.write("note('imports', os.getpid())\nwhile True: pass\n")
    worker = project.worker(wait=False)
    until(project.notes, "the import begins")
    zygote = int(project.notes()[0].split()[1])
    worker.kill()
    try:
        assert gone([zygote], 10.0) is not None
    finally:
        if is_alive(zygote):
            os.kill(zygote, signal.SIGKILL)


def test_a_spare_child_that_dies_is_not_given_out(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    until(lambda: len(worker.family()) == 4, "the zygote, two children and a spare")
    (spare,) = set(worker.family()) - set(worker.children()) - {min(worker.family())}
    os.kill(spare, signal.SIGKILL)
    for child in (children := worker.children()):
        os.kill(child, signal.SIGKILL)
    until(lambda: len(set(worker.children()) - set(children)) == 2, "two new children")
    assert project.call("pid") not in (*children, spare)
    assert worker.stop() == 0


def test_a_worker_whose_starter_dies_can_be_ended_by_its_group(project: Project) -> None:
    """Children stay in the worker's process group, so that a shell's job control reaches them."""
    project.write(TASKS)
    worker = project.worker()
    groups = {os.getpgid(pid) for pid in [worker.pid, *worker.family()]}
    assert len(groups) == 1


def test_tasks_may_run_programs_and_other_processes(project: Project) -> None:
    project.write(
        """
        import multiprocessing, signal, subprocess

        def square(n):
            return n * n

        def wait(_):
            time.sleep(600)

        @app.task
        def pool(method):
            with multiprocessing.get_context(method).Pool(2) as pool:
                return pool.map(square, range(10))

        @app.task
        def terminated():
            # Processes that are at work when they are told to end.
            pool = multiprocessing.get_context("fork").Pool(2)
            pool.map_async(wait, range(2))
            process = multiprocessing.get_context("fork").Process(target=wait, args=(0,))
            process.start()
            process.terminate()
            process.join(20)
            pool.terminate()
            pool.join()
            return process.exitcode

        @app.task
        def executor():
            from concurrent.futures import ProcessPoolExecutor
            with ProcessPoolExecutor(2) as executor:
                return list(executor.map(square, range(5)))

        @app.task
        def program():
            return subprocess.run([sys.executable, "-c", "print(1 + 1)"], capture_output=True, text=True).stdout

        @app.task
        def dispositions():
            return subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True).stdout
        """.replace("PROGRAM", repr(DISPOSITIONS))
    )
    worker = project.worker()
    squares = [n * n for n in range(10)]
    assert project.call("pool", "fork") == squares
    assert project.call("pool", "spawn") == squares
    assert project.call("pool", "forkserver") == squares
    assert project.call("executor") == squares[:5]
    assert project.call("program") == "2\n"
    assert project.call("terminated") == -signal.SIGTERM
    usual = subprocess.run([sys.executable, "-c", DISPOSITIONS], capture_output=True, text=True, check=True).stdout
    assert project.call("dispositions") == usual
    assert worker.stop() == 0
