"""Rows for those who take Arrow's."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cardoon_data import NotSupported


def test_rows_come_as_a_table_of_arrow(ours: Any, theirs: pd.DataFrame) -> None:
    rows = ours.to_arrow()
    assert isinstance(rows, pa.Table)
    assert rows.column_names == list(theirs.columns)
    assert rows["amount"].to_pylist() == theirs.amount.to_list()
    assert rows["action"].null_count == theirs.action.isna().sum()


def test_the_index_becomes_the_first_columns(ours: Any) -> None:
    groups = ours.groupby(["user_id", "action"]).agg({"amount": ["sum", "max"]}).to_arrow()
    assert groups.column_names == ["user_id", "action", "amount_sum", "amount_max"]
    assert groups.num_rows == 6


def test_rows_come_as_a_frame_of_polars(ours: Any, theirs: pd.DataFrame) -> None:
    frame = ours[ours.amount > 0].to_polars()
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(theirs.columns)
    assert frame["amount"].to_list() == theirs.amount[theirs.amount > 0].to_list()


def test_without_polars_it_says_what_to_do(ours: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(NotSupported, match="pip install polars"):
        ours.to_polars()


def test_whoever_takes_capsules_takes_a_frame(ours: Any, theirs: pd.DataFrame) -> None:
    assert pl.DataFrame(ours)["amount"].sum() == theirs.amount.sum()
    assert pa.table(ours).num_rows == len(theirs)
