"""The compiled part. Plans are JSON, those of the crate ``cardoon-frame``."""

from collections.abc import Sequence
from os import PathLike
from typing import final

__all__ = ["Engine", "Progress", "Table", "keep_store_options", "main"]

def main(argv: Sequence[str], program: str | PathLike[str], words: Sequence[str]) -> int:
    """Carries out the command in ``argv`` and answers its exit status. A cluster starts its executors with ``program``, and
    ``words`` before the command."""

@final
class Engine:
    """Runs plans, in this process or on the cluster of the scheduler at ``cluster``, which may ask for a ``token``. ``python``
    carries out functions, in ``children`` processes at once."""

    def __new__(
        cls,
        memory: int | None = None,
        threads: int | None = None,
        spill_folder: str | PathLike[str] | None = None,
        cluster: str | None = None,
        token: str | None = None,
        python: str | PathLike[str] | None = None,
        children: int | None = None,
    ) -> Engine: ...
    def collect(self, plan: str, progress: Progress | None = None) -> Table:
        """All rows. Ctrl-C ends it. ``progress`` tells how far it is."""

    def schema(self, plan: str) -> Table:
        """The columns, without rows."""

    def explain(self, plan: str) -> str:
        """How it will be carried out, as text."""

    def write(
        self,
        plan: str,
        path: str | PathLike[str],
        format: str,
        progress: Progress | None = None,
        store_options: str | None = None,
    ) -> int:
        """Writes all rows to a file and answers how many there are. ``format`` is csv, json, jsonl or parquet. ``store_options`` is
        a name that :func:`keep_store_options` has given."""

    def begin(self, scan: str, most: int) -> bytes:
        """The first bytes of the first file that a scan means, unpacked, at most as many as ``most``."""

    def executors(self) -> list[tuple[str, int]]:
        """The executors of the cluster that are alive: address, threads. There are none without a cluster."""

def keep_store_options(options: str) -> str:
    """Keeps options of an object store, an object of JSON, and answers the name by which plans refer to them."""

@final
class Progress:
    """How far one query has come."""

    def __new__(cls) -> Progress: ...
    def told(self) -> tuple[tuple[int, int, int | None, int, int, int, int], list[tuple[str, int, int, int]]]:
        """Rows and bytes that were read, bytes of all files if that is known, rows that were left out, bytes that were spilled,
        restarts, retries; and of each stage its name, the rows it has given out, the tasks that have ended, and all."""

@final
class Table:
    """Rows, for whoever takes them by Arrow's capsules."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def __len__(self) -> int: ...
