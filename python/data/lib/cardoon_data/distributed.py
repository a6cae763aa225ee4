"""Dask's client.

>>> from cardoon.distributed import Client, LocalCluster
>>> client = Client(LocalCluster(n_workers=4, threads_per_worker=2))
"""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cardoon_data import _local, _missing
from cardoon_data._cluster import LocalCluster, token_of
from cardoon_data._collection import compute
from cardoon_data._delayed import Delayed, delayed
from cardoon_data._futures import CancelledError, Future, Starter, TimeoutError, as_completed, gathered, wait
from cardoon_data._local import Local
from cardoon_data._progress import ProgressBar
from cardoon_data._remote import Remote

__all__ = [
    "CancelledError",
    "Client",
    "Delayed",
    "Future",
    "LocalCluster",
    "ProgressBar",
    "TimeoutError",
    "as_completed",
    "compute",
    "delayed",
    "progress",
    "wait",
]


class Client:
    """Has a cluster run the queries of this process until ``close``: a :class:`LocalCluster`, or the one whose scheduler is at
    an address such as ``tcp://10.0.0.7:8787``. Of several clients the last one counts.

    Without either it makes a :class:`LocalCluster` with the options that are given, and closes it with itself. ``token`` is
    what the cluster asks for; by default that of a :class:`LocalCluster` of this process, else the variable
    ``CARDOON_DATA_TOKEN``, if there is one. Raises
    :class:`OperationalError` if the cluster cannot be reached, or has another token.

    Executors open files under the names that this process knows them by. What ``from_pandas`` and ``persist`` keep lies in
    this machine's folder for temporary files, so it is for clusters of this machine.

    Functions run in threads of this process for now, so those that compute in pure Python take turns; queries do not. Queries
    whose rows come in the order of the files, such as ``head``, have one reader, which is in this process too.
    """

    def __init__(self, address: LocalCluster | str | None = None, token: str | None = None, **options: Any) -> None:
        self._owns_cluster = address is None
        self._closed = False
        self._local: Local
        if isinstance(address, str):
            #: Nothing if there is only an address, as in Dask.
            self.cluster: LocalCluster | None = None
            self._local = Remote(address, token_of(address, token))
        else:
            self.cluster = LocalCluster(token=token, **options) if address is None else address
            self._local = self.cluster._local
        threads = self.cluster.threads if self.cluster is not None else os.cpu_count()
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="cardoon-client")
        self._starter = Starter(self._pool)
        self._numbers = itertools.count(1)
        _local.use(self._local)

    def scheduler_info(self, **options: Any) -> dict[str, Any]:
        """What the cluster is now: its ``address``, and its ``workers`` by their addresses."""
        workers = {address: {"type": "Worker", "nthreads": threads} for address, threads in self.ncores().items()}
        address = self._local.address
        return {"type": "Scheduler", "id": "Scheduler-1", "address": address, "services": {}, "workers": workers}

    @property
    def dashboard_link(self) -> str:
        """Empty, as :attr:`LocalCluster.dashboard_link`."""
        return ""

    @property
    def status(self) -> str:
        """``running``, or ``closed``."""
        is_closed = self._closed or (self.cluster is not None and self.cluster.status == "closed")
        return "closed" if is_closed else "running"

    def ncores(self) -> dict[str, int]:
        """Threads by the address of their worker, of the workers that are alive."""
        return self._local.workers()

    nthreads = ncores

    def submit(self, func: Callable[..., Any], *args: Any, key: str | None = None, pure: bool = True, **kwargs: Any) -> Future:
        """Calls a function in a thread of this process, when the futures among its arguments have ended. Unlike Dask's, the
        same call is made again each time."""
        future = Future(key or f"{getattr(func, '__name__', 'call')}-{next(self._numbers)}")
        self._starter.start(future, func, args, kwargs)
        return future

    def map(self, func: Callable[..., Any], *iterables: Iterable[Any], **kwargs: Any) -> list[Future]:
        """Calls a function for each element, or each row of elements of several iterables."""
        return [self.submit(func, *row, **kwargs) for row in zip(*iterables, strict=False)]

    def gather(self, futures: Any, errors: str = "raise", **options: Any) -> Any:
        """The results in place of futures, in lists, tuples, sets and dicts too. ``errors="skip"`` leaves out what failed."""
        return gathered(futures, errors)

    def scatter(self, data: Any, **options: Any) -> Any:
        """Futures of data that are there already; of each element of a list."""
        if isinstance(data, list | tuple):
            return type(data)(self.submit(lambda part=part: part) for part in data)
        return self.submit(lambda: data)

    def compute(self, collections: Any, **options: Any) -> Any:
        """Starts to compute a lazy object, or each of a list. Answers futures."""
        if isinstance(collections, list | tuple):
            return [self.compute(each) for each in collections]
        return self.submit(collections.compute)

    def persist(self, collections: Any, **options: Any) -> Any:
        """``persist`` of a lazy object, or of each of a list. Waits for it."""
        if isinstance(collections, list | tuple):
            return [self.persist(each) for each in collections]
        return collections.persist()

    def cancel(self, futures: Any, **options: Any) -> None:
        """Prevents calls that have not begun."""
        for future in futures if isinstance(futures, list | tuple | set) else [futures]:
            future.cancel()

    def get_executor(self, **options: Any) -> concurrent.futures.Executor:
        """The threads that functions run in, as an executor of Python."""
        return self._pool

    def __getattr__(self, name: str) -> Any:
        _missing.attribute("Client", name, _missing.CLIENT, None)

    def close(self, timeout: float | None = None) -> None:
        """Prevents calls that have not begun, and closes the cluster if this made it. Queries run again where they did before.
        A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        _local.leave(self._local)
        if self._owns_cluster and self.cluster is not None:
            self.cluster.close()

    shutdown = close

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client: {self._local.address!r} {self.status}>"


def progress(*futures: Any, **options: Any) -> None:
    """Waits for futures, and shows on a terminal how many have ended."""
    given = [each for part in futures for each in (part if isinstance(part, list | tuple | set) else [part])]
    if not sys.stderr.isatty():
        wait(given)
        return
    for ended, _ in enumerate(as_completed(given), start=1):
        sys.stderr.write(f"\r{ended} of {len(given)} ended")
        sys.stderr.flush()
    sys.stderr.write("\n")


if not TYPE_CHECKING:  # A type checker is to find names that are not there.

    def __getattr__(name: str) -> Any:
        """Says what there is in place of a name of Dask."""
        _missing.of_module(__name__, name, _missing.DISTRIBUTED)
