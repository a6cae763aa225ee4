"""Calls of whole programs: what they print, how they end and what a fork has."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from helpers import calls
from helpers.calls import PATIENCE
from helpers.processes import commands_below, is_alive, wait_until
from helpers.programs import HOLDING, program, say, script

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


WARN = "def warn(): print('from a worker too', file=sys.stderr)"


def test_what_a_function_prints_is_seen(tmp_path: Path) -> None:
    done = program(tmp_path, "client.submit(print, 'from a worker').result(60); client.submit(warn).result(60)", WARN)
    assert (done.stdout, done.stderr, done.returncode) == ("from a worker\n", "from a worker too\n", 0)


def test_functions_of_the_program_run_in_workers(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("def triple(x):\n    return 3 * x\n")
    body = "print(client.gather(client.map(double, range(4))), client.submit(beside.triple, 5).result(60))"
    done = program(tmp_path, body, "import beside\ndef double(x):\n    return 2 * x")
    assert (done.stdout, done.stderr) == ("[0, 2, 4, 6] 15\n", "")


@pytest.mark.parametrize(
    "end",
    [f"client.close(); cluster.close(); {say('closed')}; sys.stdin.read()", "sys.exit(3)", "", "sys.stdin.read()"],
    ids=["closed", "exits", "ends", "is killed"],
)
def test_no_process_stays_behind(tmp_path: Path, end: str) -> None:
    wait_here = "calls.wait_for(lambda: calls.runs(calls.Path('.'), 'call0'))"
    body = f"{HOLDING}\n    {wait_here}; {say('runs')}; sys.stdin.readline()\n    {end}"
    command, environment = script(tmp_path, body)
    environment["TMPDIR"] = str(tmp_path)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None and program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["ready\n", "runs\n"]
        below = commands_below(program.pid)
        assert any("cardoon_data._calls" in command for command in below.values())
        assert set(calls.runs(tmp_path, "call0")) <= set(below)
        assert list(tmp_path.glob("cardoon-calls-*"))
        program.stdin.write("\n")
        program.stdin.flush()
        if "closed" in end:
            assert program.stdout.readline() == "closed\n"
        elif "read" in end:
            program.kill()
        else:
            assert program.wait(PATIENCE) == (3 if "exit" in end else 0)
        wait_until(lambda: not any(map(is_alive, below)))
        wait_until(lambda: not list(tmp_path.glob("cardoon-calls-*")))
        program.kill()


def test_all_processes_end_with_their_program_and_not_with_a_fork_of_that(tmp_path: Path) -> None:
    body = """print(client.submit(int, 5).result(60), flush=True)
    print(os.fork(), flush=True)
    sys.stdin.readline()"""
    command, environment = script(tmp_path, body)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None and program.stdout is not None
        assert program.stdout.readline() == "5\n"
        started = commands_below(program.pid)
        assert all(any(word in each for each in started.values()) for word in ("cluster", "executor", "_calls"))
        # Each of the two prints what it has got of the fork.
        fork = max(int(program.stdout.readline()) for _ in range(2))
        try:
            program.kill()
            wait_until(lambda: not any(map(is_alive, started.keys() - {fork})))
            assert is_alive(fork)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_a_fork_has_workers_of_its_own(tmp_path: Path) -> None:
    body = """pid = os.fork()
    if pid == 0:
        print(all("fork" in str(each.exception(60)) for each in (before, last)))
        print(client.gather(client.map(double, range(3))), client.submit(os.getppid).result(60) != first, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    open("go", "w").close()
    print(last.result(60), client.submit(os.getppid).result(60) == first)"""
    head = "def double(x):\n    return 2 * x"
    start = """first = client.submit(os.getppid).result(60)
    before = client.submit(calls.held, calls.Path('.'), value=1)
    last = client.submit(lambda value: value, before)
    """
    done = program(tmp_path, start + body, head)
    assert (done.stdout, done.stderr) == ("True\n[0, 2, 4] True\n1 True\n", "")
