"""Files, and frames of pandas, as lazy frames."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cardoon_data import _csv, _index, _json_lines, _local, _merging, _missing, _sql, _stored, _stores
from cardoon_data._frame import DataFrame
from cardoon_data._series import Series
from cardoon_data._table import Column, Table
from cardoon_data._terms import cast


_PARQUET_WITHOUT_EFFECT = frozenset(
    {"filters", "engine", "blocksize", "split_row_groups", "index", "calculate_divisions"}
)


def read_csv(
    urlpath: Any,
    blocksize: float | str | None = "default",
    *,
    sep: str | None = None,
    delimiter: str | None = None,
    header: int | str | None = "infer",
    names: Any = None,
    usecols: Any = None,
    dtype: Any = None,
    parse_dates: Any = False,
    on_bad_lines: str = "error",
    assume_missing: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> DataFrame:
    """Reads CSV files: a name, a pattern such as ``logs/*.csv`` or ``s3://bucket/logs/*.csv``, or a list of them. ``.gz`` and
    ``.zst`` are unpacked.

    What columns hold is inferred from samples of each file, and corrected if a later row shows otherwise. Times stay texts
    unless ``parse_dates`` names their columns. ``dtype``: int64, float64, bool, str, for all columns or by name.
    ``blocksize``: bytes that a thread reads at once; more than 1 MiB has no effect, since the engine divides the work itself.
    ``on_bad_lines``: ``error``, or ``skip`` for rows with too many or too few fields. Without a header, and without
    ``names``, columns are called ``0``, ``1`` and so on. ``storage_options``: how the object store is reached, where the
    environment does not say it: ``key``, ``secret``, ``token``, ``anon``, ``endpoint_url``, and ``client_kwargs`` with
    ``endpoint_url`` and ``region_name``.

    Raises ``FileNotFoundError`` if no file matches, and ``pandas.errors.ParserError`` when a row cannot be read.
    """
    _csv.check(options)
    how = _csv.Dialect(
        separator=sep if sep is not None else delimiter,
        has_header=_csv.has_header(header, names),
        skips_bad_rows=_csv.skips(on_bad_lines),
        block_bytes=_csv.block_bytes(blocksize),
    )
    paths = _paths(urlpath)
    plan = _csv.scan(paths, how, {}, storage_options)
    found = _local.current().columns(plan)
    called = _csv.names(list(found), names)
    kinds = _csv.kinds({called[name]: column.kind for name, column in found.items()}, dtype, parse_dates, assume_missing)
    read = {name: kinds[called[name]] for name in found}
    declared = {name: kind for name, kind in read.items() if kind != found[name].kind}
    plan = _csv.scan(paths, how, declared, storage_options)
    table = Table(plan, {name: Column(kind) for name, kind in read.items()})
    if called != {name: name for name in found}:
        table = table.rename(called)
    wanted = _csv.used(table.visible, usecols)
    return DataFrame(table if wanted == table.visible else table.select(wanted))


def read_parquet(
    path: Any, columns: Any = None, *, storage_options: Mapping[str, Any] | None = None, **options: Any
) -> DataFrame:
    """Reads Parquet files: a name, a folder, a pattern, or a list of them. ``columns``: those that are wanted.
    ``storage_options`` are those of :func:`read_csv`.

    An index that pandas has written without a name becomes the index; one with a name is a column.
    """
    for name, value in options.items():
        if name == "filters" and value is not None:
            _missing.option("read_parquet", name, value, "filter by a condition; the engine leaves out what it can")
        if name not in _PARQUET_WITHOUT_EFFECT:
            raise TypeError(f"read_parquet() got an unexpected keyword argument {name!r}")
    table = _scanned(_paths(path), "parquet", storage_options)
    unnamed = [name for name in table.columns if name.startswith("__index_level_")]
    if unnamed:
        table = table.with_index(dict.fromkeys(unnamed))
    if columns is not None:
        wanted = [columns] if isinstance(columns, str) else list(columns)
        return DataFrame(table.select([table.name(name) for name in wanted]))
    return DataFrame(table)


def read_json(
    url_path: Any,
    orient: str = "records",
    lines: bool | None = True,
    *,
    storage_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> DataFrame:
    """Reads files with an object of JSON in each line: a name, a pattern, or a list of them. ``storage_options`` are those of
    :func:`read_csv`."""
    if orient != "records" or lines is False:
        nearest = "objects in lines are read: orient='records', lines=True"
        _missing.option("read_json", "orient or lines", (orient, lines), nearest)
    for name, value in options.items():
        if name not in ("blocksize", "encoding", "compression", "meta", "engine"):
            _missing.option("read_json", name, value, "read it, and convert columns with astype or to_datetime")
    table = _scanned(_paths(url_path), "json_lines", storage_options)
    # The engine sorts the names; readers know the order of the file.
    first = [name for name in _json_lines.first_keys(table.plan) if name in table.columns]
    return DataFrame(table.select(dict.fromkeys([*first, *table.visible])))


def from_pandas(
    data: pd.DataFrame | pd.Series, npartitions: int | None = None, sort: bool = True, chunksize: int | None = None
) -> Any:
    """A lazy frame, or series, of one of pandas. Its rows are put into a temporary file.

    An index other than that which numbers the rows is kept; rows are sorted by it, unless ``sort=False``.
    """
    if not isinstance(data, pd.DataFrame | pd.Series):
        raise TypeError("Input must be a pandas DataFrame or Series.")
    if sort and not _index.is_default(data.index):
        data = data.sort_index(kind="stable")
    return _stored.of_pandas(data)


def sql(query: str, tables: Mapping[str, DataFrame | Series] | None = None) -> DataFrame:
    """A query in SQL over frames by their names, and over files: ``select * from 'logs/*.csv'``.

    Only ``select``: it neither writes nor makes tables. Rows come in no order unless the query has ``order by``.
    """
    return DataFrame(_sql.table(query, {name: _merging.side(frame) for name, frame in (tables or {}).items()}))


def merge(left: DataFrame, right: Any, how: str = "inner", **options: Any) -> DataFrame:
    """As :meth:`DataFrame.merge`."""
    return left.merge(right, how, **options)


def concat(dfs: Any, axis: int | str = 0, **options: Any) -> Any:
    """The rows of frames, one after the other, numbered anew. A column that one lacks is missing in its rows."""
    if axis not in (0, "index"):
        _missing.option("concat", "axis", axis, "use assign or merge to put columns side by side")
    parts = list(dfs)
    if parts and all(isinstance(part, Series) for part in parts):
        name = parts[0].name if len({part.name for part in parts}) == 1 else None
        made = _merging.concat([part.rename("__value__").to_frame()._table for part in parts])
        return Series(made, made.term("__value__"), name)
    return DataFrame(_merging.concat([_merging.side(part) for part in parts]))


def to_datetime(arg: Any, format: str | None = None, errors: str = "raise", **options: Any) -> Any:
    """Texts such as ``2026-01-31 12:00`` as times. What is no lazy series is left to pandas."""
    if not isinstance(arg, Series):
        return pd.to_datetime(arg, format=format, **options)
    if format not in (None, "ISO8601") or errors != "raise" or options:
        given = options or {"format": format, "errors": errors}
        name, value = next(iter(given.items()))
        _missing.option("to_datetime", name, value, "texts as 2026-01-31 12:00:00 are read; sql() has to_timestamp for others")
    return arg._with(cast(arg._term, "timestamp"))


def _scanned(paths: list[str], kind: str, storage_options: Mapping[str, Any] | None) -> Table:
    plan = _stores.scan({"paths": paths, "format": kind}, storage_options)
    return Table(plan, _local.current().columns(plan))


def _paths(given: Any) -> list[str]:
    if isinstance(given, str | os.PathLike):
        given = [given]
    try:
        paths = [os.path.expanduser(os.fspath(path)) for path in given]
    except TypeError:
        raise TypeError(f"names of files are wanted, not {given!r:.100}") from None
    if not paths:
        raise ValueError("no files were named")
    return paths
