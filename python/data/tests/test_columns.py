"""Columns that are made of columns: the same expression on pandas and on a lazy frame gives the same."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cardoon.dataframe as dd
from helpers.same import assert_same

SAME: dict[str, Callable[[Any], Any]] = {
    "a column": lambda df: df["amount"],
    "a column as an attribute": lambda df: df.action,
    "columns": lambda df: df[["seconds", "user_id"]],
    "sum of columns": lambda df: df.amount + df.user_id,
    "sum with a constant": lambda df: 1 + df.amount,
    "difference": lambda df: 100 - df.amount,
    "product of kinds": lambda df: df.amount * df.seconds,
    "division of whole numbers": lambda df: df.amount / 3,
    "division downwards": lambda df: df.amount // 3,
    "division downwards of floats": lambda df: df.seconds // 2,
    "remainder": lambda df: df.amount % 3,
    "remainder of a negative divisor": lambda df: df.amount % -3,
    "remainder of floats": lambda df: df.seconds % 2,
    "power": lambda df: df.amount**2,
    "power of floats": lambda df: df.seconds**2.0,
    "negated": lambda df: -df.seconds,
    "texts joined": lambda df: df.action + "!",
    "equal": lambda df: df.action == "login",
    "not equal, where a missing value is": lambda df: df.action != "login",
    "less": lambda df: df.seconds < 1.5,
    "not less, where a missing value is not": lambda df: ~(df.seconds < 1.5),
    "and, or": lambda df: (df.amount > 0) & (df.seconds > 1) | (df.user_id == 10),
    "times compared with a text": lambda df: df.when >= "2026-02-01",
    "times compared with a time": lambda df: df.when < datetime.datetime(2026, 2, 1),
    "abs": lambda df: df.amount.abs(),
    "abs as a function": lambda df: abs(df.seconds),
    "round": lambda df: (df.amount / 4).round(),
    "round to digits": lambda df: df.seconds.round(1),
    "round whole numbers": lambda df: df.amount.round(1),
    "clip": lambda df: df.amount.clip(0, 10),
    "clip and round": lambda df: df.seconds.clip(1, 2).round(1),
    "clip and divide downwards": lambda df: df.seconds.clip(1, 2) // 2,
    "fillna and power": lambda df: df.seconds.fillna(0) ** 2,
    "columns swapped": lambda df: df.assign(amount=df.user_id, user_id=df.amount),
    "clip from above": lambda df: df.seconds.clip(upper=2),
    "operators by name": lambda df: df.amount.add(1).mul(2).sub(df.user_id).div(4).gt(0),
    "clip of a frame": lambda df: df[["amount", "seconds"]].clip(0, 2),
    "abs of a frame": lambda df: df[["amount", "seconds"]].abs(),
    "where": lambda df: df.seconds.where(df.amount > 0, -1.0),
    "where of texts": lambda df: df.action.where(df.amount > 0),
    "mask by a series": lambda df: df.amount.mask(df.amount > 5, df.user_id),
    "replaced values": lambda df: df.action.replace({"login": "in", "logout": "out"}),
    "a replaced number": lambda df: df.user_id.replace(10, 11),
    "between": lambda df: df.amount.between(0, 10),
    "between, without the bounds": lambda df: df.amount.between(0, 10, inclusive="neither"),
    "isin": lambda df: df.action.isin(["login", "logout"]),
    "isin of numbers": lambda df: df.user_id.isin({1, 10}),
    "isin of nothing": lambda df: df.action.isin([]),
    "isin with a missing value": lambda df: df.seconds.isin([1.5, float("nan")]),
    "isnull": lambda df: df.seconds.isnull(),
    "notna": lambda df: df.action.notna(),
    "fillna": lambda df: df.seconds.fillna(0),
    "fillna of texts": lambda df: df.action.fillna("?"),
    "as float": lambda df: df.amount.astype(float),
    "as text": lambda df: df.amount.astype(str),
    "a condition as number": lambda df: (df.amount > 0).astype(int),
    "a condition as text": lambda df: (df.amount > 0).astype("str"),
    "in lower case": lambda df: df.action.str.lower(),
    "in upper case": lambda df: df.action.str.upper(),
    "strip": lambda df: (" " + df.action + " ").str.strip(),
    "contains": lambda df: df.action.str.contains("log"),
    "contains an expression": lambda df: df.action.str.contains("^log.+t$"),
    "contains, whatever the case": lambda df: df.action.str.contains("BUY", case=False),
    "contains a text as it stands": lambda df: df.action.str.contains(".", regex=False),
    "contains as it stands, whatever the case": lambda df: df.action.str.contains("y N", case=False, regex=False),
    "startswith": lambda df: df.action.str.startswith("log"),
    "endswith": lambda df: df.action.str.endswith("in"),
    "replace": lambda df: df.action.str.replace("log", "LOG"),
    "slice": lambda df: df.action.str.slice(1, 3),
    "slice in brackets": lambda df: df.action.str[2:],
    "a character": lambda df: df.action.str[0],
    "day": lambda df: df.when.dt.date,
    "floor to days": lambda df: df.when.dt.floor("D"),
    "floor to minutes": lambda df: df.when.dt.floor("min"),
    "assign": lambda df: df.assign(double=df.amount * 2, user_id=0),
    "assign by a function": lambda df: df.assign(a=lambda x: x.amount + 1, b=lambda x: x.a * 2),
    "rename": lambda df: df.rename(columns={"amount": "n", "nothing": "x"}),
    "rename by a function": lambda df: df.rename(columns=str.upper),
    "drop": lambda df: df.drop(columns=["when", "action"]),
    "drop by the axis": lambda df: df.drop("when", axis=1),
    "drop what is not there": lambda df: df.drop(columns=["x", "when"], errors="ignore"),
    "astype of some": lambda df: df.astype({"amount": "float64", "user_id": str}),
    "fillna of a frame": lambda df: df.fillna({"seconds": -1, "action": "none"}),
    "isnull of a frame": lambda df: df.isnull(),
    "round of a frame": lambda df: df.round(1),
    "select_dtypes": lambda df: df.select_dtypes("number"),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_columns_are_those_of_pandas(make: Callable[[Any], Any], ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(make(ours), make(theirs))


#: Numbers that are int32 in pandas, or floats since one is missing.
OF_ANOTHER_DTYPE: dict[str, Callable[[Any], Any]] = {
    "len": lambda df: df.action.str.len(),
    "year": lambda df: df.when.dt.year,
    "month": lambda df: df.when.dt.month,
    "day of the month": lambda df: df.when.dt.day,
    "hour": lambda df: df.when.dt.hour,
    "minute": lambda df: df.when.dt.minute,
    "second": lambda df: df.when.dt.second,
    "day of the week": lambda df: df.when.dt.day_of_week,
}


@pytest.mark.parametrize("make", OF_ANOTHER_DTYPE.values(), ids=OF_ANOTHER_DTYPE.keys())
def test_numbers_are_those_of_pandas(make: Callable[[Any], Any], ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(make(ours), make(theirs), check_dtype=False)


def test_a_half_is_rounded_to_the_even_digit() -> None:
    halves = pd.Series([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, np.nan, 0.125, 2.675])
    for digits in (0, 2, -1):
        assert_same(dd.from_pandas(halves).round(digits), halves.round(digits))


def test_a_column_can_be_set_and_deleted(ours: Any, theirs: pd.DataFrame) -> None:
    before = ours.amount
    for df in (ours, theirs):
        df["twice"] = df.amount * 2
        df["twice"] = df["twice"] + 1
        df["constant"] = "x"
        del df["when"]
    assert_same(ours, theirs)
    assert_same(ours[before > 0], theirs[theirs.amount > 0], numbered=True)


def test_many_columns_can_be_set_in_a_loop(ours: Any, theirs: pd.DataFrame) -> None:
    for df in (ours, theirs):
        for number in range(100):
            df[f"column {number}"] = df.amount + number
        df["amount"] = df["column 7"] * 2
        df["amount"] = df["amount"] + 1
    assert_same(ours, theirs)


def test_the_same_step_twice_is_done_twice(ours: Any, theirs: pd.DataFrame) -> None:
    def twice(df: Any) -> Any:
        sums = df.groupby("user_id")[["amount"]].sum()
        for _ in range(3):
            sums = sums.assign(amount=7 - sums.amount)
        swapped = sums.assign(other=1)
        for _ in range(3):
            swapped = swapped.assign(amount=swapped.other, other=swapped.amount)
        return swapped[swapped.other > 0]

    assert_same(twice(ours), twice(theirs))
    assert_same(twice(ours).amount.sum(), twice(theirs).amount.sum())


def test_columns_can_be_renamed_all_at_once(ours: Any, theirs: pd.DataFrame) -> None:
    for df in (ours, theirs):
        df.columns = ["a", "b", "c", "d", "e"]
    assert_same(ours, theirs)


def test_a_series_of_other_rows_is_refused(ours: Any) -> None:
    few = ours[ours.amount > 0]
    with pytest.raises(ValueError, match="other rows"):
        ours.assign(x=few.amount)
    with pytest.raises(ValueError, match="other rows"):
        ours.amount + few.amount


def test_a_series_of_a_replaced_column_is_refused(ours: Any) -> None:
    before = ours.amount
    ours["amount"] = 0
    with pytest.raises(ValueError, match="replaced"):
        ours["x"] = before


def test_constants_that_the_engine_cannot_hold_are_refused(ours: Any) -> None:
    with pytest.raises(OverflowError):
        ours.amount + 2**63
    with pytest.raises(TypeError, match="constant"):
        ours.amount + object()
    with pytest.raises(TypeError, match="added"):
        ours.amount + "x"


def test_infinity_is_a_number(ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(ours.seconds < float("inf"), theirs.seconds < float("inf"))


def test_dtypes_are_those_of_pandas(ours: Any, theirs: pd.DataFrame) -> None:
    assert list(ours.columns) == list(theirs.columns)
    assert ours.dtypes.to_dict() == theirs.dtypes.to_dict()
    assert list(ours) == list(theirs)
    assert "amount" in ours and "x" not in ours
