"""``LocalCluster``: what queries of this process may use."""

from __future__ import annotations

import os
from types import TracebackType

from cardoon_data import _local, _sizes
from cardoon_data._local import Local, Settings


class LocalCluster:
    """Sets how much of this machine queries use.

    The engine works in this process for now: there are ``n_workers * threads_per_worker`` threads, at most as many as there
    are processors, and ``n_workers * memory_limit`` of memory. ``processes`` and ``dashboard_address`` have no effect: no
    processes are started, and no dashboard listens. By default queries use all processors, and seven tenths of the memory.

    It is in effect until ``close``, or until the end of a ``with`` block.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        threads_per_worker: int | None = None,
        memory_limit: float | str | None = "auto",
        dashboard_address: str | None = ":8787",
        processes: bool | None = None,
        silence_logs: object = None,
    ) -> None:
        processors = os.cpu_count() or 1
        self.n_workers = _at_least_one("n_workers", n_workers if n_workers is not None else 1)
        asked = threads_per_worker if threads_per_worker is not None else max(processors // self.n_workers, 1)
        self.threads_per_worker = _at_least_one("threads_per_worker", asked)
        self.threads = min(self.n_workers * self.threads_per_worker, processors)
        memory = _memory(memory_limit, self.n_workers)
        self._before: Local | None = _local.use(Local(Settings(memory, self.threads)))

    @property
    def scheduler_address(self) -> str:
        """Where the scheduler is: within this process."""
        return f"inproc://127.0.0.1/{os.getpid()}/1"

    @property
    def dashboard_link(self) -> str:
        """Empty: there is no dashboard for queries of one process. :class:`ProgressBar` shows how far they are."""
        return ""

    @property
    def status(self) -> str:
        """``running``, or ``closed``."""
        return "running" if self._before is not None else "closed"

    def scale(self, n: int = 0) -> None:
        """Other than Dask's: the threads of a process cannot become more."""
        from cardoon_data._missing import NotSupported

        raise NotSupported("a cluster within a process cannot be scaled; make another one")

    def close(self, timeout: float | None = None) -> None:
        """Queries use again what they did before. A second time does nothing."""
        if self._before is not None:
            _local.use(self._before)
            self._before = None

    def __enter__(self) -> LocalCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalCluster({self.scheduler_address!r}, workers={self.n_workers}, threads={self.threads})"


def _at_least_one(name: str, count: int) -> int:
    if count < 1:
        raise ValueError(f"{name} has to be 1 or more, not {count}")
    return count


def _memory(limit: float | str | None, workers: int) -> int | None:
    """Bytes for all workers. A part of 1 is one of the machine's memory, as in Dask."""
    if limit is None or limit == "auto" or limit == 0:
        return None
    if isinstance(limit, float) and limit <= 1:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return int(machine * limit) * workers
    return _sizes.parse(limit) * workers
