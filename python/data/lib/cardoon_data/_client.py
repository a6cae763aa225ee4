"""Dask's client."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from cardoon_data import _local, _missing
from cardoon_data._calls import current
from cardoon_data._calls.durations import Duration, seconds
from cardoon_data._calls.executor import ClientExecutor
from cardoon_data._calls.futures import Future, TimeoutError
from cardoon_data._calls.place import Elsewhere
from cardoon_data._calls.queue import Queue
from cardoon_data._calls.runner import Options, Row, Runner
from cardoon_data._calls.threads import Threads
from cardoon_data._calls.waiting import gathered
from cardoon_data._calls.within import found, listed
from cardoon_data._cluster import LocalCluster, given_token, info_of, token_of
from cardoon_data._delayed import Delayed, started
from cardoon_data._local import Local
from cardoon_data._remote import Remote

#: Options of Dask that say where calls run, and what else there is only one of here.
_NEAREST = {
    **dict.fromkeys(("workers", "resources"), "any worker that is free makes the call"),
    "actor": "keep what has a state in a process of its own, or in a database",
}

#: How often is looked for workers that are waited for, in seconds.
_LOOK = 0.1


class Client(_missing.Told):
    """Has a cluster run the queries of this process until ``close``: a :class:`LocalCluster`, or the one whose scheduler is at
    an address such as ``tcp://10.0.0.7:8787``. Of several clients the last one counts.

    Without either it makes a :class:`LocalCluster` with the options that are given, and closes it with itself. ``token`` is
    what the cluster asks for; by default that of a :class:`LocalCluster` of this process, else the variable
    ``CARDOON_DATA_TOKEN``, if there is one. Raises :class:`OperationalError` if the cluster cannot be reached, or has another token.

    Executors open files under the names that this process knows them by. What ``from_pandas`` and ``persist`` keep lies in
    this machine's folder for temporary files, so it is for clusters of this machine.

    Functions run in processes of a :class:`LocalCluster`, as many at once as it has threads, and with ``processes=False`` in
    threads of this process. With an address they run on the workers that take calls from ``broker``, such as
    ``redis://10.0.0.7:6379/0``, each started by ``cardoon-data calls --broker URL`` with the same token. They travel by value.
    Queries whose rows come in the order of the files, such as ``head``, have one reader, which is in this process.
    """

    _said, _nearest = "Client", _missing.CLIENT

    def __init__(
        self,
        address: LocalCluster | str | None = None,
        token: str | None = None,
        broker: str | None = None,
        **options: Any,
    ) -> None:
        if address is not None:
            _missing.options("Client", options, _missing.OPTIONS, _missing.WITHOUT_EFFECT)
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
        self._threads = Threads(self.cluster.threads if self.cluster is not None else os.cpu_count() or 1)
        self._calls = self._runner(broker, given_token(token))
        self._numbers = itertools.count(1)
        _local.use(self._local)
        if self._calls is not None:
            current.use(self._calls)
        _clients.append(self)

    @classmethod
    def current(cls, allow_global: bool = True) -> Client:
        """The client that was made last and is not closed. Raises ``ValueError`` if there is none. Dask's option has no
        effect."""
        if not _clients:
            raise ValueError(
                "there is no client in this process: make one by Client(...). A call has none; it returns what is to be called "
                "next, or makes one for the address of the scheduler"
            )
        return _clients[-1]

    def _runner(self, broker: str | None, token: str | None) -> Runner | None:
        if broker is not None:
            return Queue(*Elsewhere.of(broker, token))
        if self.cluster is None:
            return None
        return Queue(self.cluster._secret, self.cluster._calls) if self.cluster.has_processes else self._threads

    def scheduler_info(self, **options: Any) -> dict[str, Any]:
        """What the cluster is now: its ``address``, and its ``workers`` by their addresses."""
        return info_of(self._local)

    def wait_for_workers(self, n_workers: int, timeout: Duration = None) -> None:
        """Waits until so many workers are alive. ``TimeoutError`` if that takes longer than ``timeout``, in seconds or as
        ``"5s"``."""
        left = seconds(timeout)
        deadline = None if left is None else time.monotonic() + left
        while (count := self._count()) < n_workers:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"{count} of {n_workers} workers are there after {left} seconds")
            time.sleep(_LOOK)

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

    def submit(
        self,
        func: Callable[..., Any],
        *args: Any,
        key: str | None = None,
        pure: bool = True,
        retries: int | None = None,
        priority: int = 0,
        **kwargs: Any,
    ) -> Future:
        """Calls a function when the futures among its arguments have ended, at whatever depth they are.

        ``key``: a name; while a future of this name is held, it is answered in place of another call. Unlike Dask's, the same
        call without a name is made again each time, whatever ``pure`` says. ``retries``: how often a call that raises is made
        again. ``priority``: calls with a higher one start first; those beyond -4 and 5 count as these. A call goes on though nobody holds its future.

        Raises what pickling raises, and ``RuntimeError`` if the client is closed. A call whose process dies is made again;
        one that ends three of them ends as :class:`KilledWorker`.
        """
        kwargs = _without_dasks("submit", kwargs)
        row = Row(key or self._name(func), args, kwargs, key is not None)
        return self._calling("submit").submit(func, [row], Options(retries or 0, priority))[0]

    def map(
        self,
        func: Callable[..., Any],
        *iterables: Iterable[Any],
        key: str | list[str] | None = None,
        pure: bool = True,
        retries: int | None = None,
        priority: int = 0,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[Future]:
        """Calls a function for each element, or each row of elements of several iterables, as :meth:`submit` does. ``key``: a
        list of names. ``batch_size`` has no effect: calls are sent many at a time, and run one at a time."""
        kwargs = _without_dasks("map", kwargs)
        rows = zip(*iterables, strict=False)
        if isinstance(key, list):
            made: Iterable[Row] = (Row(name, args, kwargs, True) for name, args in zip(key, rows, strict=True))
        else:
            made = (Row(self._name(key or func), args, kwargs) for args in rows)
        return self._calling("map").submit(func, made, Options(retries or 0, priority))

    def gather(self, futures: Any, errors: str = "raise", **options: Any) -> Any:
        """The results in place of futures, in lists, tuples, sets and dicts too; those of an iterator as a list.
        ``errors="skip"`` leaves out what failed."""
        return gathered(futures, errors)

    def scatter(self, data: Any, **options: Any) -> Any:
        """Futures of data that are there already; of each element of a list, a tuple or a dict. They are sent once, however
        many calls take them. Dask's options have no effect."""
        if isinstance(data, list | tuple | set | frozenset):
            return type(data)(self._scattered(part) for part in data)
        if isinstance(data, Mapping):
            return {key: self._scattered(part) for key, part in data.items()}
        return self._scattered(data)

    def compute(self, collections: Any, sync: bool = False, **options: Any) -> Any:
        """Starts to compute a lazy object, or each of a list. Answers futures; with ``sync`` their results."""
        if isinstance(collections, list | tuple):
            futures = [self.compute(each, **options) for each in collections]
            return self.gather(futures) if sync else futures
        if isinstance(collections, Delayed) and self._calls is not None:
            future = started([collections], self._calls)[id(collections)]
        else:
            future = self._threads.submit(collections.compute, [Row(self._name("compute"), (), {})], Options())[0]
        return future.result() if sync else future

    def persist(self, collections: Any, **options: Any) -> Any:
        """``persist`` of a lazy object, or of each of a list. Waits for it."""
        if isinstance(collections, list | tuple):
            return [self.persist(each) for each in collections]
        return collections.persist()

    def cancel(self, futures: Any, **options: Any) -> None:
        """Cancels calls, as :meth:`Future.cancel` does."""
        for future in found(listed(futures), Future):
            future.cancel()

    def retry(self, futures: Any, **options: Any) -> None:
        """Makes calls again that have failed."""
        for future in found(listed(futures), Future):
            future.retry()

    def get_executor(self, **options: Any) -> concurrent.futures.Executor:
        """Where calls run, as an executor of Python. ``options`` are those of :meth:`submit`."""
        return ClientExecutor(lambda function, args, kwargs: self.submit(function, *args, **kwargs, **options))

    def close(self, timeout: float | None = None) -> None:
        """Cancels calls that have not ended, and closes the cluster if this made it. Queries run again where they did before.
        A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        _clients[:] = [each for each in _clients if each is not self]
        if self._calls is not None:
            current.leave(self._calls)
            self._calls.close(revoke=not self._owns_cluster)
        self._threads.close()
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

    def _count(self) -> int:
        if self.cluster is not None and not self.cluster.has_processes:
            # They are threads, which are all there.
            return self.cluster.n_workers
        return len(self.ncores())

    def _scattered(self, value: Any) -> Future:
        return self._calling("scatter").scatter(self._name(type(value)), value)

    def _calling(self, method: str) -> Runner:
        if self._calls is None:
            raise _missing.NotSupported(
                f"{method} needs workers that make calls: start them by "
                "`cardoon-data calls --broker redis://HOST:6379/0`, and make the client by "
                'Client(address, broker="redis://HOST:6379/0"), with the same token'
            )
        return self._calls

    def _name(self, what: object) -> str:
        name = what if isinstance(what, str) else getattr(what, "__name__", "call")
        return f"{name}-{next(self._numbers)}"


#: Those that are not closed. The last one is the current one.
_clients: list[Client] = []


def get_client(address: str | None = None, timeout: Duration = None, resolve_address: bool = True) -> Client:
    """:meth:`Client.current`. Dask's options have no effect."""
    return Client.current()


def default_client(c: Client | None = None) -> Client:
    """The client that is given, or :meth:`Client.current`."""
    return c if c is not None else Client.current()


def _without_dasks(method: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Named arguments without the options of Dask, which are refused if they would have an effect."""
    for name, nearest in _NEAREST.items():
        if kwargs.get(name):
            _missing.option(method, name, kwargs[name], nearest)
    of_dask = {*_NEAREST, "actors", "allow_other_workers", "fifo_timeout"}
    return kwargs if of_dask.isdisjoint(kwargs) else {k: v for k, v in kwargs.items() if k not in of_dask}
