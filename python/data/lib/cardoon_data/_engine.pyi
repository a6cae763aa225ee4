"""The compiled part. Plans are JSON, those of the crate ``cardoon-frame``."""

from collections.abc import Sequence
from os import PathLike
from typing import final

__all__ = ["Engine", "Progress", "Table", "main"]

def main(argv: Sequence[str], program: str | PathLike[str], words: Sequence[str]) -> int:
    """Carries out the command in ``argv`` and answers its exit status. A cluster starts its executors with ``program``, and
    ``words`` before the command."""

@final
class Engine:
    """Runs plans, in this process or on the cluster of the scheduler at ``cluster``, which may ask for a ``token``."""

    def __new__(
        cls,
        memory: int | None = None,
        threads: int | None = None,
        spill_folder: str | PathLike[str] | None = None,
        cluster: str | None = None,
        token: str | None = None,
    ) -> Engine: ...
    def collect(self, plan: str, progress: Progress | None = None) -> Table:
        """All rows. Ctrl-C ends it. ``progress`` tells how far it is."""

    def schema(self, plan: str) -> Table:
        """The columns, without rows."""

    def explain(self, plan: str) -> str:
        """How it will be carried out, as text."""

    def write(self, plan: str, path: str | PathLike[str], format: str, progress: Progress | None = None) -> int:
        """Writes all rows to a file and answers how many there are. ``format`` is csv, json, jsonl or parquet."""

    def executors(self) -> list[tuple[str, int]]:
        """The executors of the cluster that are alive: address, threads. There are none without a cluster."""

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
