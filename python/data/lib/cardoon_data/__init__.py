"""Dask's dataframes on the engine of Cardoon.

>>> import cardoon.dataframe as dd
>>> logs = dd.read_csv("logs/*.csv")
>>> logs.groupby("user_id").size().compute()

Frames are lazy: nothing is read but samples until ``compute``, which answers with objects of pandas. Names are those of
pandas and Dask; a name that is not supported says so, and what comes nearest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardoon_data import _missing
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


if not TYPE_CHECKING:  # A type checker is to find names that are not there.

    def __getattr__(name: str) -> Any:
        """Says what there is in place of a name of Dask."""
        _missing.of_module(__name__, name, _missing.MODULE)
