"""Clusters of processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError, ImproperlyConfigured, OperationalError
from cardoon_data import _local
from cardoon_data._remote import Remote
from helpers.ports import port_of_nobody
from helpers.processes import commands_below, end_input, executors_below, is_alive, line, running, wait_until
from helpers.same import assert_same, in_order

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")

TOKEN = "0123456789abcdef"

PROGRAM = [sys.executable, "-m", "cardoon_data"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two executors of one thread, whose scheduler asks for a token."""
    with LocalCluster(n_workers=2, threads_per_worker=1, token=TOKEN) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster) as client:
        yield client


TUTORIAL = """
from cardoon.distributed import Client, LocalCluster
import cardoon.dataframe as dd

if __name__ == '__main__':
    cluster = LocalCluster(n_workers=4, threads_per_worker=2)
    client = Client(cluster)
    print(client.scheduler_info()['address'])

    df = dd.read_csv('logs/*.csv', blocksize='100MB')
    counts = df.groupby('user_id').size().compute()
    print(counts.head())
    print(df.user_id.head().tolist())

    client.close()
    cluster.close()
"""


def test_the_script_of_the_tutorial_runs(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(TUTORIAL, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    address, *rows, head = done.stdout.splitlines()
    assert address.startswith("tcp://127.0.0.1:")
    assert rows == ["user_id", "1     2", "2     2", "3     3", "10    1", "dtype: int64"]
    assert head == "[3, 1, 2, 3, 1]"


@pytest.mark.parametrize(
    "query",
    [
        lambda logs: logs.groupby("user_id").size(),
        lambda logs: logs.groupby(["user_id", "action"]).agg({"amount": ["sum", "mean"], "seconds": "max"}),
        lambda logs: logs.groupby("user_id").amount.first(),
        lambda logs: logs.sort_values(["amount", "user_id", "when", "seconds"]).reset_index(drop=True),
        lambda logs: logs[logs.amount > 1].head(3).reset_index(drop=True),
        lambda logs: logs.amount.nunique(),
        lambda logs: logs.seconds.mean(),
        lambda logs: logs.assign(action=logs.action.str.upper()).groupby("action").size(),
        lambda logs: logs[["user_id", "amount"]],
    ],
)
def test_the_answer_is_that_of_pandas(
    query: Callable[[Any], Any], client: Client, ours: Any, theirs: pd.DataFrame
) -> None:
    assert isinstance(_local.current(), Remote)
    assert_same(query(ours), query(theirs))


def test_frames_of_pandas_are_joined_on_the_cluster(client: Client, ours: Any, theirs: pd.DataFrame) -> None:
    cities = pd.DataFrame({"user_id": [1, 2, 3], "city": ["Graz", "Wien", None]})
    joined = ours.merge(dd.from_pandas(cities), on="user_id", how="left").persist()
    assert_same(in_order(joined.compute()), in_order(theirs.merge(cities, on="user_id", how="left")))


def test_a_frame_is_written_from_the_cluster(client: Client, ours: Any, theirs: pd.DataFrame, tmp_path: Path) -> None:
    ours.groupby("user_id").amount.sum().reset_index().to_parquet(tmp_path / "sums.parquet")
    sums = theirs.groupby("user_id").amount.sum().reset_index()
    assert_same(in_order(pd.read_parquet(tmp_path / "sums.parquet")), in_order(sums))


def test_executors_are_processes_that_are_listed(cluster: LocalCluster, client: Client) -> None:
    wait_until(lambda: len(client.ncores()) == 2)
    info = client.scheduler_info()
    assert info["address"] == cluster.scheduler_address
    assert [worker["nthreads"] for worker in info["workers"].values()] == [1, 1]
    assert all(address.startswith("tcp://127.0.0.1:") for address in info["workers"])
    executors = executors_below(os.getpid())
    assert len(executors) == 2
    assert all(os.getpgid(each) != os.getpgrp() for each in executors), "Ctrl-C would reach them"


def test_an_executor_that_is_killed_is_started_again(client: Client, ours: Any, theirs: pd.DataFrame) -> None:
    sizes = theirs.groupby("user_id").size()
    assert_same(ours.groupby("user_id").size(), sizes)
    before = executors_below(os.getpid())
    os.kill(min(before), signal.SIGKILL)
    assert_same(ours.groupby("user_id").size(), sizes)
    wait_until(lambda: len(executors_below(os.getpid()) - before) == 1)
    wait_until(lambda: len(client.ncores()) == 2)
    assert_same(ours.groupby("user_id").size(), sizes)


def test_a_client_connects_by_the_address(cluster: LocalCluster, ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _local.current()
    with Client(cluster.scheduler_address, token=TOKEN) as client:
        assert client.cluster is None
        assert client.scheduler_info()["address"] == cluster.scheduler_address
        assert ours.user_id.nunique().compute() == 4
    assert _local.current() is before
    monkeypatch.setenv("CARDOON_DATA_TOKEN", TOKEN)
    Client(cluster.scheduler_address.removeprefix("tcp://")).close()


def test_who_does_not_know_the_token_is_refused(cluster: LocalCluster) -> None:
    before = _local.current()
    with pytest.raises(OperationalError, match="CD8024"):
        Client(cluster.scheduler_address, token="f" * 16)
    assert _local.current() is before


ASKS = """
import sys
from cardoon.distributed import Client

Client(sys.argv[1])
"""


def test_other_processes_have_to_know_the_token_and_this_one_does() -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster:
        Client(cluster.scheduler_address).close()
        command = [sys.executable, "-c", ASKS, cluster.scheduler_address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "CD8024" in done.stderr


def test_an_address_without_a_cluster_is_refused() -> None:
    with port_of_nobody() as port, pytest.raises(OperationalError, match="CD8019"):
        Client(f"tcp://127.0.0.1:{port}")
    with pytest.raises(ImproperlyConfigured):
        Client("no address")


def test_queries_need_executors(ours: Any) -> None:
    with running(*PROGRAM, "scheduler", "--bind", "127.0.0.1:0") as scheduler:
        address = line(scheduler)
        with Client(address) as client:
            assert client.ncores() == {}
            with pytest.raises(CardoonError, match="CD8022"):
                ours.groupby("user_id").size().compute()
            assert len(ours.head()) == 5
            with running(*PROGRAM, "executor", "--threads", "1", "--scheduler", address):
                wait_until(lambda: len(client.ncores()) == 1)
                assert len(ours.groupby("user_id").size().compute()) == 4


def test_a_cluster_that_does_not_start_says_why() -> None:
    before = commands_below(os.getpid()).keys()
    with pytest.raises(ImproperlyConfigured, match=r"(?s)CD8012.*256 MiB"):
        LocalCluster(n_workers=1, memory_limit="1MB")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CardoonError, match="did not start"):
        LocalCluster(n_workers=1, scheduler_port=taken.getsockname()[1])
    assert commands_below(os.getpid()).keys() == before


def test_closing_leaves_no_processes() -> None:
    before = commands_below(os.getpid()).keys()
    client = Client(n_workers=1, threads_per_worker=1)
    during = commands_below(os.getpid()).keys() - before
    assert len(during) == 2
    client.close()
    assert client.status == "closed"
    wait_until(lambda: not any(map(is_alive, during)))
    client.close()


LEAVES_IT = """
import os, sys
from cardoon.distributed import Client
import cardoon.dataframe as dd

client = Client(n_workers=1, threads_per_worker=1)
frame = dd.read_csv(sys.argv[1])
if (child := os.fork()) == 0:
    assert frame.user_id.nunique().compute() == 4
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
assert frame.user_id.nunique().compute() == 4
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_cluster_ends_with_its_program(is_killed: bool, folder: Path) -> None:
    with running(sys.executable, "-c", LEAVES_IT, str(folder / "logs" / "*.csv")) as process:
        assert line(process) == "ready"
        processes = commands_below(process.pid)
        assert len(processes) == 2
        if is_killed:
            process.kill()
        else:
            end_input(process)
        assert process.wait(30) == (-signal.SIGKILL if is_killed else 0)
    wait_until(lambda: not any(map(is_alive, processes)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command(number: signal.Signals) -> None:
    # As Python starts it: with an open pipe as its input.
    command = [*PROGRAM, "cluster", "--with-parent", "--workers", "1", "--threads", "1", "--bind", "127.0.0.1:0"]
    with running(*command) as process:
        assert line(process).startswith("tcp://")
        processes = commands_below(process.pid)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    wait_until(lambda: not any(map(is_alive, processes)))


def test_the_command_does_without_pandas() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "cardoon_data", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "cardoon_data._engine" in imported
    assert not imported & {"pandas", "numpy", "pyarrow"}
