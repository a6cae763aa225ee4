"""Files with many rows, and where functions of their rows run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from cardoon.distributed import Client, LocalCluster
from cardoon_data import _local
from cardoon_data._local import Local, Settings
from helpers.functions import ROWS


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with more rows than a batch has."""
    folder = tmp_path_factory.mktemp("many")
    for part in range(3):
        numbers = range(part * ROWS // 3, (part + 1) * ROWS // 3)
        frame = pd.DataFrame({"n": numbers, "k": [n * 7919 % 101 for n in numbers], "t": [f"t{n % 13}" for n in numbers]})
        frame.to_csv(folder / f"{part}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def in_pandas(many: Path) -> pd.DataFrame:
    return pd.concat([pd.read_csv(file) for file in sorted(many.iterdir())], ignore_index=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDOON_DATA_CHUNK_BYTES", "1000")
        with LocalCluster(n_workers=2, threads_per_worker=2) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    """Engines of their own, whose chunks have a batch of rows each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDOON_DATA_CHUNK_BYTES", "1000")
        yield Local(Settings(threads=3))


@pytest.fixture
def here(local: Local, monkeypatch: pytest.MonkeyPatch) -> Iterator[Local]:
    # Engines are made when they are first used.
    monkeypatch.setenv("CARDOON_DATA_CHUNK_BYTES", "1000")
    _local.use(local)
    yield local
    _local.leave(local)


@pytest.fixture(params=["here", "cluster"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """In this process's children, and in those of executors."""
    if request.param == "here":
        request.getfixturevalue("here")
        yield
    else:
        with Client(request.getfixturevalue("cluster")):
            yield
