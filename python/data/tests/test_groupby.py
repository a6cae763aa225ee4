"""Groups: results, order and index are those of pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from helpers.same import assert_same

FUNCTIONS = ["count", "sum", "mean", "min", "max", "std", "var", "median", "nunique", "first", "last"]

SAME: dict[str, Callable[[Any], Any]] = {
    "size": lambda df: df.groupby("user_id").size(),
    "size of groups of texts": lambda df: df.groupby("action").size(),
    "size with missing keys": lambda df: df.groupby("action", dropna=False).size(),
    "size by two keys": lambda df: df.groupby(["user_id", "action"]).size(),
    "size of a column": lambda df: df.groupby("user_id")["seconds"].size(),
    "a column as an attribute": lambda df: df.groupby("user_id").seconds.sum(),
    "a key's own count": lambda df: df.groupby("user_id")["user_id"].count(),
    "columns": lambda df: df.groupby("user_id")[["seconds", "amount"]].sum(),
    "numbers only": lambda df: df.groupby("user_id").mean(numeric_only=True),
    "all columns": lambda df: df.groupby(["user_id", "action"]).max(),
    "count of all columns": lambda df: df.groupby("user_id").count(),
    "by a series": lambda df: df.groupby(df.amount % 2).size(),
    "by a series and a column": lambda df: df.groupby([df.seconds.isnull(), "user_id"]).amount.sum(),
    "agg by name": lambda df: df.groupby("user_id").seconds.agg("mean"),
    "agg by a function": lambda df: df.groupby("user_id").amount.agg(sum),
    "agg of a list": lambda df: df.groupby("user_id").amount.agg(["min", "max", "size"]),
    "agg of a dict": lambda df: df.groupby("user_id").agg({"amount": "sum", "action": "nunique"}),
    "agg of a dict of lists": lambda df: df.groupby("user_id").agg({"amount": ["sum", "mean"], "seconds": ["max"]}),
    "agg of named pairs": lambda df: df.groupby("user_id").agg(total=("amount", "sum"), longest=("seconds", "max")),
    "agg of named aggregates": lambda df: df.groupby("action").agg(n=pd.NamedAgg("amount", "count")),
    "agg of a column by names": lambda df: df.groupby("user_id").amount.agg(low="min", high="max"),
    "of a condition": lambda df: df[df.amount > 0].groupby("user_id").size(),
    "sum of conditions": lambda df: df.assign(big=df.amount > 5).groupby("user_id").big.sum(),
    "mean of conditions": lambda df: df.assign(big=df.amount > 5).groupby("user_id").big.mean(),
    "reset_index": lambda df: df.groupby("user_id").size().reset_index(name="n"),
    "reset_index of two keys": lambda df: df.groupby(["user_id", "action"]).amount.sum().reset_index(),
    "reset_index without a name": lambda df: df.groupby("user_id").size().reset_index(),
    "renamed from 0": lambda df: df.groupby("user_id").size().reset_index().rename(columns={0: "n"}),
    "to_frame": lambda df: df.groupby("user_id").size().to_frame("n"),
    "of a result": lambda df: df.groupby("user_id").size().reset_index(name="n").groupby("n").size(),
    "the greatest": lambda df: df.groupby("user_id").size().nlargest(2),
    "sorted": lambda df: df.groupby("user_id").amount.sum().sort_values(ascending=False),
    "some of them": lambda df: df.groupby("user_id").size()[df.groupby("user_id").size() > 1],
    "a result with a constant": lambda df: df.groupby("user_id").amount.sum() / 2,
    "two results": lambda df: df.groupby("user_id").amount.sum() / df.groupby("user_id").size(),
    "results with different keys": lambda df: (
        df.groupby("user_id").amount.sum() + df[df.amount > 5].groupby("user_id").size()
    ),
    "head": lambda df: df.groupby("user_id").size().head(2),
    "head of a frame": lambda df: df.groupby("user_id")[["amount"]].sum().head(2),
    "value_counts of a column without ties": lambda df: df[df.user_id != 10].dropna().action.value_counts().nlargest(1),
    "value_counts as parts": lambda df: (df.amount > 100).value_counts(normalize=True),
    "the first after sorting": lambda df: df.sort_values("amount").groupby("user_id").amount.first(),
    "the last after sorting": lambda df: df.sort_values("amount").groupby("user_id").amount.last(),
    "a result in groups": lambda df: (
        df.groupby(["user_id", "action"]).amount.sum().reset_index().groupby("action").amount.max()
    ),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_groups_are_those_of_pandas(make: Callable[[Any], Any], ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(make(ours), make(theirs))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("column", ["seconds", "amount"])
def test_functions_of_groups_are_those_of_pandas(function: str, column: str, ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(getattr(ours.groupby("user_id")[column], function)(), getattr(theirs.groupby("user_id")[column], function)())
    assert_same(ours.groupby("action")[[column]].agg(function), theirs.groupby("action")[[column]].agg(function))


@pytest.mark.parametrize("function", ["count", "min", "max", "nunique", "first", "last"])
@pytest.mark.parametrize("column", ["action", "when"])
def test_functions_of_texts_and_times_are_those_of_pandas(
    function: str, column: str, ours: Any, theirs: pd.DataFrame
) -> None:
    assert_same(getattr(ours.groupby("user_id")[column], function)(), getattr(theirs.groupby("user_id")[column], function)())


def test_the_size_is_a_series_of_int64_without_a_name(ours: Any) -> None:
    size = ours.groupby("user_id").size().compute()
    assert (size.dtype, size.name, size.index.name) == ("int64", None, "user_id")
    assert size.index.is_monotonic_increasing


def test_values_that_are_equally_frequent_are_counted_in_their_order() -> None:
    counts = dd.from_pandas(pd.Series(["b", "a", "c", "c", None], name="x")).value_counts().compute()
    assert counts.index.to_list() == ["c", "a", "b"]
    assert counts.to_list() == [2, 1, 1]
    assert (counts.name, counts.index.name) == ("count", "x")
    with_missing = dd.from_pandas(pd.Series(["b", None], name="x")).value_counts(dropna=False).compute()
    assert with_missing.to_list() == [1, 1]


def test_many_groups_stay_sorted_behind_a_filter() -> None:
    numbers = pd.DataFrame({"key": [(number * 7919) % 50_000 for number in range(100_000)], "x": 1})
    sizes = dd.from_pandas(numbers).groupby("key").size()
    found = sizes[sizes > 1].compute()
    assert len(found) == 50_000
    assert found.index.is_monotonic_increasing


def test_many_rows_stay_sorted_without_the_column_that_sorts_them(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"key": [(number * 7919) % 100_003 for number in range(100_000)]})
    numbers["x"] = numbers.key * 2
    made = dd.from_pandas(numbers).sort_values("key").assign(y=lambda df: df.x + 1)
    without = made.assign(key=0)[["y", "key"]]
    for frame in (made, without, made[["y"]], without[without.y > 11], without.nlargest(50_000, "y").nsmallest(40_000, "y")):
        computed = frame[frame.y % 3 > 0].compute()
        assert len(computed) > 20_000
        assert computed.y.is_monotonic_increasing
        assert list(computed.columns) == list(frame.columns)
    without[without.y > 11].to_csv(tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv").y.is_monotonic_increasing


def test_the_greatest_row_of_each_key_is_found_by_sorting() -> None:
    numbers = pd.DataFrame({"key": [number * 7919 % 1009 for number in range(100_000)]})
    numbers["x"] = [number * 104_729 % 100_003 for number in range(100_000)]
    frame = dd.from_pandas(numbers)
    theirs = numbers.sort_values("x", ascending=False).drop_duplicates("key")
    ours = frame.sort_values("x", ascending=False).drop_duplicates("key")
    assert_same(ours.sort_values("key"), theirs.sort_values("key"), numbered=True)
    assert_same(ours, theirs, numbered=True)
    assert_same(frame.sort_values("x").groupby("key").x.last(), numbers.sort_values("x").groupby("key").x.last())


def test_a_function_that_numbers_are_needed_for_refuses_texts(ours: Any) -> None:
    with pytest.raises(TypeError, match="numeric_only"):
        ours.groupby("user_id").mean()
    with pytest.raises(TypeError, match="text"):
        ours.groupby("user_id").action.sum()


def test_a_key_that_is_no_column_is_named(ours: Any) -> None:
    with pytest.raises(KeyError, match="user_id"):
        ours.groupby("user").size()


def test_functions_of_python_are_applied_to_groups(ours: Any, theirs: pd.DataFrame) -> None:
    def spread(group: Any) -> Any:
        return group.amount.max() - group.amount.min()

    assert_same(ours.groupby("user_id").apply(spread), theirs.groupby("user_id").apply(spread))
    assert_same(
        ours.groupby("user_id").amount.apply(lambda values: values.sum() * 2),
        theirs.groupby("user_id").amount.apply(lambda values: values.sum() * 2),
    )
