"""``LocalCluster``: what queries may use of this machine."""

from __future__ import annotations

import math
import os
import secrets
import sys
import threading
from types import TracebackType
from typing import Any

from cardoon_data import _local, _missing, _sizes
from cardoon_data._calls.worker import Worker
from cardoon_data._local import Local, Settings
from cardoon_data._processes import TOKEN, Processes
from cardoon_data._remote import Remote


class LocalCluster(_missing.Told):
    """A scheduler and ``n_workers`` executors, each a process with ``threads_per_worker`` threads, on this machine.

    Queries run there when a :class:`Client` is connected to it. An executor that dies is started again, and queries that
    run then are carried out again. By default there are as many threads as processors. ``memory_limit`` is what each executor may use, 256
    MiB or more: bytes, a text such as ``"2GB"``, or a part of the machine's memory; by default all share seven tenths of it.

    Functions that a client submits are called by a worker, which starts with the first of them and makes as many calls at once
    as there are threads, each in a process of its own.

    With ``processes=False`` nothing is started: functions and queries run in threads of this process, at most as many as there
    are processors, and with the memory of all workers together. That is in effect at once, without a client.

    The scheduler listens at 127.0.0.1 and ``scheduler_port``, by default a free port. ``token``: what it asks its clients for,
    since executors carry out functions; by default the variable ``CARDOON_DATA_TOKEN``, or one that only clients of this
    process know. ``local_directory``: where executors keep their files.
    ``dashboard_address`` and ``silence_logs`` have no effect: no dashboard listens, and executors log nothing. Dask's other options
    are refused if they would have an effect.

    It ends by ``close``, at the end of a ``with`` block, and with this process. Raises :class:`OperationalError` if it does not
    start.
    """

    _said, _nearest = "LocalCluster", _missing.CLUSTER

    def __init__(
        self,
        n_workers: int | None = None,
        threads_per_worker: int | None = None,
        memory_limit: float | str | None = "auto",
        dashboard_address: str | None = ":8787",
        processes: bool = True,
        silence_logs: object = None,
        scheduler_port: int = 0,
        local_directory: str | os.PathLike[str] | None = None,
        token: str | None = None,
        **options: object,
    ) -> None:
        _missing.options("LocalCluster", options, _missing.OPTIONS, _missing.WITHOUT_EFFECT)
        self._closed = False
        self.has_processes = processes
        self._processes: Processes | None = None
        self._secret = given_token(token) or secrets.token_hex(32)
        self._folder = local_directory
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self.n_workers, self.threads_per_worker = _counts(n_workers, threads_per_worker, processes)
        self.threads = self.n_workers * self.threads_per_worker
        memory = _memory(memory_limit)
        if not processes:
            self.threads = min(self.threads, os.cpu_count() or 1)
            self._local = Local(Settings(memory and memory * self.n_workers, self.threads))
            _local.use(self._local)
            return
        words = ["--workers", str(self.n_workers), "--threads", str(self.threads_per_worker)]
        words += ["--bind", f"127.0.0.1:{scheduler_port}"]
        words += ["--memory", f"{memory}B"] if memory else []
        words += ["--folder", os.fspath(local_directory)] if local_directory is not None else []
        # Whoever knows it can have executors call functions.
        words += ["--python", sys.executable] if sys.executable else []
        token = self._secret
        self._processes = Processes(words, token)
        _tokens[self._processes.address] = token
        self._local = Remote(self._processes.address, token, keeps=self._processes)

    @property
    def scheduler_address(self) -> str:
        """Where the scheduler is, as in ``tcp://127.0.0.1:40213``; ``inproc://…`` without processes."""
        return self._local.address

    @property
    def dashboard_link(self) -> str:
        """Empty: there is no dashboard for queries. :class:`ProgressBar` shows how far they are."""
        return ""

    @property
    def status(self) -> str:
        """``running``, or ``closed``."""
        return "closed" if self._closed else "running"

    @property
    def scheduler_info(self) -> dict[str, Any]:
        """What the cluster is now: its ``address``, and its ``workers`` by their addresses."""
        return info_of(self._local)

    @property
    def workers(self) -> dict[str, dict[str, Any]]:
        """Workers that are alive, by their addresses. Dask's are numbered."""
        workers: dict[str, dict[str, Any]] = self.scheduler_info["workers"]
        return workers

    def scale(self, n: int) -> None:
        """Nothing if there are ``n`` workers. Other than Dask's: the number is that of the beginning, and :class:`NotSupported`
        says so for another one."""
        if n == self.n_workers:
            return
        raise _missing.NotSupported(
            f"a cluster of {self.n_workers} workers cannot be scaled to {n}; make another one, or start more executors for this one: "
            f"cardoon data executor --scheduler {self.scheduler_address}"
        )

    def _calls(self) -> Worker:
        """The worker that makes calls. It starts with the first one; in a fork of this process with the first one there."""
        with self._lock:
            if self._worker is None or self._worker.owner != os.getpid():
                self._worker = Worker(self.threads, self._secret, self._folder)
            return self._worker

    def close(self, timeout: float | None = None) -> None:
        """Ends its processes and waits until they are gone. Queries use again what they did before. A second time does
        nothing."""
        self._closed = True
        _local.forget(self._local)
        if self._worker is not None:
            self._worker.close()
        if self._processes is not None:
            self._processes.close()
            _tokens.pop(self._processes.address, None)

    def __enter__(self) -> LocalCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalCluster({self.scheduler_address!r}, workers={self.n_workers}, threads={self.threads})"


def info_of(local: Local) -> dict[str, Any]:
    """What Dask tells of a scheduler."""
    workers = {address: {"type": "Worker", "nthreads": threads} for address, threads in local.workers().items()}
    return {"type": "Scheduler", "id": "Scheduler-1", "address": local.address, "services": {}, "workers": workers}


#: Of the clusters of this process, by their addresses.
_tokens: dict[str, str] = {}


def given_token(token: str | None) -> str | None:
    """A token, or that of the environment; nothing if there is none."""
    return (token if token is not None else os.environ.get(TOKEN)) or None


def token_of(address: str, token: str | None) -> str | None:
    """A token, or that of the cluster of this process at an address, or that of the environment."""
    known = _tokens.get(address if "://" in address else f"tcp://{address}")
    return given_token(token if token is not None else known)


def _counts(workers: int | None, threads: int | None, processes: bool) -> tuple[int, int]:
    """How many workers there are, and threads of each. As many as there are processors, where it is left open: with processes
    as many of them as have a thread each, up to four, and beyond that about as many as each has threads."""
    processors = os.cpu_count() or 1
    if workers is None:
        if not processes:
            workers = 1
        elif threads is not None:
            workers = max(processors // max(threads, 1), 1)
        else:
            workers = processors if processors <= 4 else _divisor(processors)
    workers = _at_least_one("n_workers", workers)
    threads = threads if threads is not None else max(processors // workers, 1)
    return workers, _at_least_one("threads_per_worker", threads)


def _divisor(count: int) -> int:
    """The least divisor that is no less than the square root."""
    return next(each for each in range(math.isqrt(count - 1) + 1, count + 1) if count % each == 0)


def _at_least_one(name: str, count: int) -> int:
    if count < 1:
        raise ValueError(f"{name} has to be 1 or more, not {count}")
    return count


def _memory(limit: float | str | None) -> int | None:
    """Bytes for each worker. A part of 1 is one of the machine's memory, as in Dask."""
    if limit is None or limit == "auto" or limit == 0:
        return None
    if isinstance(limit, float) and limit <= 1:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return int(machine * limit)
    return _sizes.parse(limit)
