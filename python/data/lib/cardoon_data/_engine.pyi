"""The compiled part. Plans are JSON, those of the crate ``cardoon-frame``."""

from os import PathLike
from typing import final

__all__ = ["Engine", "Table"]

@final
class Engine:
    """Runs plans on this machine."""

    def __new__(
        cls, memory: int | None = None, threads: int | None = None, spill_folder: str | PathLike[str] | None = None
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

@final
class Table:
    """Rows, for whoever takes them by Arrow's capsules."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def __len__(self) -> int: ...
