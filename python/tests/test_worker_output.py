"""What tasks print reaches the worker's log, and says whose it is."""

from __future__ import annotations

import os
import signal

import pytest

from helpers.project import Project, Worker
from helpers.waiting import until

TASKS = """
import ctypes, logging, subprocess, threading
logging.basicConfig(level="INFO", format="%(message)s")
old_out, old_err = sys.stdout, sys.stderr
libc = ctypes.CDLL(None)

@app.task
def quick(n):
    print("quick", n)

@app.task
def silent(n):
    pass

@app.task
def many_ways():
    print("print", "with", "words")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("write\\n")
    sys.stdout.buffer.write(b"bytes\\n")
    print("stream of the import", file=old_out)
    print("error stream of the import", file=old_err)
    print("original stream", file=sys.__stdout__)
    logging.info("a log record")
    print("two\\nlines")

@app.task
def no_newline(text):
    print(text, end="")

@app.task
def dies(text):
    print(text)
    print("half a line of", text, end="")
    os.kill(os.getpid(), 9)

@app.task
def from_c():
    libc.write(1, b"from C\\n", 7)
    time.sleep(0.2)

@app.task
def from_program():
    subprocess.run(["sh", "-c", "echo from a program; echo its errors >&2; sleep 0.2"])

@app.task
def chinese():
    print("你好，世界")
    print("a surrogate: \\udc80")
    return sys.stdout.encoding

@app.task
def much(lines):
    for n in range(lines):
        print("x" * 1000, n)
    return "printed"

@app.task
def long_line():
    print("y" * 20_000_000)
    return "printed"

@app.task
def replaces():
    import io, contextlib
    with contextlib.redirect_stdout(io.StringIO()) as captured:
        print("captured")
    return captured.getvalue()

@app.task
def pieces(n):
    for piece in range(20):
        print("piece", n, piece)
        time.sleep(0.001)
    print("rest of", n, end="")

@app.task
async def coroutine_pieces(n):
    import asyncio
    for piece in range(20):
        print("piece", n, piece)
        await asyncio.sleep(0.001)
    print("rest of", n, end="")

@app.task
def thread_prints():
    def work():
        print("from a thread of the task")
    thread = threading.Thread(target=work)
    print("from the task")
    thread.start()
    thread.join()

@app.task
def closed():
    sys.stdout.close()
"""


def printed(worker: Worker, id: str) -> list[str]:
    return [line for owner, line in worker.output() if owner == id]


def tail(worker: Worker) -> bytes:
    """The last whole lines of a log that is too large to be read again and again."""
    with worker.log_file.open("rb") as log:
        log.seek(-min(worker.log_file.stat().st_size, 8192), os.SEEK_END)
        return log.read().rpartition(b"\n")[0]


