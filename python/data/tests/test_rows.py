"""Which rows there are, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from helpers.same import assert_same

SAME: dict[str, Callable[[Any], Any]] = {
    "all": lambda df: df,
    "condition": lambda df: df[df.amount > 0],
    "condition on a filtered frame": lambda df: df[df.amount > 0][df.user_id > 1],
    "a series by a condition": lambda df: df.seconds[df.amount > 0],
    "not of missing values": lambda df: df[~(df.seconds > 1)],
    "query": lambda df: df.query("amount > 0 and action == 'login'"),
    "query with signs": lambda df: df.query("amount > 0 & action == 'login' | user_id == 10"),
    "query with a list": lambda df: df.query("action in ['login', 'logout'] and not user_id in [3]"),
    "query of a range": lambda df: df.query("0 < amount <= 10"),
    "query with arithmetic": lambda df: df.query("(amount + user_id) % 2 == 0"),
    "query with quoted names": lambda df: df.query("`amount` == -7"),
    "dropna": lambda df: df.dropna(),
    "dropna of a column": lambda df: df.dropna(subset=["action"]),
    "dropna of rows without any": lambda df: df.dropna(how="all", subset=["action", "seconds"]),
    "dropna of a series": lambda df: df.seconds.dropna(),
    "drop_duplicates": lambda df: df.drop_duplicates(),
    "drop_duplicates of a column": lambda df: df.drop_duplicates(subset="user_id"),
    "drop_duplicates of columns": lambda df: df.drop_duplicates(["user_id", "action"]),
    "sort_values": lambda df: df.drop_duplicates().sort_values(["user_id", "when"]),
    "sort_values downwards": lambda df: df.sort_values("seconds", ascending=False),
    "sort_values both ways": lambda df: df.drop_duplicates().sort_values(["user_id", "when"], ascending=[False, True]),
    "sorted, and filtered then": lambda df: df.drop_duplicates().sort_values(["when", "seconds"])[df.amount > 0],
    "head of a sorted frame": lambda df: df.sort_values("seconds")[df.amount > 0][["amount", "when"]].head(2),
    "a column of a sorted frame": lambda df: df.drop_duplicates().sort_values(["when", "seconds"]).amount,
    "drop_duplicates of a sorted frame": lambda df: df.sort_values(["amount", "when"]).drop_duplicates("user_id"),
    "a series sorted": lambda df: df.seconds.sort_values(),
    "nlargest": lambda df: df.nlargest(2, "seconds"),
    "nsmallest": lambda df: df.nsmallest(2, ["amount", "user_id"]),
    "nlargest of a series": lambda df: df.seconds.nlargest(2),
    "nsmallest of a series": lambda df: df.seconds.nsmallest(2),
    "head": lambda df: df.head(3),
    "head of a series": lambda df: df.action.head(2),
    "head of a condition": lambda df: df[df.amount > 0].head(2),
    "head of more than there is": lambda df: df.head(100),
    "tail": lambda df: df.tail(3),
    "tail of a series": lambda df: df.amount.tail(2),
    "tail of more than there is": lambda df: df.tail(100),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_rows_are_those_of_pandas(make: Callable[[Any], Any], ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(make(ours), make(theirs), numbered=True)


def test_variables_of_the_caller_are_seen_by_a_query(ours: Any, theirs: pd.DataFrame) -> None:
    least, actions = 1, ["login", "buy"]
    text = "amount >= @least and action in @actions"
    assert_same(ours.query(text), theirs.query(text), numbered=True)
    assert_same(ours.query("amount >= @n", local_dict={"n": 5}), theirs[theirs.amount >= 5], numbered=True)
    assert (least, actions) == (1, ["login", "buy"])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("amount >", ValueError),
        ("amount", ValueError),
        ("`amount > 1", ValueError),
        ("amount > @missing", NameError),
        ("nothing > 1", KeyError),
        ("__import__('os').system('true') == 0", NotImplementedError),
        ("amount.__class__ == 1", NotImplementedError),
        ("(" * 3000 + "amount" + ")" * 3000 + " > 1", ValueError),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(text: str, error: type[Exception], ours: Any) -> None:
    with pytest.raises(error):
        ours.query(text)


def test_the_order_of_files_is_kept(tmp_path: Path) -> None:
    names = [str(tmp_path / f"{number:02}.csv") for number in range(8)]
    for number, name in enumerate(names):
        rows = range(number * 20_000, (number + 1) * 20_000)
        Path(name).write_text("n\n" + "\n".join(map(str, rows)) + "\n", encoding="utf-8")
    frame = dd.read_csv(tmp_path / "*.csv", blocksize="16KiB")
    assert frame.n.compute().to_list() == list(range(160_000))
    assert frame[frame.n % 1000 == 0].n.compute().to_list() == list(range(0, 160_000, 1000))
    assert frame.head(3).n.to_list() == [0, 1, 2]
    assert frame.tail(2).n.to_list() == [159_998, 159_999]
    assert (frame.n // 40_000).unique().compute().to_list() == [0, 1, 2, 3]


def test_lengths_are_counted(ours: Any, theirs: pd.DataFrame) -> None:
    assert len(ours) == len(theirs)
    assert len(ours[ours.amount > 0]) == len(theirs[theirs.amount > 0])
    assert len(ours.action) == len(theirs)
    rows, columns = ours.shape
    assert (rows.compute(), columns) == theirs.shape
    assert ours.size.compute() == theirs.size


def test_a_frame_is_no_condition(ours: Any) -> None:
    for lazy in (ours, ours.amount, ours.amount > 1):
        with pytest.raises(ValueError, match="ambiguous"):
            bool(lazy)
