"""When and where functions of Python run, and what their processes need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError
from cardoon_data import _local
from cardoon_data._local import Local, Settings
from cardoon_data._remote import Remote
from helpers.functions import ROWS, children
from helpers.processes import commands_below, is_alive, running, wait_until

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


def test_functions_run_when_they_are_asked_for_in_other_processes(anywhere: None, many: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def noted(n: int) -> int:
        with calls.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return os.getpid()

    frame = dd.read_csv(many / "0.csv").head(100, compute=False)
    made = frame.n.map(noted, meta=("n", "int64"))
    assert not calls.exists()
    made.explain()
    assert not calls.exists()
    processes = set(made.compute())
    assert processes and os.getpid() not in processes
    assert len(calls.read_text().splitlines()) == 100
    learned = frame.n.map(noted)
    assert len(calls.read_text().splitlines()) == 110
    assert learned.dtype == "int64"


def test_of_few_rows_few_are_given_to_a_function(here: Local, many: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def noted(n: int) -> int:
        with calls.open("a") as file:
            file.write("called\n")
        return n

    frame = dd.read_csv(many / "*.csv")
    frame["x"] = frame.n.map(noted, meta=("x", "int64"))
    assert frame.head(5).x.to_list() == [0, 1, 2, 3, 4]
    assert len(calls.read_text().splitlines()) == 5


def test_on_a_cluster_they_run_below_the_executors(cluster: LocalCluster, many: Path) -> None:
    with Client(cluster) as client:
        frame = dd.read_csv(many / "*.csv")
        for query in (frame.n.map(lambda n: os.getppid()), frame.groupby("k").apply(lambda group: os.getppid())):
            assert isinstance(_local.current(), Remote)
            parents = set(query.compute())
            commands = commands_below(os.getpid())
            assert parents and all("cardoon_data executor" in commands[parent] for parent in parents)
        assert len(client.ncores()) == 2


def test_children_are_used_again(here: Local, many: Path) -> None:
    frame = dd.read_csv(many / "0.csv").head(10, compute=False)
    first, second = (set(frame.n.map(lambda n: os.getpid(), meta=("n", "int64")).compute()) for _ in range(2))
    assert first == second


def test_only_the_columns_that_are_needed_are_read(here: Local, many: Path) -> None:
    total = dd.read_csv(many / "*.csv").n.map(lambda n: n + 1, meta=("n", "int64")).sum()
    assert "columns [n]" in total.explain()


def test_children_end_with_their_engine(many: Path) -> None:
    before = children()
    local = Local(Settings(threads=2))
    _local.use(local)
    assert len(dd.read_csv(many / "*.csv").n.map(str).compute()) == ROWS
    started = children() - before
    assert started
    _local.leave(local)
    del local
    wait_until(lambda: not any(map(is_alive, started)))


PRINTS_AND_WAITS = """
import os, sys, time
import cardoon.dataframe as dd
from cardoon.distributed import Client

waits = sys.argv[2]
if len(sys.argv) > 3:
    client = Client(n_workers=1, threads_per_worker=1)

def slow(n):
    if os.path.exists(waits):
        # Several children may be here, and each says it in one step.
        with open(f"{waits}.{os.getpid()}", "w") as file:
            file.write(str(os.getpid()))
        os.replace(file.name, waits + ".who")
        time.sleep(600)
    return n

frame = dd.read_csv(sys.argv[1])
print(len(frame.n.map(slow, meta=("n", "int64")).compute()), flush=True)
open(waits, "w").close()
try:
    frame.n.map(slow, meta=("n", "int64")).compute()
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("place", [[], ["cluster"]])
def test_who_stops_waiting_ends_the_children(
    number: signal.Signals, place: list[str], many: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(PRINTS_AND_WAITS, encoding="utf-8")
    command = [sys.executable, str(script), str(many / "0.csv"), str(tmp_path / "waits"), *place]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, preexec_fn=heard) as process:
        try:
            assert process.stdout is not None and process.stdin is not None
            assert process.stdout.readline() == f"{ROWS // 3}\n"
            who = tmp_path / "waits.who"
            wait_until(who.exists)
            one = int(who.read_text())
            assert one in (found := children(process.pid))
            found = found if number == signal.SIGKILL else {one}
            process.send_signal(number)
            if number == signal.SIGINT:
                assert process.stdout.readline() == "interrupted\n"
            wait_until(lambda: not any(map(is_alive, found)))
            process.stdin.close()
        finally:
            process.kill()


def test_a_function_may_print_and_read(here: Local, many: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def talks(n: int) -> int:
        print("printed", n)
        os.write(1, b"written\n")
        sys.stdout.buffer.write(b"binary\n")
        return n if sys.stdin.read() == "" else -1

    frame = dd.read_csv(many / "0.csv").head(20, compute=False)
    assert frame.n.map(talks, meta=("n", "int64")).compute().to_list() == list(range(20))
    wait_until(lambda: "printed 19" in capfd.readouterr().err)


def test_executors_that_may_not_run_functions_say_so(many: Path) -> None:
    program = [sys.executable, "-m", "cardoon_data"]
    with running(*program, "cluster", "--with-parent", "--workers", "1", "--threads", "1", "--bind", "127.0.0.1:0") as process:
        assert process.stdout is not None
        with Client(process.stdout.readline().strip()):
            with pytest.raises(CardoonError, match=r"(?s)CD8025.*--python"):
                dd.read_csv(many / "*.csv").n.map(str, meta=("n", "str")).compute()


def test_functions_need_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARDOON_DATA_TOKEN", raising=False)
    program = [sys.executable, "-m", "cardoon_data"]
    for words in (["cluster"], ["executor", "--scheduler", "127.0.0.1:1"]):
        command = [*program, *words, "--python", sys.executable]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 2 and "--token" in done.stderr


def test_a_million_rows_need_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as file:
        file.write("user_id,action\n")
        for n in range(1_000_000):
            file.write(f"{n % 1000},{'action' * 5}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDOON_DATA_CHUNK_BYTES", str(1 << 20))
        local = Local(Settings(threads=2, memory=256 << 20))
        _local.use(local)
        before = resident()
        made = dd.read_csv(tmp_path / "a.csv").map_partitions(lambda part: part.assign(x=part.user_id * 2))
        assert made.x.sum().compute() == 999_000 * 1000
        assert resident() - before < 100 << 20
        _local.leave(local)


def resident() -> int:
    """The most bytes that this process had resident."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10
