"""Clusters and clients of Dask's names, within this process."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, Future, LocalCluster, as_completed, progress, wait
from cardoon.exceptions import CardoonError
from cardoon_data import _cluster, _local
from helpers.same import assert_same

NOT_INSTALLED = """
import importlib, sys

class Without:
    def find_spec(self, name, *rest):
        if name.startswith("cardoon_data"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="cardoon_data")

sys.meta_path.insert(0, Without())
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", ["cardoon.dataframe", "cardoon.distributed"])
def test_without_this_distribution_it_is_said_how_to_install_it(module: str) -> None:
    program = [sys.executable, "-c", NOT_INSTALLED, module]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert "ImportError" in done.stderr
    assert "pip install ./python ./python/data" in done.stderr


def test_a_cluster_says_how_much_queries_use() -> None:
    before = _local.current()
    with LocalCluster(2, 1, memory_limit="512MiB", dashboard_address=":8787", processes=False) as cluster:
        settings = _local.current().settings
        assert settings.memory == 2 * 512 * 2**20
        assert settings.threads == min(2, os.cpu_count() or 1)
        assert cluster.scheduler_address.startswith("inproc://")
        assert cluster.status == "running"
        assert cluster.dashboard_link == ""
    assert _local.current() is before
    assert cluster.status == "closed"
    cluster.close()
    assert _local.current() is before


def test_too_little_memory_is_refused_when_it_is_used(folder: Path) -> None:
    with LocalCluster(n_workers=1, memory_limit="1MB", processes=False), pytest.raises(CardoonError, match="256 MiB"):
        dd.read_csv(folder / "users.csv")


@pytest.mark.parametrize("options", [{"n_workers": 0}, {"threads_per_worker": -1}, {"memory_limit": "lots"}])
def test_a_cluster_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        LocalCluster(**options)


def test_a_client_makes_a_cluster_and_closes_it(ours: Any, theirs: pd.DataFrame) -> None:
    before = _local.current()
    with Client(n_workers=1, threads_per_worker=2, processes=False) as client:
        assert client.status == "running"
        assert_same(client.compute(ours.groupby("user_id").size()).result(30), theirs.groupby("user_id").size())
    assert client.status == "closed"
    client.close()
    assert _local.current() is before


def test_the_last_client_counts() -> None:
    before = _local.current()
    first, second = (LocalCluster(n_workers=1, processes=False) for _ in range(2))
    one, other = Client(second), Client(first)
    assert _local.current() is first._local
    one.close()
    assert _local.current() is first._local
    other.close()
    assert _local.current() is second._local
    second.close()
    first.close()
    assert _local.current() is before


@pytest.mark.parametrize(
    ("processors", "options", "counts"),
    [
        (3, {}, (3, 1)),
        (12, {}, (4, 3)),
        (16, {}, (4, 4)),
        (7, {}, (7, 1)),
        (12, {"n_workers": 5}, (5, 2)),
        (12, {"threads_per_worker": 5}, (2, 5)),
        (2, {"n_workers": 4}, (4, 1)),
        (2, {"threads_per_worker": 4}, (1, 4)),
        (12, {"processes": False}, (1, 12)),
    ],
)
def test_what_is_left_open_goes_by_the_processors(
    processors: int, options: dict[str, Any], counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    workers, threads = options.get("n_workers"), options.get("threads_per_worker")
    assert _cluster._counts(workers, threads, options.get("processes", True)) == counts


@pytest.fixture
def client() -> Any:
    with Client(n_workers=1, threads_per_worker=1, processes=False) as client:
        yield client


def test_functions_run_beside_the_program(client: Client) -> None:
    futures = client.map(lambda value: value * 2, range(5))
    assert client.gather(futures) == [0, 2, 4, 6, 8]
    assert client.gather({"a": futures[1], "b": [futures[2], 7]}) == {"a": 2, "b": [4, 7]}
    assert client.submit(sum, futures).result(30) == 20
    assert [future.status for future in futures] == ["finished"] * 5


def test_a_function_waits_for_the_futures_it_is_given(client: Client) -> None:
    go = threading.Event()
    first = client.submit(go.wait, 30)
    # There is one thread: it would never be free if these held it while they wait.
    last = first
    for _ in range(20):
        last = client.submit(lambda value: not value, last)
    assert (first.done(), last.status) == (False, "pending")
    go.set()
    assert last.result(30) is True


def test_what_fails_is_raised_where_it_is_asked_for(client: Client) -> None:
    failed = client.submit(lambda: 1 // 0)
    follows = client.submit(lambda value: value, failed)
    with pytest.raises(ZeroDivisionError):
        follows.result(30)
    assert isinstance(failed.exception(), ZeroDivisionError)
    assert failed.status == "error"
    assert client.gather([failed, client.submit(int, 5)], errors="skip") == [5]


def test_futures_are_waited_for(client: Client) -> None:
    futures = client.map(str, range(3))
    done, not_done = wait(futures, timeout=30)
    assert (len(done), not_done) == (3, set())
    assert sorted(future.result() for future in as_completed(futures)) == ["0", "1", "2"]
    assert sorted(result for _, result in as_completed(futures, with_results=True)) == ["0", "1", "2"]
    progress(futures)
    go = threading.Event()
    held = client.submit(go.wait, 30)
    with pytest.raises(TimeoutError):
        wait([held], timeout=0.01)
    waiting = client.submit(int, 1)
    assert waiting.cancel()
    assert waiting.status == "cancelled"
    go.set()
    assert held.result(30)


def test_data_can_be_scattered(client: Client) -> None:
    first, second = client.scatter([1, 2])
    assert isinstance(first, Future)
    assert client.submit(lambda a, b: a + b, first, second).result(30) == 3


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_shows_rows_and_bytes_on_a_terminal(ours: Any, folder: Path) -> None:
    out = Terminal()
    with dd.ProgressBar(out=out):
        ours.groupby("user_id").size().compute()
    size = sum(file.stat().st_size for file in (folder / "logs").iterdir())
    assert f"{size} B" in out.getvalue()
    assert "100%" in out.getvalue()
    assert "8 rows" in out.getvalue()
    quiet = io.StringIO()
    with dd.ProgressBar(out=quiet):
        ours.groupby("user_id").size().compute()
    assert quiet.getvalue() == ""
    after = len(out.getvalue())
    ours.groupby("user_id").size().compute()
    assert len(out.getvalue()) == after
