"""One value of a column, or of each column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from helpers.same import assert_same

SAME: dict[str, Callable[[Any], Any]] = {
    "least text": lambda df: df.action.dropna().min(),
    "greatest time": lambda df: df.when.max(),
    "different texts": lambda df: df.action.nunique(),
    "quantile": lambda df: df.seconds.quantile(0.3),
    "quantiles": lambda df: df.seconds.quantile([0.25, 0.5]),
    "quantile of numbers": lambda df: df[["seconds", "amount"]].quantile(0.9),
    "quantiles of numbers": lambda df: df[["seconds", "amount"]].quantile([0.1, 0.9]),
    "describe": lambda df: df[["seconds", "amount"]].describe(),
    "describe a series": lambda df: df.seconds.describe(),
    "any": lambda df: (df.amount > 19).any(),
    "all": lambda df: (df.amount > 19).all(),
    "sum of a condition": lambda df: (df.amount > 1).sum(),
    "mean of a condition": lambda df: (df.amount > 1).mean(),
    "count of all columns": lambda df: df.count(),
    "numbers only": lambda df: df.mean(numeric_only=True),
    "agg of a dict": lambda df: df.agg({"seconds": "sum", "amount": "max"}),
    "a scalar with a constant": lambda df: df.amount.sum() * 2 + 1,
    "a constant with a scalar": lambda df: 100 - df.amount.sum(),
    "two scalars": lambda df: df.seconds.sum() / df.amount.sum(),
    "a series with a scalar": lambda df: df.amount - df.amount.mean(),
    "a scalar with a series": lambda df: df.amount.max() - df.amount,
    "a condition with a scalar": lambda df: df.amount > df.amount.mean(),
    "sum of nothing": lambda df: df[df.amount > 1000].seconds.sum(),
    "count of nothing": lambda df: df[df.amount > 1000].seconds.count(),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_summaries_are_those_of_pandas(make: Callable[[Any], Any], ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(make(ours), make(theirs))


@pytest.mark.parametrize("function", ["sum", "mean", "min", "max", "std", "var", "median", "count", "nunique"])
def test_functions_of_columns_are_those_of_pandas(function: str, ours: Any, theirs: pd.DataFrame) -> None:
    for columns in ("seconds", "amount", ["seconds", "amount"]):
        assert_same(getattr(ours[columns], function)(), getattr(theirs[columns], function)())


def test_unique_values_come_as_they_are_seen_first(ours: Any, theirs: pd.DataFrame) -> None:
    assert ours.user_id.unique().compute().to_list() == list(theirs.user_id.unique())
    assert_same(ours.action.drop_duplicates(), theirs.action.drop_duplicates(), numbered=True)


def test_a_scalar_is_a_number_when_python_asks_for_one(ours: Any, theirs: pd.DataFrame) -> None:
    total = ours.amount.sum()
    assert int(total) == theirs.amount.sum()
    assert float(total) == float(theirs.amount.sum())
    assert f"{total:.1f}" == f"{theirs.amount.sum():.1f}"
    assert bool(total > 0)
    assert round(ours.seconds.mean(), 2) == round(theirs.seconds.mean(), 2)
    assert "to be computed" in repr(total)


def test_texts_have_no_mean(ours: Any) -> None:
    with pytest.raises(TypeError, match="numeric_only"):
        ours.mean()
    with pytest.raises(TypeError, match="text"):
        ours.action.mean()


def test_several_objects_are_computed_together(ours: Any, theirs: pd.DataFrame) -> None:
    total, rows, plain = dd.compute(ours.amount.sum(), ours.user_id, 5)
    assert total == theirs.amount.sum()
    assert_same(rows, theirs.user_id)
    assert plain == 5
