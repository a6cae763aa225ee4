"""What comes nearest to names of frames, series, groups and ``dask.dataframe``."""

from __future__ import annotations

from collections.abc import Mapping

_NO_ORDER = "rows have no number here; compute() first, or write it as a window in sql()"
_LOCATE = "rows have no number here; filter by a condition, sort and take head(), or compute() first"
_COMPUTE = "compute() first, then it is there on the object of pandas"
_PARTITIONS = "the engine divides the work itself, without partitions that have a name"
_PLAN = "the engine makes its plan in compute(); explain() and visualize() show it"
_MORE = "compute() first; or ask for it with groups or a query in sql()"

#: Of frames and series.
COLLECTION: Mapping[str, str] = {
    **dict.fromkeys(("iloc", "loc", "at", "iat", "take", "xs"), _LOCATE),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "shift", "diff", "rolling", "rank", "ffill"), _NO_ORDER),
    **dict.fromkeys(("bfill", "interpolate", "ewm", "expanding", "pct_change", "asfreq", "autocorr"), _NO_ORDER),
    **dict.fromkeys(("partitions", "divisions", "known_divisions", "get_partition", "to_delayed"), _PARTITIONS),
    **dict.fromkeys(("clear_divisions", "compute_current_divisions", "enforce_runtime_divisions"), _PARTITIONS),
    **dict.fromkeys(("map_overlap", "memory_usage_per_partition", "shuffle"), _PARTITIONS),
    **dict.fromkeys(("dask", "expr", "optimize", "simplify", "lower_once", "analyze", "pprint"), _PLAN),
    **dict.fromkeys(("iterrows", "itertuples", "items", "plot", "hist", "corr", "cov", "mode", "explode"), _COMPUTE),
    **dict.fromkeys(("values", "to_numpy", "to_dask_array", "pivot_table", "melt", "stack", "unstack"), _COMPUTE),
    **dict.fromkeys(("T", "transpose", "to_records", "from_dict", "nbytes", "to_backend"), _COMPUTE),
    "info": "dtypes shows the columns, len() counts the rows",
    "index": "there is an index in what compute() gives; reset_index() makes a named one a column",
    "sample": "sql() can do it: select * from this where random() < 0.01",
    "random_split": "add a column by sql(): select *, random() as part from this; persist() it, and filter by that",
    "resample": 'group by the begin of the time: groupby(times.dt.floor("D")), or write date_bin in sql()',
    "append": "use concat([first, second])",
    "to_sql": "write with to_parquet or to_csv, then load that",
    "to_hdf": "write with to_parquet",
    "to_orc": "write with to_parquet",
    "to_bag": "compute() first, and go on with a list of Python, or map_partitions",
    "insert": "use assign(name=values) or frame[name] = values",
    "pop": "use drop(columns=...)",
    "reduction": "use agg, or map_partitions",
    "median_approximate": "use median()",
    "nunique_approx": "use nunique(), which is exact and goes through files where it has to",
    "eval": "use assign, or sql()",
    "where": "use where of a series",
    "mask": "use mask of a series",
    "replace": "use replace of a series",
    "idxmax": "use nlargest(1)",
    "idxmin": "use nsmallest(1)",
    "combine_first": "use fillna, or sql(): coalesce(a, b)",
}

#: Of frames alone.
FRAME: Mapping[str, str] = {
    **COLLECTION,
    "categorize": "texts need no categories here; group by them, or use them, as they are",
    **dict.fromkeys(("all", "any", "prod", "product", "sem", "skew", "kurt", "kurtosis"), _MORE),
    **dict.fromkeys(("add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow"), "use assign with operators of columns"),
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge", "isin"), "compare columns: frame[name] > 0"),
    **dict.fromkeys(("add_prefix", "add_suffix", "rename_axis"), "use rename(columns=...)"),
    "map": "use map of a series, or map_partitions",
    "empty": "use len(frame) == 0, or len(frame.head(1)) == 0, which reads less",
}

#: Of series alone.
SERIES: Mapping[str, str] = {
    **COLLECTION,
    **dict.fromkeys(("prod", "product", "sem", "skew", "kurt", "kurtosis"), _MORE),
    "groupby": "group its frame: frame.groupby(by)[name]",
    "cat": "texts need no categories here; use them as they are",
    "divide": "use div, or the operator /",
    "to_json": "use to_frame().to_json(...)",
    "columns": "a series has a name; to_frame() makes it a frame",
    "dtypes": "use dtype",
}

#: Of what ``groupby`` answers.
GROUPBY: Mapping[str, str] = {
    **dict.fromkeys(("cumsum", "cumcount", "cumprod", "shift", "rank", "rolling", "head", "tail", "ffill"), _NO_ORDER),
    **dict.fromkeys(("bfill", "nth", "diff", "pct_change", "resample", "expanding", "ewm"), _NO_ORDER),
    **dict.fromkeys(("get_group", "groups", "ngroups", "indices"), "filter by the key instead"),
    **dict.fromkeys(("idxmin", "idxmax"), "sort by the column and drop_duplicates(subset=keys)"),
    "quantile": "use median(), or apply(lambda group: group.quantile(...))",
    "transform": "merge the result of the groups with the frame: frame.merge(result.rename(name), on=key)",
    "filter": "merge the keys to be kept with the frame: frame.merge(keys, on=key)",
    "value_counts": "group by the column too: groupby([key, name]).size()",
    "unique": "use frame[[key, name]].drop_duplicates()",
    "compute": "say what is to be made of each group first: size(), sum(), agg(...) or apply(...)",
    "pipe": "call the function with the groups",
    **dict.fromkeys(("prod", "sem", "skew", "corr", "cov", "any", "all", "ohlc"), "use apply, with a function of a group"),
}

