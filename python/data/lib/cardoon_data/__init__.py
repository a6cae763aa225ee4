"""Dask's dataframes on the engine of Cardoon.

>>> import cardoon.dataframe as dd
>>> logs = dd.read_csv("logs/*.csv")
>>> logs.groupby("user_id").size().compute()

Frames are lazy: nothing is read but samples until ``compute``, which answers with objects of pandas. Names are those of
pandas and Dask; a name that is not supported says so, and what comes nearest.
"""

from __future__ import annotations

# Checkers take it for true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from cardoon_data._collection import compute
    from cardoon_data._delayed import Delayed, delayed
    from cardoon_data._frame import DataFrame
    from cardoon_data._missing import NotSupported
    from cardoon_data._progress import ProgressBar
    from cardoon_data._reading import concat, from_pandas, merge, read_csv, read_json, read_parquet, sql, to_datetime
    from cardoon_data._scalar import Scalar
    from cardoon_data._series import Series

__all__ = [
    "DataFrame",
    "Delayed",
    "NotSupported",
    "ProgressBar",
    "Scalar",
    "Series",
    "compute",
    "concat",
    "delayed",
    "from_pandas",
    "merge",
    "read_csv",
    "read_json",
    "read_parquet",
    "sql",
    "to_datetime",
]

_HOMES = {
    **dict.fromkeys(("concat", "from_pandas", "merge", "read_csv", "read_json", "read_parquet"), "_reading"),
    **dict.fromkeys(("sql", "to_datetime"), "_reading"),
    **dict.fromkeys(("Delayed", "delayed"), "_delayed"),
    "DataFrame": "_frame",
    "NotSupported": "_missing",
    "ProgressBar": "_progress",
    "Scalar": "_scalar",
    "Series": "_series",
    "compute": "_collection",
}


if not TYPE_CHECKING:  # A type checker is to find names that are not there.

    def __getattr__(name: str) -> Any:
        """Imports what is asked for: the ``cardoon-data`` command, which is this package too, needs no pandas. Of a name of
        Dask that is not there it says what there is in place of it."""
        from importlib import import_module

        home = _HOMES.get(name)
        if home is None:
            missing = import_module(f"{__name__}._missing")
            missing.of_module("cardoon.dataframe", name, missing.MODULE, __all__)
        value = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
