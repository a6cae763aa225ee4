"""The compiled part. Plans are JSON, those of the crate ``cardoon-frame``."""

from collections.abc import Sequence
from os import PathLike
from typing import final

__all__ = ["Engine", "Table", "main"]

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
    def collect(self, plan: str) -> Table:
        """All rows. Ctrl-C ends it."""

    def schema(self, plan: str) -> Table:
        """The columns, without rows."""

    def explain(self, plan: str) -> str:
        """How it will be carried out, as text."""

    def write(self, plan: str, path: str | PathLike[str], format: str) -> int:
        """Writes all rows to a file and answers how many there are. ``format`` is csv, json, jsonl or parquet."""

    def progress(self) -> tuple[int, int, int]:
        """What has been read of CSV files: rows, bytes, rows that were left out."""

    def executors(self) -> list[tuple[str, int]]:
        """The executors of the cluster that are alive: address, threads. There are none without a cluster."""

@final
class Table:
    """Rows, for whoever takes them by Arrow's capsules."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def __len__(self) -> int: ...
