"""Summaries of the columns of a frame: all values of a column become one, or a few."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from cardoon_data import _aggregates
from cardoon_data._kinds import is_number
from cardoon_data._missing import NotSupported
from cardoon_data._result import Result
from cardoon_data._table import Table
from cardoon_data._terms import Term

_DESCRIBED = ("count", "mean", "std", "min", "25%", "50%", "75%", "max")


def of_columns(table: Table, function: str, numeric_only: bool = False) -> Result[pd.Series]:
    """A function of each column, as a series by the names of the columns."""
    names = _aggregates.columns(table, function, numeric_only)
    made = _aggregates.aggregated(table, {}, {name: (function, table.term(name)) for name in names})
    return Result(made, lambda frame: _first_row(frame, [table.label(name) for name in names]))


def of_dict(table: Table, functions: Mapping[str, Any]) -> Result[pd.Series]:
    """A function of its own for each column."""
    wanted = {name: (_aggregates.name(how), table.term(name)) for name, how in functions.items()}
    made = _aggregates.aggregated(table, {}, wanted)
    return Result(made, lambda frame: _first_row(frame, [table.label(name) for name in wanted]))


def quantiles(table: Table, q: float | Sequence[float]) -> Result[pd.Series] | Result[pd.DataFrame]:
    """Quantiles of each column of numbers."""
    names = _aggregates.columns(table, "quantile", numeric_only=True)
    each = [q] if isinstance(q, int | float) else list(q)
    wanted = {f"{name}|{part}": _aggregates.term("quantile", table.term(name), part) for part in each for name in names}
    made = table.aggregate({}, wanted)
    if isinstance(q, int | float):
        return Result(made, lambda frame: _first_row(frame, names).rename(q))
    return Result(made, lambda frame: _table_of(frame, names, list(each), lambda name, part: f"{name}|{part}"))


def describe(table: Table) -> Result[pd.DataFrame]:
    """Count, mean, deviation, least, quartiles and greatest of each column of numbers."""
    names = [name for name in table.visible if is_number(table.columns[name].kind)]
    if not names:
        raise NotSupported("describe() is there for numbers only; value_counts() and nunique() tell of texts")
    wanted = {f"{name}|{part}": _described(part, table.term(name)) for name in names for part in _DESCRIBED}
    made = table.aggregate({}, wanted)
    shape = lambda frame: _table_of(frame, names, list(_DESCRIBED), lambda name, part: f"{name}|{part}")  # noqa: E731
    return Result(made, shape)


def _described(part: str, of: Term) -> Term:
    if part.endswith("%"):
        return _aggregates.term("quantile", of, float(part[:-1]) / 100)
    return _aggregates.term(part, of)


def _first_row(frame: pd.DataFrame, labels: Sequence[object]) -> pd.Series:
    row = frame.iloc[0]
    return pd.Series(row.to_list(), index=pd.Index(list(labels)), dtype=row.dtype)


def _table_of(
    frame: pd.DataFrame, names: Sequence[str], parts: Sequence[float | str], column: Callable[[str, float | str], str]
) -> pd.DataFrame:
    """A column for each name, a row for each part, from one row that has all."""
    columns = {name: [float(frame[column(name, part)].iloc[0]) for part in parts] for name in names}
    return pd.DataFrame(columns, index=list(parts))
