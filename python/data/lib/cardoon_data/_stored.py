"""Rows that are there already, in temporary files of Parquet that live as long as the frames made of them."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cardoon_data import _index, _kinds, _local
from cardoon_data._folders import Folder
from cardoon_data._table import Column, Table

if TYPE_CHECKING:
    from cardoon_data._frame import DataFrame
    from cardoon_data._series import Series


class _File:
    """A file in a folder of its own, which are removed with this object, and at the latest with this process; if that is killed,
    by the next one."""

    def __init__(self) -> None:
        self._folder = Folder()
        self.path = os.path.join(self._folder.path, "rows.parquet")


def of_table(table: Table) -> Table:
    """The rows of a table, computed."""
    file = _File()
    _local.current().write(table, file.path, "parquet")
    return replace(table, plan=_scan(file), keeps=(file,), rows=frozenset([object()]))


def of_frame(frame: pd.DataFrame) -> DataFrame:
    """The rows of a frame of pandas."""
    from cardoon_data._frame import DataFrame

    labels = {str(label): label for label in frame.columns}
    if len(labels) < len(frame.columns):
        raise ValueError("two columns of the frame have the same name")
    plain = frame.set_axis(list(labels), axis="columns")
    plain = plain.apply(lambda column: column.astype(column.cat.categories.dtype) if _is_category(column) else column)
    names: list[Hashable] = [] if _index.is_default(frame.index) else list(frame.index.names)
    levels = _index.levels(names)
    if levels:
        plain = plain.rename_axis([level.column for level in levels]).reset_index()
    rows = pa.Table.from_pandas(plain, preserve_index=False)
    file = _File()
    pq.write_table(rows, file.path)
    columns = {field.name: _column(field, labels.get(field.name)) for field in rows.schema}
    return DataFrame(Table(_scan(file), columns, levels, keeps=(file,)))


def of_series(series: pd.Series) -> Series:
    """The values of a series of pandas."""
    from cardoon_data._series import Series

    table = of_frame(series.to_frame("__value__"))._table
    return Series(table, table.term("__value__"), series.name)


def of_pandas(made: Any) -> DataFrame | Series:
    """What a function of the user made: a frame, a series, or a value, which becomes a series of one."""
    if isinstance(made, pd.DataFrame):
        return of_frame(made)
    return of_series(made if isinstance(made, pd.Series) else pd.Series([made]))


def _column(field: pa.Field, label: Hashable) -> Column:
    return Column(_kinds.of_arrow(field.type), None if label == field.name else label)


def _is_category(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def _scan(file: _File) -> dict[str, Any]:
    return {"scan": {"paths": [file.path], "format": "parquet"}}
