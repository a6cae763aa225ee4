"""Dask's client, on this machine.

>>> from cardoon.distributed import Client, LocalCluster
>>> client = Client(LocalCluster(n_workers=4, threads_per_worker=2))
"""

from __future__ import annotations

import concurrent.futures
import itertools
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cardoon_data import _missing
from cardoon_data._cluster import LocalCluster
from cardoon_data._collection import compute
from cardoon_data._delayed import Delayed, delayed
from cardoon_data._futures import CancelledError, Future, Starter, TimeoutError, as_completed, gathered, wait
from cardoon_data._missing import NotSupported
from cardoon_data._progress import ProgressBar

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
    """Runs queries and functions with what a cluster may use.

    Without a cluster it makes a :class:`LocalCluster` with the options that are given, and closes it with itself. Functions run
    in threads of this process for now, so those that compute in pure Python take turns; queries do not.
    """

    def __init__(self, address: LocalCluster | str | None = None, **options: Any) -> None:
        if isinstance(address, str):
            raise NotSupported(f"there are no remote clusters yet, so {address!r} cannot be reached; leave out the address")
        self._owns_cluster = address is None
        self.cluster = LocalCluster(**options) if address is None else address
        self._pool = concurrent.futures.ThreadPoolExecutor(self.cluster.threads, thread_name_prefix="cardoon-client")
        self._starter = Starter(self._pool)
        self._numbers = itertools.count(1)

    def scheduler_info(self, **options: Any) -> dict[str, Any]:
        """What the cluster is: its ``address`` and its ``workers``."""
        address = self.cluster.scheduler_address
        worker = {"type": "Worker", "nthreads": self.cluster.threads}
        return {"type": "Scheduler", "id": "Scheduler-1", "address": address, "services": {}, "workers": {address: worker}}

    @property
    def dashboard_link(self) -> str:
        """Empty, as :attr:`LocalCluster.dashboard_link`."""
        return self.cluster.dashboard_link

    @property
    def status(self) -> str:
        """``running``, or ``closed``."""
        return self.cluster.status

    def ncores(self) -> dict[str, int]:
        """Threads by the address of their worker."""
        return {self.cluster.scheduler_address: self.cluster.threads}

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
        """Prevents calls that have not begun, and closes the cluster if this made it. A second time does nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._owns_cluster:
            self.cluster.close()

    shutdown = close

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client: {self.cluster.scheduler_address!r} threads={self.cluster.threads}>"


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
