"""From Arrow's tables to frames of pandas."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd
import pyarrow as pa

from cardoon_data import _index
from cardoon_data._table import Table


def named(series: pd.Series, name: Hashable) -> pd.Series:
    """The same values by another name."""
    made = series.copy(deep=False)
    made.name = name
    return made


def frame(rows: pa.Table, table: Table) -> pd.DataFrame:
    """The rows of ``table`` with its index, and with its columns as pandas calls them."""
    made: pd.DataFrame = rows.to_pandas()
    made = _index.restore(made, table.index)
    labels: list[Any] = [table.label(name) for name in table.visible]
    if labels and all(isinstance(label, tuple) for label in labels):
        made.columns = pd.MultiIndex.from_tuples(labels)
    elif labels != list(made.columns):
        made.columns = pd.Index(labels)
    return made