def test_lines_are_marked_with_the_task_that_printed_them(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    ids = [(n, project.send("quick", n).id) for n in range(200)]
    ways = project.send("many_ways")
    ways.get(timeout=30)
    until(lambda: len(worker.lines("quick")) >= 200, "all lines")
    assert all(printed(worker, id) == [f"quick {n}"] for n, id in ids)
    until(lambda: len(printed(worker, ways.id)) == 10, f"what was printed, not {printed(worker, ways.id)}")
    assert printed(worker, ways.id) == [
        "print with words",
        "to stderr",
        "write",
        "bytes",
        "stream of the import",
        "error stream of the import",
        "original stream",
        "a log record",
        "two",
        "lines",
    ]


def test_a_line_without_an_end_belongs_to_its_task_and_stays_alone(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    first = project.send("no_newline", "first")
    second = project.send("no_newline", "second")
    third = project.send("quick", 3)
    third.get(timeout=30)
    worker.wait_for_log("quick 3")
    assert [printed(worker, result.id) for result in (first, second, third)] == [["first"], ["second"], ["quick 3"]]


def test_what_was_printed_before_a_death_is_not_lost(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    dying = project.send("dies", "the end")
    dying.get(timeout=30, propagate=False)
    until(lambda: len(printed(worker, dying.id)) == 6, "two lines of each of three runs")
    assert printed(worker, dying.id) == ["the end", "half a line of the end"] * 3


@pytest.mark.parametrize("task", ["from_c", "from_program"])
def test_output_that_python_does_not_see_is_there(project: Project, task: str) -> None:
    project.write(TASKS)
    worker = project.worker()
    project.call("quick", 1)
    project.call(task)
    worker.wait_for_log("from C" if task == "from_c" else "its errors")


@pytest.mark.parametrize("task", ["from_c", "from_program"])
def test_output_that_python_does_not_see_is_marked_too(project: Project, task: str) -> None:
    project.write(TASKS)
    worker = project.worker()
    result = project.send(task)
    result.get(timeout=30)
    line = "from C" if task == "from_c" else "from a program"
    worker.wait_for_log(line)
    assert line in printed(worker, result.id)


@pytest.mark.parametrize("locale", ["C", "POSIX", "zh_CN.GB18030"])
def test_chinese_is_printed_whatever_the_locale_says(project: Project, locale: str) -> None:
    project.write(TASKS)
    worker = project.worker(env={"LANG": locale, "LC_ALL": locale})
    result = project.send("chinese")
    assert result.get(timeout=30) == "utf-8"
    until(lambda: len(printed(worker, result.id)) == 2, "both lines")
    assert printed(worker, result.id) == ["你好，世界", "a surrogate: \\udc80"]


def test_a_hundred_megabytes_are_printed_and_hold_up_no_other_task(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    much = project.send("much", 100_000)
    quick = project.send_many("silent", [(n,) for n in range(500)])
    for result in quick:
        result.get(timeout=60)
    before = "the others were through first" if not much.ready() else "all of it was printed first"
    assert much.get(timeout=100) == "printed"
    print(before)
    until(lambda: b"x 99999 " in tail(worker), "all of it in the log", 60)
    lines = [line.rpartition("x ")[2].split()[0] for line in worker.log().splitlines() if "xxxx" in line]
    assert lines == [str(n) for n in range(100_000)]
    assert worker.stop() == 0


def test_a_line_of_megabytes_is_cut(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    long = project.send("long_line")
    assert long.get(timeout=60) == "printed"
    until(lambda: worker.log().count("y") > 19_999_999, "all of it", 60)
    assert worker.stop() == 0


def test_tasks_may_redirect_and_close_their_output(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker("-c", "1")
    assert project.call("replaces") == "captured\n"
    assert project.call("closed") is None
    # Who closes standard output prints nowhere, and harms nobody who does not print.
    assert project.call("silent", 1) is None
    assert worker.stop() == 0


@pytest.mark.parametrize(
    ("pool", "task"), [("threads", "pieces"), ("asyncio", "coroutine_pieces"), ("asyncio", "pieces")]
)
def test_lines_of_tasks_that_run_at_once_are_not_mixed(project: Project, pool: str, task: str) -> None:
    project.write(TASKS)
    worker = project.worker("-P", pool, "-c", "20")
    results = [project.send(task, n) for n in range(20)]
    for result in results:
        result.get(timeout=30)
    until(lambda: len(worker.lines("rest of")) == 20, "all of it")
    for n, result in enumerate(results):
        assert printed(worker, result.id) == [*(f"piece {n} {piece}" for piece in range(20)), f"rest of {n}"]


def test_threads_of_a_task_print(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    result = project.send("thread_prints")
    result.get(timeout=30)
    worker.wait_for_log("from a thread of the task")
    assert printed(worker, result.id) == ["from the task", "from a thread of the task"]


def test_what_is_printed_while_the_application_is_imported_is_shown(project: Project) -> None:
    project.write("print('imported', 'once')\n@app.task\ndef noop(): pass\n")
    worker = project.worker()
    project.call("noop")
    assert len(worker.wait_for_log("imported once")) == 1


def test_a_crash_leaves_the_line_where_it_happened_in_the_log(project: Project) -> None:
    project.write("import ctypes\n@app.task\ndef crash():\n    ctypes.string_at(0)\n")
    worker = project.worker()
    project.call("crash")
    worker.wait_for_log("Segmentation fault")
    worker.wait_for_log("in crash")


def test_a_worker_that_was_paused_goes_on(project: Project) -> None:
    project.write(TASKS)
    worker = project.worker()
    worker.signal(signal.SIGSTOP)
    result = project.send("much", 300)
    worker.signal(signal.SIGCONT)
    assert result.get(timeout=30) == "printed"
    assert worker.stop() == 0
