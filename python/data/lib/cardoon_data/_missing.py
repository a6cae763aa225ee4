"""What pandas and Dask have and this package has not: who asks for it is told so by name, and what comes nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn


class NotSupported(AttributeError, NotImplementedError):
    """Something of pandas or Dask that is not supported here. The message names what comes nearest."""


_NO_ORDER = "rows have no number here; compute() first, or write it as a window in sql()"
_LOCATE = "rows have no number here; filter by a condition, sort and take head(), or compute() first"
_COMPUTE = "compute() first, then it is there on the frame of pandas"
_PARTITIONS = "the engine divides the work itself, without partitions that have a name"

#: Of frames and series.
COLLECTION: Mapping[str, str] = {
    **dict.fromkeys(("iloc", "loc", "at", "iat", "take", "xs"), _LOCATE),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "shift", "diff", "rolling", "rank", "ffill"), _NO_ORDER),
    **dict.fromkeys(("bfill", "interpolate", "ewm", "expanding", "pct_change", "resample", "asfreq"), _NO_ORDER),
    **dict.fromkeys(("partitions", "divisions", "known_divisions", "get_partition", "to_delayed"), _PARTITIONS),
    **dict.fromkeys(("iterrows", "itertuples", "items", "plot", "hist", "corr", "cov", "mode", "explode"), _COMPUTE),
    **dict.fromkeys(("values", "to_numpy", "to_dask_array", "pivot_table", "melt", "stack", "unstack"), _COMPUTE),
    "T": _COMPUTE,
    "transpose": _COMPUTE,
    "info": "dtypes shows the columns, len() counts the rows",
    "index": "there is an index in what compute() gives; reset_index() makes a named one a column",
    "sample": "sql() can do it: select * from this where random() < 0.01",
    "append": "use concat([first, second])",
    "to_sql": "write with to_parquet or to_csv, then load that",
    "to_hdf": "write with to_parquet",
    "to_orc": "write with to_parquet",
    "insert": "use assign(name=values) or frame[name] = values",
    "pop": "use drop(columns=...)",
    "map_overlap": _PARTITIONS,
    "reduction": "use agg, or map_partitions",
    "eval": "use assign, or sql()",
    "where": "use where of a series",
    "mask": "use mask of a series",
    "replace": "use replace of a series",
    "idxmax": "use nlargest(1)",
    "idxmin": "use nsmallest(1)",
    "combine_first": "use fillna, or sql(): coalesce(a, b)",
}

#: Of what ``groupby`` answers.
GROUPBY: Mapping[str, str] = {
    **dict.fromkeys(("cumsum", "cumcount", "cumprod", "shift", "rank", "rolling", "head", "tail", "ffill"), _NO_ORDER),
    **dict.fromkeys(("get_group", "groups", "ngroups", "indices"), "filter by the key instead"),
    "idxmin": "sort by the column and drop_duplicates(subset=keys)",
    "idxmax": "sort by the column and drop_duplicates(subset=keys)",
    "quantile": "use median(), or apply(lambda group: group.quantile(...))",
    "aggregate": "use agg",
    "transform": "merge the result of the groups with the frame: frame.merge(result.rename(name), on=key)",
}

#: Of ``.str``.
STRINGS: Mapping[str, str] = {
    **dict.fromkeys(("split", "extract", "findall", "get", "cat", "join"), "use sql(), or map with a function of Python"),
    "match": "use contains with a pattern that begins with ^",
    "fullmatch": "use contains with a pattern that begins with ^ and ends with $",
    "lstrip": "use strip",
    "rstrip": "use strip",
    "title": "use map(str.title)",
    "zfill": "use map with a function of Python",
}

#: Of ``.dt``.
DATES: Mapping[str, str] = {
    **dict.fromkeys(("tz_localize", "tz_convert"), "times have no zone here"),
    "strftime": "use map with a function of Python",
    "normalize": 'use floor("D")',
    "day_name": "use dayofweek, Monday is 0",
    "to_period": 'use floor("D"), or year and month',
    "quarter": "use (month - 1) // 3 + 1",
}

#: Of the module.
MODULE: Mapping[str, str] = {
    **dict.fromkeys(("read_sql", "read_sql_table", "read_sql_query"), "export the table as Parquet or CSV"),
    **dict.fromkeys(("read_hdf", "read_orc", "read_fwf", "read_table"), "use read_csv, read_parquet or read_json"),
    **dict.fromkeys(("from_delayed", "from_map"), "use from_pandas, or read the files by a pattern"),
    **dict.fromkeys(("from_array", "from_dask_array", "from_dict"), "make a frame of pandas and use from_pandas"),
    "get_dummies": "compute() first, then use pandas.get_dummies",
    "to_numeric": "use astype(float)",
    **dict.fromkeys(("to_csv", "to_json", "to_parquet", "map_partitions", "isna"), "use the method of the frame"),
    **dict.fromkeys(("melt", "pivot_table"), "compute() first, then use that of pandas"),
    "Aggregation": "use groupby(...).apply(function), or sql()",
    "Index": "reset_index() makes an index with a name a column",
    "merge_asof": "compute() first, then use pandas.merge_asof",
    "repartition": _PARTITIONS,
}

_CLUSTERS = "there is LocalCluster; on several machines start cardoon data scheduler, and cardoon data executor"
_APART = "calls are made in processes of their own, which share files or a database; what they return is a future's result"

#: Of ``cardoon.distributed``.
DISTRIBUTED: Mapping[str, str] = {
    **dict.fromkeys(("Lock", "MultiLock", "Semaphore", "Event", "Queue", "Variable", "Pub", "Sub"), _APART),
    **dict.fromkeys(("get_client", "default_client", "worker_client"), "a call has no client; return what is to be called next, or make a Client there"),
    **dict.fromkeys(("get_worker", "secede", "rejoin"), "a call has its process for itself, and knows of no worker"),
    **dict.fromkeys(("SSHCluster", "SpecCluster", "Scheduler", "Worker", "Nanny"), _CLUSTERS),
    "performance_report": "explain() and ProgressBar tell of a query",
}

#: Of clients.
CLIENT: Mapping[str, str] = {
    **dict.fromkeys(("restart", "restart_workers", "retire_workers"), "close the client and make another one"),
    **dict.fromkeys(("run", "run_on_scheduler"), "submit the function; any worker that is free calls it"),
    **dict.fromkeys(("publish_dataset", "get_dataset", "list_datasets", "unpublish_dataset"), "keep persist() in a variable"),
    **dict.fromkeys(("upload_file", "register_plugin"), "functions of the program travel by value, and modules that it finds workers find too"),
    "wait_for_workers": "a LocalCluster has all of them when it is there; scheduler_info() lists those of others",
    **dict.fromkeys(("who_has", "has_what", "rebalance", "replicate"), "workers keep nothing after a query"),
    "get": "use submit, or delayed",
    "profile": "use a profiler of Python",
}


def attribute(said: str, name: str, missing: Mapping[str, str], of_pandas: object) -> NoReturn:
    """Raises for an attribute that an object, of which ``said`` says what it is, does not have. ``of_pandas`` is what has it in
    pandas, if anything has."""
    if name in missing:
        raise NotSupported(f"{said} has no {name} here: {missing[name]}", name=name)
    if not name.startswith("_") and hasattr(of_pandas, name):
        raise NotSupported(f"{said} has no {name} here: {_COMPUTE}", name=name)
    raise AttributeError(f"{said} has no attribute {name!r}", name=name)


def option(function: str, name: str, value: object, nearest: str) -> NoReturn:
    """Raises for an option of pandas or Dask that has no effect here that is right."""
    raise NotSupported(f"{function} does not take {name}={value!r:.100} here: {nearest}")


def of_module(module: str, name: str, missing: Mapping[str, str]) -> NoReturn:
    """Raises for a name that the module does not have. ``from module import name`` shows Python's own text of it."""
    if name in missing:
        raise NotSupported(f"{module} has no {name} here: {missing[name]}", name=name)
    raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
