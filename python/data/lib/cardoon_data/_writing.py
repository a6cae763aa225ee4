"""Frames to files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cardoon_data import _local, _missing, _stores
from cardoon_data._table import Table


def to_csv(
    table: Table,
    filename: Any,
    single_file: bool = False,
    index: bool | None = None,
    storage_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> list[str]:
    """Writes a CSV file and answers its name in a list."""
    for name, value in options.items():
        _unknown("to_csv", name, value)
    path = _file(filename, (".csv", ".tsv", ".txt"), "0.part", single_file)
    _write(_with_index(table, index), path, "csv", storage_options)
    return [path]


def to_parquet(
    table: Table,
    path: Any,
    write_index: bool | None = None,
    storage_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Writes a Parquet file."""
    for name, value in options.items():
        if name not in ("engine", "compression", "overwrite", "compute"):
            _unknown("to_parquet", name, value)
    file = _file(path, (".parquet", ".pq"), "part.0.parquet")
    _write(_with_index(table, write_index), file, "parquet", storage_options)


def to_json(
    table: Table,
    filename: Any,
    orient: str = "records",
    lines: bool = True,
    storage_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> list[str]:
    """Writes a file with an object of JSON in each line, or one array of all."""
    if orient != "records":
        _missing.option("to_json", "orient", orient, "objects of rows are written: orient='records'")
    for name, value in options.items():
        _unknown("to_json", name, value)
    path = _file(filename, (".json", ".jsonl", ".ndjson"), "0.part")
    _write(_with_index(table, None), path, "jsonl" if lines else "json", storage_options)
    return [path]


def _write(table: Table, path: str, kind: str, storage_options: Mapping[str, Any] | None) -> None:
    _local.current().write(table, path, kind, _stores.kept(storage_options, path))


def _file(name: Any, ends: tuple[str, ...], part: str, single_file: bool = False) -> str:
    """The file or the object that is written, by the rules of :meth:`DataFrame.to_csv`. The folder of a file is made."""
    path = os.fspath(name)
    if not isinstance(path, str):
        raise TypeError("the name of a file has to be a text")
    path = os.path.expanduser(path).replace("*", "0")
    if not single_file and not path.lower().endswith(ends):
        path = f"{path.rstrip('/')}/{part}" if _stores.is_url(path) else os.path.join(path, part)
    if _stores.is_url(path):
        return path
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    return path


def _with_index(table: Table, index: bool | None) -> Table:
    """The table as it is written. Numbers of rows are not, since there are none."""
    if index and not table.index:
        raise _missing.NotSupported("rows have no number here that could be written; leave out index=True")
    return table.without_index(drop=index is False)


def _unknown(function: str, name: str, value: object) -> None:
    _missing.option(function, name, value, "files are written with a header, and commas in CSV; compute() first for more")