_MAP = "use map with a function of Python"

#: Of ``.str``.
STRINGS: Mapping[str, str] = {
    **dict.fromkeys(("split", "extract", "findall", "get", "cat", "join"), "use sql(), or map with a function of Python"),
    **dict.fromkeys(("rsplit", "partition", "rpartition", "extractall", "get_dummies"), _COMPUTE),
    **dict.fromkeys(("zfill", "ljust", "rjust", "center", "pad", "repeat", "wrap", "translate", "encode", "decode"), _MAP),
    **dict.fromkeys(("isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace"), _MAP),
    **dict.fromkeys(("istitle", "isupper", "normalize", "rfind", "index", "rindex", "slice_replace", "swapcase"), _MAP),
    "match": "use contains with a pattern that begins with ^",
    "fullmatch": "use contains with a pattern that begins with ^ and ends with $",
    "lstrip": "use strip",
    "rstrip": "use strip",
    "removeprefix": "use map(lambda text: text.removeprefix(...))",
    "removesuffix": "use map(lambda text: text.removesuffix(...))",
    "capitalize": "use map(str.capitalize)",
    "casefold": "use lower, or map(str.casefold)",
    "title": "use map(str.title)",
    "count": "use map(lambda text: text.count(...)), or regexp_count in sql()",
    "find": "use contains, or strpos in sql(), which counts from 1",
}

#: Of ``.dt``.
DATES: Mapping[str, str] = {
    **dict.fromkeys(("tz_localize", "tz_convert", "tz", "timetz"), "times have no zone here"),
    **dict.fromkeys(("strftime", "time", "to_pydatetime", "microsecond", "nanosecond", "month_name"), _MAP),
    **dict.fromkeys(("days", "seconds", "microseconds", "nanoseconds", "total_seconds", "components", "isocalendar"), _COMPUTE),
    **dict.fromkeys(("round", "ceil"), "use floor, or date_bin in sql()"),
    **dict.fromkeys(("is_month_start", "is_year_start", "is_quarter_start"), "compare day and month: dt.day == 1"),
    **dict.fromkeys(("day_of_year", "dayofyear"), "sql() has it: extract(doy from a)"),
    **dict.fromkeys(("week", "weekofyear"), "sql() has it: extract(week from a)"),
    "normalize": 'use floor("D")',
    "day_name": "use dayofweek, Monday is 0",
    "to_period": 'use floor("D"), or year and month',
    "quarter": "use (month - 1) // 3 + 1",
}

#: Of single values that are to be computed.
SCALAR: Mapping[str, str] = {
    **COLLECTION,
    **dict.fromkeys(("persist", "item", "astype", "dtype"), "compute() answers the number itself; float() and int() do too"),
    **dict.fromkeys(("to_series", "abs", "isna", "fillna"), "compute() first, and go on with the number"),
    **dict.fromkeys(("columns", "npartitions", "map_partitions", "repartition"), "compute() first, and go on with the number"),
}

#: Of small results, such as ``frame.sum()``.
RESULT: Mapping[str, str] = {
    **dict.fromkeys(("dask", "expr", "optimize", "simplify", "lower_once", "analyze", "pprint"), _PLAN),
    **{name: _PARTITIONS for name in COLLECTION if COLLECTION[name] == _PARTITIONS},
    **dict.fromkeys(("persist", "npartitions", "repartition"), "it is small: compute() it, and keep that"),
    **dict.fromkeys(("map_partitions", "random_split", "reduction", "to_backend", "to_dask_array", "to_bag"), _COMPUTE),
    **dict.fromkeys(("categorize", "median_approximate", "nunique_approx", "from_dict", "nbytes"), _COMPUTE),
}

_METHOD = "use the method of the frame"

#: Of ``dask.dataframe``.
MODULE: Mapping[str, str] = {
    **dict.fromkeys(("read_sql", "read_sql_table", "read_sql_query"), "export the table as Parquet or CSV"),
    **dict.fromkeys(("read_hdf", "read_orc", "read_fwf", "read_table"), "use read_csv, read_parquet or read_json"),
    **dict.fromkeys(("from_delayed", "from_map"), "use from_pandas, or read the files by a pattern"),
    **dict.fromkeys(("from_array", "from_dask_array", "from_dict"), "make a frame of pandas and use from_pandas"),
    **dict.fromkeys(("to_records", "to_bag", "from_graph"), _COMPUTE),
    "from_dask_dataframe": "write it with to_parquet there, and read_parquet here",
    **dict.fromkeys(("to_hdf", "to_orc", "to_sql"), "use to_parquet or to_csv of the frame"),
    "assert_eq": "compute() first, then use pandas.testing.assert_frame_equal",
    "get_dummies": "compute() first, then use pandas.get_dummies",
    "to_numeric": "use astype(float)",
    "to_timedelta": "compute() first, then use pandas.to_timedelta",
    **dict.fromkeys(("to_csv", "to_json", "to_parquet", "map_partitions", "isna"), _METHOD),
    **dict.fromkeys(("melt", "pivot_table"), "compute() first, then use that of pandas"),
    "Aggregation": "use groupby(...).apply(function), or sql()",
    "Index": "reset_index() makes an index with a name a column",
    "merge_asof": "compute() first, then use pandas.merge_asof",
    **dict.fromkeys(("repartition", "map_overlap"), _PARTITIONS),
    "extensions": "there are no extension types here; compute() first",
}
