"""Dask's client.

>>> from cardoon.distributed import Client, LocalCluster
>>> client = Client(LocalCluster(n_workers=4, threads_per_worker=2))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardoon_data import _missing
from cardoon_data._calls.futures import CancelledError, Future, KilledWorker, TimeoutError
from cardoon_data._calls.waiting import as_completed, fire_and_forget, progress, wait
from cardoon_data._client import Client, default_client, get_client
from cardoon_data._cluster import LocalCluster
from cardoon_data._collection import compute
from cardoon_data._delayed import Delayed, delayed
from cardoon_data._progress import ProgressBar

__all__ = [
    "CancelledError",
    "Client",
    "Delayed",
    "Future",
    "KilledWorker",
    "LocalCluster",
    "ProgressBar",
    "TimeoutError",
    "as_completed",
    "compute",
    "default_client",
    "delayed",
    "fire_and_forget",
    "get_client",
    "progress",
    "wait",
]


if not TYPE_CHECKING:  # A type checker is to find names that are not there.

    def __getattr__(name: str) -> Any:
        """Says what there is in place of a name of Dask."""
        _missing.of_module("cardoon.distributed", name, _missing.DISTRIBUTED, __all__)
