"""A cluster whose worker makes calls, and workers that nobody of the program has started."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardoon.distributed import Client, LocalCluster
from helpers import redis  # type: ignore[attr-defined]  # It is in the folder of the other tests.
from helpers.calls import TOKEN


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """As many as eight calls at once."""
    with LocalCluster(n_workers=4, threads_per_worker=2) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster) as client:
        yield client


@pytest.fixture(params=["sqlite", "redis"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A worker that nobody of this program has started, and where it takes calls from."""
    with contextlib.ExitStack() as ended:
        broker = f"sqlite:{tmp_path / 'calls.db'}"
        if request.param == "redis":
            program = redis.program()
            assert program is not None, "there is no Redis server: cargo xtask setup installs one for the tests"
            server = redis.Redis(tmp_path, program)
            ended.callback(server.stop)
            broker = server.url
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CARDOON_DATA_TOKEN": TOKEN}
        command = [sys.executable, "-m", "cardoon_data", "calls", "--broker", broker, "-c", "2", "-l", "error"]
        worker = ended.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        ended.callback(worker.terminate)
        yield broker
