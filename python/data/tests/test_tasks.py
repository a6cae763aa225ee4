"""Tasks of Python that compute on a cluster, beside queries that are tasks themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardoon import App
from helpers.processes import line, running
from helpers.tasks import Tasks, tasks

MODULE = """
import os
import time
import cardoon.dataframe as dd
from cardoon import App
from cardoon.distributed import Client

app = App("counting", broker=os.environ["TEST_BROKER"])

@app.task
def count(number):
    # Both are here at the same time, each in a slot of its own, before either asks.
    open(f"here-{number}", "x").close()
    while not all(os.path.exists(f"here-{other}") for other in (1, 2)):
        time.sleep(0.01)
    with Client(os.environ["TEST_CLUSTER"]):
        sums = dd.read_csv("many.csv").groupby("k").n.sum().compute()
    return [number, int(sums.sum()), len(sums)]
"""

ROWS = 50_000


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Tasks]:
    rows = "".join(f"{row % 100},{row}\n" for row in range(ROWS))
    (tmp_path / "many.csv").write_text("k,n\n" + rows, encoding="utf-8")
    (tmp_path / "counting.py").write_text(MODULE, encoding="utf-8")
    with tasks(tmp_path) as started:
        yield started


def test_tasks_that_wait_for_the_only_thread_of_a_cluster_all_end(started: Tasks) -> None:
    cluster = [sys.executable, "-m", "cardoon_data", "cluster", "--with-parent", "--bind", "127.0.0.1:0"]
    with running(*cluster, "--workers", "1", "--threads", "1") as process:
        address = line(process)
        assert address.startswith("tcp://")
        started.start(
            *("cardoon", "-A", "counting", "worker", "-c", "2"),
            env={"TEST_BROKER": started.broker, "TEST_CLUSTER": address},
        )
        started.data_worker("--cluster", address.removeprefix("tcp://"), "--memory", "256MiB")
        app = App("asking", broker=started.broker, set_as_current=False)
        counted = [app.send_task("counting.count", (number,)) for number in (1, 2)]
        query = {"query": "select k, sum(n) as s from 'many.csv' group by k", "out": "sums.csv"}
        asked = [app.send_task("cardoon.data.sql", kwargs=query, queue="data") for _ in range(2)]
        for number, sent in enumerate(counted, start=1):
            assert sent.get(timeout=90) == [number, ROWS * (ROWS - 1) // 2, 100]
        for sent in asked:
            assert sent.get(timeout=90)["rows"] == 100
        app.close()
