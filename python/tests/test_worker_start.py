"""How a worker starts, and what it says if it cannot."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.project import Project
from helpers.waiting import DEADLINE_SECS, until

TASK = "@app.task\ndef pid():\n    return os.getpid()\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def broken(:\n    pass\n", ["SyntaxError", "def broken(:", "tasks.py"]),
        ("def load():\n    return 1 / 0\nload()\n", ["ZeroDivisionError", "in load", "tasks.py"]),
        ("import helper_module\n", ["ZeroDivisionError", "helper_module.py", "tasks.py"]),
        ("import not_to_be_found\n", ["ModuleNotFoundError", "not_to_be_found", "tasks.py"]),
        ("sys.exit('no database')\n", ["SystemExit", "no database", "tasks.py"]),
        ("raise KeyboardInterrupt\n", ["KeyboardInterrupt", "tasks.py"]),
        ("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd\n", ["Odd", "tasks.py"]),
        ("app.conf.include = ['helper_module']\n", ["ZeroDivisionError", "helper_module.py"]),
        ("app.conf.include = ['not_to_be_found']\n", ["ModuleNotFoundError", "not_to_be_found"]),
        ("\n@app.task(rety=True)\ndef f(): pass\n", ["rety", "tasks.py"]),
        ("raise ValueError('a file named \\udcff')\n", ["ValueError", "tasks.py"]),
    ],
)
def test_an_import_that_fails_shows_the_users_frame_and_exits_with_6(
    project: Project, source: str, said: list[str]
) -> None:
    project.write(source)
    project.write("1 / 0\n", file="helper_module.py", head="")
    status, log = project.command("-A", "tasks", "worker")
    assert status == 6, log
    assert "CD6001" in log and "importing tasks fails" in log
    for words in said:
        assert words in log, log
    assert "cardoon/_loader" not in log and "cardoon/_zygote" not in log and "importlib" not in log, log


@pytest.mark.parametrize(
    ("app", "source", "said"),
    [
        ("taskz", "", ["there is no module taskz", "tasks.py"]),
        ("tasks", "x = 1\n", ["no application", "App('tasks')"]),
        ("tasks:x", "x = 1\n", ["no application"]),
        ("tasks", "class Celery: pass\nCelery.__module__ = 'celery.app.base'\napp = Celery()\n", ["Celery", "assess"]),
    ],
)
def test_without_an_application_the_hint_says_what_to_write(
    project: Project, app: str, source: str, said: list[str]
) -> None:
    project.write(source, head="")
    status, log = project.command("-A", app, "worker")
    assert status == 6, log
    assert "Traceback" not in log
    for words in ["CD6001", "hint", *said]:
        assert words in log, log


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("app.conf.worker_concurrency = 'many'\n", ["worker_concurrency", "'many'"]),
        ("app.conf.worker_concurrency = -1\n", ["worker_concurrency", "-1"]),
        ("app.conf.task_time_limit = 'soon'\n" + TASK, ["task_time_limit", "'soon'"]),
        ("@app.task(time_limit=[1])\ndef f(): pass\n", ["time_limit of tasks.f", "[1]"]),
    ],
)
def test_a_setting_that_is_none_is_named(project: Project, source: str, said: list[str]) -> None:
    project.write(source)
    status, log = project.command("-A", "tasks", "worker")
    assert status == 6, log
    for words in said:
        assert words in log, log


def test_settings_may_be_texts_and_lengths_of_time(project: Project) -> None:
    project.write(
        "import datetime\n"
        "app.conf.worker_concurrency = '3'\n"
        "app.conf.task_time_limit = datetime.timedelta(minutes=1)\n"
        "app.conf.task_soft_time_limit = 0\n" + TASK
    )
    # The application's own number of children counts where the command line names none.
    worker = project.worker(wait=False, slots=())
    until(lambda: len(worker.children()) == 3, "three children")
    assert project.call("pid") in worker.children()
    assert worker.stop() == 0


@pytest.mark.parametrize("method", ["auto", "spawn"])
def test_an_import_that_starts_threads_is_spawned_with_a_warning(project: Project, method: str) -> None:
    project.write(
        "import threading\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n" + TASK
        + "@app.task\ndef threads():\n    return threading.active_count()\n"
    )
    worker = project.worker("--start-method", method)
    assert len({project.call("pid") for _ in range(1)} & set(worker.children())) == 1
    # Each child imports by itself, and has the thread.
    assert project.call("threads") == 2
    assert bool(worker.lines("starts threads")) == (method == "auto")
    children = worker.children()
    for child in children:
        os.kill(child, 9)
    until(lambda: len(set(worker.children()) - set(children)) == 2, "two new children")
    assert project.call("pid") not in children
    assert worker.stop() == 0


@pytest.mark.parametrize("method", ["auto", "fork", "spawn"])
def test_numpy_works_in_children(project: Project, method: str) -> None:
    project.write(
        "import numpy\nnumpy.ones((64, 64)) @ numpy.ones((64, 64))\n"
        "@app.task\ndef product():\n    return float((numpy.ones((300, 300)) @ numpy.ones((300, 300))).sum())\n"
    )
    worker = project.worker("--start-method", method)
    results = [project.send("product") for _ in range(20)]
    assert {result.get(timeout=DEADLINE_SECS) for result in results} == {300.0**3}
    assert worker.stop() == 0


def test_a_module_may_be_a_script_too(project: Project) -> None:
    project.write(
        TASK
        + "if __name__ == '__main__':\n    print('value', pid.delay().get(timeout=30))\n"
    )
    worker = project.worker()
    script = subprocess.run(
        [sys.executable, "tasks.py"],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(script.stdout.split()[1]) in worker.children()


def test_a_script_without_a_guard_works_in_a_worker(project: Project) -> None:
    """A module that sends a task when it is imported: its client's threads are no reason to fail."""
    project.write(TASK + "note('sent', pid.delay().id)\n")
    worker = project.worker()
    assert project.call("pid") in worker.children()
    until(lambda: len(worker.children()) == 2, "two children")
    assert worker.stop() == 0


