"""How functions are called: what travels to the processes that call them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from cardoon_data import _pandas
from cardoon_data._layout import Layout
from cardoon_data._table import Table

#: The column with the places of rows, as the engine calls it.
PLACE = "__cardoon_place__"
#: The column with the numbers of the rows that a function makes of some groups.
ROW = "__row__"


@dataclass(frozen=True)
class Call:
    """A function of the rows of ``source``, which become a frame of pandas, or a series by the name of its only column."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]
    source: Table
    is_series: bool = False
    #: What the series is called.
    name: Hashable = None
    #: How its results lie in columns; before that is known nothing.
    layout: Layout | None = None

    def rows(self, rows: pa.Table, first_row: int) -> pa.Table:
        """The rows that it makes of others, the first of which has this number."""
        assert self.layout is not None
        return self.layout.rows(self.made(rows, first_row))

    def made(self, rows: pa.Table, first_row: int) -> Any:
        """What it makes of them, in pandas."""
        return self.function(self.given(rows, first_row), *self.args, **self.options)

    def given(self, rows: pa.Table, first_row: int) -> Any:
        frame = _pandas.frame(rows.rename_columns(list(self.source.columns)), self.source)
        if not self.source.index:
            frame.index = pd.RangeIndex(first_row, first_row + len(frame))
        return _pandas.named(frame.iloc[:, 0], self.name) if self.is_series else frame

    def lying(self, layout: Layout) -> Call:
        """The same, whose results lie so."""
        return replace(self, layout=layout)


@dataclass(frozen=True)
class OfGroups(Call):
    """A function of each group of rows. Columns of ``source`` named by :func:`key_column` are the keys, which are called ``keys`` in pandas, and
    it is given those called ``labels``, or the only one of them."""

    keys: tuple[Any, ...] = ()
    labels: Any = None
    keeps_nulls: bool = False
    #: Whether meta says the index, so that levels more are no mistake: there are as many as a group's result has.
    has_meta: bool = False

    def rows(self, rows: pa.Table, first_row: int) -> pa.Table:
        assert self.layout is not None
        frame = self._keyed(rows, first_row)
        made = self._lying(self._of_each(frame), self.layout) if len(frame) else self.layout.schema.empty_table()
        return made.append_column(ROW, pa.array(range(made.num_rows), pa.int64()))

    def made(self, rows: pa.Table, first_row: int) -> Any:
        return self._of_each(self._keyed(rows, first_row))

    def _keyed(self, rows: pa.Table, first_row: int) -> pd.DataFrame:
        """The rows by their places. Those without a key are among the rows, since they count, and are left out here."""
        places = rows[PLACE].to_pandas() if PLACE in rows.column_names else None
        frame: pd.DataFrame = self.given(rows.select(list(self.source.columns)), first_row)
        if places is not None and not self.source.index:
            frame.index = pd.Index(places, name=None)
        if self.keeps_nulls:
            return frame
        names = [key_column(place) for place in range(len(self.keys))]
        kept: pd.DataFrame = frame[frame[names].notna().all(axis=1)]
        return kept

    def _of_each(self, frame: pd.DataFrame) -> Any:
        frame = frame.copy(deep=False)
        keys = [_pandas.named(frame.pop(key_column(place)), label) for place, label in enumerate(self.keys)]
        groups = frame.groupby(keys[0] if len(keys) == 1 else keys, dropna=not self.keeps_nulls)
        return groups[self.labels].apply(self.function, *self.args, **self.options)

    def _lying(self, objects: Any, layout: Layout) -> pa.Table:
        levels = len(layout.index)
        if self.has_meta and objects.index.nlevels > levels:
            objects = objects.droplevel(list(range(levels, objects.index.nlevels)))
        return layout.rows(objects)


def key_column(place: int) -> str:
    """The column that holds a key."""
    return f"__key_{place}__"


def each_row(frame: pd.DataFrame, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """``frame.apply`` for rows."""
    return frame.apply(function, axis=1, args=args, **options)


def each_value(series: pd.Series, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """``series.apply``."""
    return series.apply(function, args=args, **options)


def mapped(series: pd.Series, function: Any, na_action: Any) -> pd.Series:
    """``series.map``."""
    made: pd.Series = series.map(function, na_action=na_action)
    return made
