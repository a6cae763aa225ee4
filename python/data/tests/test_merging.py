"""Two frames to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from helpers.same import assert_same, in_order


@pytest.fixture
def users(folder: Path) -> Any:
    return dd.read_csv(folder / "users.csv")


@pytest.fixture
def their_users(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "users.csv")


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
@pytest.mark.parametrize("options", [{}, {"suffixes": ("", "_of_user")}])
def test_merged_rows_are_those_of_pandas(
    how: Any, options: Any, ours: Any, theirs: pd.DataFrame, users: Any, their_users: pd.DataFrame
) -> None:
    merged = ours.merge(users, how=how, on="user_id", **options).compute()
    expected = theirs.merge(their_users, how=how, on="user_id", **options)
    # Whole numbers of which some are missing are floats in both.
    assert_same(in_order(merged), in_order(expected))


def test_keys_may_have_two_names(ours: Any, theirs: pd.DataFrame, users: Any, their_users: pd.DataFrame) -> None:
    renamed, their_renamed = (each.rename(columns={"user_id": "id"}) for each in (users, their_users))
    merged = dd.merge(ours, renamed, how="left", left_on="user_id", right_on="id").compute()
    assert_same(in_order(merged), in_order(theirs.merge(their_renamed, how="left", left_on="user_id", right_on="id")))


def test_common_columns_are_the_keys_by_default(ours: Any, theirs: pd.DataFrame, users: Any, their_users: pd.DataFrame) -> None:
    assert_same(in_order(ours.merge(users).compute()), in_order(theirs.merge(their_users)))


def test_a_result_of_groups_is_merged_by_its_index(ours: Any, theirs: pd.DataFrame) -> None:
    merged = ours.merge(ours.groupby("user_id").size().rename("n"), on="user_id").compute()
    assert_same(in_order(merged), in_order(theirs.merge(theirs.groupby("user_id").size().rename("n"), on="user_id")))
    joined = ours.join(ours.groupby("user_id").amount.sum().to_frame("total"), on="user_id").compute()
    assert_same(in_order(joined), in_order(theirs.join(theirs.groupby("user_id").amount.sum().to_frame("total"), on="user_id")))


def test_frames_are_joined_on_their_indexes(ours: Any, theirs: pd.DataFrame) -> None:
    def joined(df: Any) -> Any:
        return df.groupby("user_id")[["amount"]].sum().join(df.groupby("user_id")[["seconds"]].max())

    made = joined(ours).compute().sort_index()
    assert_same(made, joined(theirs))


def test_rows_with_and_without_a_partner(ours: Any, theirs: pd.DataFrame, users: Any) -> None:
    known = theirs.user_id.isin([1, 2, 3, 4])
    assert_same(in_order(ours.merge(users, on="user_id", how="leftsemi").compute()), in_order(theirs[known]))
    assert_same(in_order(ours.merge(users, on="user_id", how="leftanti").compute()), in_order(theirs[~known]))


def test_a_frame_of_pandas_can_be_merged(ours: Any, theirs: pd.DataFrame, their_users: pd.DataFrame) -> None:
    merged = ours.merge(their_users[["user_id", "city"]], on="user_id").compute()
    assert_same(in_order(merged), in_order(theirs.merge(their_users[["user_id", "city"]], on="user_id")))


def test_frames_follow_one_another(ours: Any, theirs: pd.DataFrame) -> None:
    few, their_few = (df[df.amount > 5][["amount", "user_id"]] for df in (ours, theirs))
    assert_same(dd.concat([ours, few]), pd.concat([theirs, their_few], ignore_index=True), check_dtype=False)
    assert_same(dd.concat([few.amount, few.amount]), pd.concat([their_few.amount] * 2, ignore_index=True))
    both = dd.concat([few, few])
    expected = pd.concat([their_few] * 2).query("amount > 10").groupby("user_id").size()
    assert_same(both[both.amount > 10].groupby("user_id").size(), expected)


def test_what_cannot_be_merged_is_said(ours: Any, users: Any) -> None:
    with pytest.raises(KeyError, match="nothing"):
        ours.merge(users, on="nothing")
    with pytest.raises(NotImplementedError, match="index"):
        ours.merge(users, left_index=True, right_index=True)
    with pytest.raises(NotImplementedError, match="cross"):
        ours.merge(users, how="cross")
    with pytest.raises(TypeError, match="DataFrame"):
        ours.merge(5, on="user_id")
    with pytest.raises(ValueError, match="common"):
        ours[["seconds"]].merge(users)
    with pytest.raises(TypeError, match="astype"):
        dd.concat([ours, ours.assign(amount="x")])


def test_the_index_that_was_set_sorts_the_rows(ours: Any, theirs: pd.DataFrame) -> None:
    one = ours.drop_duplicates().set_index("when")
    assert_same(one, theirs.drop_duplicates().set_index("when").sort_index(kind="stable"))
    assert_same(one.reset_index().when, theirs.drop_duplicates().when.sort_values(kind="stable"), numbered=True)
    assert_same(one.reset_index(drop=True).amount.sum(), theirs.drop_duplicates().amount.sum())


def test_an_index_of_two_levels(ours: Any, theirs: pd.DataFrame) -> None:
    one = ours[["user_id", "when", "amount"]].drop_duplicates().set_index(["user_id", "when"])
    assert_same(one, theirs[["user_id", "when", "amount"]].drop_duplicates().set_index(["user_id", "when"]).sort_index())