def test_an_import_may_take_long_and_leave_files_open(project: Project) -> None:
    project.write("time.sleep(1.5)\nhandle = open('tasks.py')\n" + TASK)
    worker = project.worker()
    assert project.call("pid") in worker.children()
    assert worker.stop() == 0


def test_children_see_a_sane_world(project: Project) -> None:
    project.write(
        """
        import signal, locale

        @app.task
        def world():
            return {
                "argv": sys.argv, "cwd": os.getcwd(), "env": os.environ.get("MINE"), "stdin": sys.stdin.read(),
                "path": os.getcwd() in sys.path, "flags": sys.flags.optimize, "executable": sys.executable,
                "ignored": [s.name for s in signal.Signals if signal.getsignal(s) == signal.SIG_IGN],
                "blocked": [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
                "module": world.run.__module__,
            }

        @app.task
        def leaked():
            return sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                          if int(fd) > 2 and os.path.lexists(f"/proc/self/fd/{fd}"))
        """
    )
    project.worker(env={"MINE": "yes"})
    world = project.call("world")
    assert world["argv"] == ["cardoon"]
    assert world["cwd"] == str(project.folder) and world["path"]
    assert world["env"] == "yes" and world["stdin"] == ""
    assert world["executable"] == sys.executable and world["module"] == "tasks"
    assert set(world["ignored"]) <= {"SIGPIPE", "SIGXFSZ"} and world["blocked"] == []
    # One socket to the worker, one pipe, one note: nothing of other children or of the zygote.
    leaked = project.call("leaked")
    assert sum(name.startswith("socket:") for name in leaked) == 1, leaked
    assert len(leaked) <= 4, leaked


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_green_pools_name_the_alternative(project: Project, pool: str) -> None:
    project.write(TASK)
    status, log = project.command("-A", "tasks", "worker", "-P", pool)
    assert status != 0 and pool in log and "error[CD" in log
    assert "-P threads" in log and "-P asyncio" in log


def test_an_unknown_pool_is_refused_also_when_the_application_names_it(project: Project) -> None:
    project.write(TASK)
    status, log = project.command("-A", "tasks", "worker", "-P", "proceses")
    assert status != 0 and "processes, threads, asyncio" in log
    project.write("app.conf.worker_pool = 'gevent'\n" + TASK)
    status, log = project.command("-A", "tasks", "worker")
    assert status != 0 and "-P threads" in log


@pytest.mark.parametrize("pool", ["processes", "prefork", "solo"])
def test_celerys_names_of_pools_are_accepted(project: Project, pool: str) -> None:
    project.write(TASK)
    worker = project.worker("-P", pool)
    assert project.call("pid") in worker.children()
    assert worker.stop() == 0


def test_an_application_without_tasks_is_told(project: Project) -> None:
    project.write("")
    status, log = project.command("-A", "tasks", "worker")
    assert status == 2 and "CD3009" in log


def test_a_log_and_a_process_id_are_kept_in_files(project: Project) -> None:
    project.write(TASK)
    worker = project.worker("-f", "worker.log", "--pidfile", "worker.pid")
    assert (project.folder / "worker.pid").read_text() == f"{worker.pid}\n"
    status, log = project.command("-A", "tasks", "worker", "--pidfile", "worker.pid")
    assert status == 2 and str(worker.pid) in log and "CD4004" in log
    assert worker.stop() == 0
    assert not (project.folder / "worker.pid").exists()
    assert "app       tasks" in (project.folder / "worker.log").read_text() and not worker.log()


def test_queues_are_left_out_and_purged(project: Project) -> None:
    project.write("@app.task\ndef say(word):\n    note(word)\n")
    project.send("say", "old", queue="mail")
    project.send("say", "left", queue="slow")
    worker = project.worker("-Q", "mail,slow", "-X", "slow", "--purge")
    assert len(worker.wait_for_log("purged    mail: 1 messages deleted")) == 1
    project.send("say", "new", queue="mail")
    project.wait_for_notes("new")
    assert worker.stop() == 0
    assert project.notes() == ["new"]
    status, log = project.command("--broker", project.broker, "queue", "list")
    assert status == 0 and "slow" in log


def test_who_wants_a_daemon_is_told_how(project: Project) -> None:
    project.write(TASK)
    status, log = project.command("-A", "tasks", "worker", "-D")
    assert status == 2 and "systemd" in log


def test_a_worker_without_a_queue_or_with_too_many_children_is_refused(project: Project) -> None:
    project.write(TASK)
    status, log = project.command("-A", "tasks", "worker", "-X", "celery")
    assert status == 2 and "no queue is left" in log
    status, log = project.command("-A", "tasks", "worker", "-c", "1000000")
    assert status == 2 and "at most 1000 children" in log


@pytest.mark.parametrize("command", ["inspect", "status", "multi", "flower"])
def test_commands_of_celery_are_answered_with_those_here(project: Project, command: str) -> None:
    status, log = project.command(command, "active")
    assert status == 2 and "hint:" in log
