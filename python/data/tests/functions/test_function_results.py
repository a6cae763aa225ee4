"""What comes out of functions of Python: rows, groups, columns and their order."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError
from cardoon_data._local import Local
from helpers.functions import ROWS, parts
from helpers.same import assert_same

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


SAME: dict[str, Callable[[Any], Any]] = {
    "map": lambda df: df.n.map(lambda n: n * 2),
    "map of texts": lambda df: df.t.map(str.upper),
    "map of a dict": lambda df: df.t.map({"t1": 1, "t2": 2}),
    "map of a dict that has all": lambda df: df.t.map({f"t{n}": n for n in range(13)}),
    "map of a map": lambda df: df.n.map(lambda n: n + 1).map(str),
    "map of an expression": lambda df: (df.n * 2 + df.k).map(lambda n: n % 10),
    "apply with arguments": lambda df: df.n.apply(lambda n, add, by: (n + add) * by, args=(3,), by=2),
    "a map as a new column": lambda df: df.assign(a=df.n.map(lambda n: n / 2), b=df.t.map(len)),
    "rows by a map": lambda df: df[df.n.map(lambda n: n % 3 == 0)].n.sum(),
    "a sum of a map": lambda df: df.k.map(lambda k: k * 0.5).sum(),
    "groups by a map": lambda df: df.groupby(df.t.map(lambda t: t[1:])).n.sum(),
    "a map of sorted rows": lambda df: df.sort_values(["k", "n"], ascending=False).n.map(lambda n: -n).reset_index(drop=True),
    "apply of rows": lambda df: df.apply(lambda row: row.n + row.k, axis=1),
    "apply of rows to texts": lambda df: df.apply(lambda row: f"{row.t}{row['n']}", axis=1),
    "apply of rows to frames": lambda df: df[df.n < 50].apply(lambda row: pd.Series({"x": row.n, "y": row.t}), axis=1),
    "partitions": lambda df: parts(df, lambda part: part.assign(x=part.n * 2)),
    "partitions with arguments": lambda df: parts(df, lambda part, x, y: part[["n"]] * x + y, 2, y=1),
    "partitions of a series": lambda df: parts(df.n, lambda part: part + 1),
    "rows of partitions": lambda df: parts(df, lambda part: part[part.k == 5]).reset_index(drop=True),
    "one partition after another": lambda df: parts(parts(df, lambda part: part[["n"]]).n, lambda n: n * 2),
    "an index of partitions": lambda df: parts(df, lambda part: part.set_index("t")),
    "a group's number": lambda df: df.groupby("k").apply(lambda group: group.n.max() - group.n.min()),
    "a group's number, of a series": lambda df: df.groupby("k").n.apply(lambda group: group.iloc[-1]),
    "a group's text, by two keys": lambda df: df.groupby(["t", "k"]).apply(lambda group: str(len(group))),
    "a group's columns": lambda df: df.groupby("k").apply(lambda group: pd.Series({"a": group.n.sum(), "b": group.t.iloc[-1]})),
    "a group's rows": lambda df: df.groupby("k").apply(lambda group: group[group.n % 3 > 0].head(2)).reset_index(drop=True),
    "a group's first rows by another": lambda df: (
        df.sort_values(["t", "n"], ascending=False).groupby("k").apply(lambda group: group.n.iloc[0])
    ),
    "groups of a column that is made": lambda df: df.assign(m=df.n % 7).groupby("m").apply(lambda group: group.n.sum()),
}


@pytest.mark.parametrize("name", SAME)
def test_what_comes_out_is_what_pandas_has(name: str, anywhere: None, many: Path, in_pandas: pd.DataFrame) -> None:
    ours = SAME[name](dd.read_csv(many / "*.csv"))
    assert_same(ours, SAME[name](in_pandas))


def test_groups_keep_the_numbers_of_their_rows(here: Local, many: Path, in_pandas: pd.DataFrame) -> None:
    query: Callable[[Any], Any] = lambda df: df.groupby("k").apply(lambda group: group[["n"]].tail(1))
    assert_same(query(dd.read_csv(many / "*.csv")), query(in_pandas))


def test_on_executors_labels_are_in_the_order_of_the_rows(cluster: LocalCluster, many: Path) -> None:
    with Client(cluster):
        last = dd.read_csv(many / "*.csv").groupby("k").apply(lambda group: group[["n"]].tail(1)).compute()
    labels = last.index.get_level_values(1)
    assert labels.is_unique
    assert last.n.iloc[labels.argsort()].is_monotonic_increasing


@pytest.mark.parametrize("dropna", [True, False])
def test_rows_without_a_key_are_counted(dropna: bool, here: Local) -> None:
    theirs = pd.DataFrame({"k": [None, "a", None, "b", "a"], "x": [1.0, None, 2.0, 2.0, 3.0], "v": range(5)})
    ours = dd.from_pandas(theirs)

    def firsts(df: Any, by: Any) -> Any:
        return df.groupby(by, dropna=dropna).apply(lambda group: group.index[0])

    for by in ("k", "x", ["k", "x"]):
        assert sorted(firsts(ours, by).compute().to_list()) == sorted(firsts(theirs, by).to_list())
    rows: Callable[[Any], Any] = lambda df: df.groupby("k", dropna=True)[["v"]].apply(lambda group: group.tail(1))
    assert_same(rows(ours), rows(theirs))


def test_without_any_key_there_is_no_group(here: Local) -> None:
    theirs = pd.DataFrame({"k": ["a"] * 200 + [None] * 200, "v": range(400)})
    ours = dd.from_pandas(theirs)
    sizes = ours[ours.v >= 200].groupby("k").apply(len, meta=pd.Series(dtype="int64")).compute()
    assert sizes.empty
    assert ours.groupby("k").apply(len).compute().to_dict() == {"a": 200}


def test_an_index_stays(here: Local, many: Path, in_pandas: pd.DataFrame) -> None:
    query: Callable[[Any], Any] = lambda df: df.groupby("k").n.sum().map(lambda n: n % 10)
    assert_same(query(dd.read_csv(many / "*.csv")), query(in_pandas))
    query = lambda df: parts(df.groupby(["k", "t"])[["n"]].sum(), lambda part: part[part.n > 0] * 2)
    assert_same(query(dd.read_csv(many / "*.csv")), query(in_pandas))


def test_whole_groups_are_given_however_small_chunks_are(anywhere: None, many: Path, in_pandas: pd.DataFrame) -> None:
    sizes = dd.read_csv(many / "*.csv").groupby("k").apply(len, meta=(None, "int64"))
    assert_same(sizes, in_pandas.groupby("k").size())


def test_chunks_are_many_and_in_order(anywhere: None, many: Path) -> None:
    parts = dd.read_csv(many / "*.csv").map_partitions(lambda part: part.n.iloc[[0, -1]], meta=("n", "int64"))
    ends = parts.compute().to_list()
    assert len(ends) > 6
    assert ends == sorted(ends) and (ends[0], ends[-1]) == (0, ROWS - 1)
    firsts, lasts = ends[::2], ends[1::2]
    assert [last + 1 for last in lasts[:-1]] == firsts[1:]


def test_without_rows_nothing_is_called(here: Local, many: Path) -> None:
    none = dd.read_csv(many / "*.csv")
    none = none[none.n < 0]
    made = none.map_partitions(lambda part: 1 // len(part), meta=(None, "int64")).compute()
    assert (len(made), str(made.dtype)) == (0, "int64")
    assert none.groupby("k").apply(lambda group: 1, meta=(None, "int64")).compute().to_dict() == {}


def test_other_columns_than_were_said_are_an_error(anywhere: None, many: Path) -> None:
    frame = dd.read_csv(many / "*.csv")
    wrong = [
        (frame.map_partitions(lambda part: part, meta={"n": "int64", "k": "int64"}), r"n, k, t.*'t': 'str'"),
        (frame.map_partitions(lambda part: part[["n"]] / 4, meta={"n": "int64"}), r"'n' has float64.*\{'n': 'float64'\}"),
        (frame.n.map(str, meta=("n", "int64")), r"the values have str.*\('n', 'str'\)"),
        (frame.n.map(lambda n: n if n < 20_000 else "many"), "have (str|values of several types)"),
        (frame.n.map(lambda n: n if n < 20_000 else n / 4), r"\('n', 'float64'\)"),
        (frame.map_partitions(lambda part: part.n, meta={"n": "int64"}), "a series, where meta says a frame"),
        (frame.map_partitions(lambda part: None, meta={"n": "int64"}), "None, where meta says a frame.*return a frame"),
        (frame.n.map(lambda n: n, meta=("n", "int8")), r"have int64, where meta says int8.*\('n', 'int64'\)"),
    ]
    for made, says in wrong:
        with pytest.raises(CardoonError, match=f"(?s)CD8028.*{says}"):
            made.compute()


def test_what_fits_is_no_error(here: Local, many: Path) -> None:
    frame = dd.read_csv(many / "*.csv")
    floats = frame.n.map(lambda n: n if n % 2 else None, meta=("half", "float64")).compute()
    assert (floats.name, str(floats.dtype), floats.isna().sum()) == ("half", "float64", ROWS // 2)
    late = frame.map_partitions(lambda part: part[["n"]].astype(float) if part.n.iloc[0] else part[["n"]], meta={"n": "float64"})
    assert late.n.sum().compute() == ROWS * (ROWS - 1) // 2
    none = frame.n.map(lambda n: None, meta=("n", "datetime64[us]")).compute()
    assert none.isna().all()


META = [
    {"a": "int64", "b": "float64"},
    [("a", "int64"), ("b", float)],
    pd.DataFrame({"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype="float64")}),
    pd.DataFrame({"a": [7], "b": [0.5]}),
]


@pytest.mark.parametrize("meta", META)
def test_meta_says_the_columns_as_in_dask(meta: Any, here: Local, many: Path) -> None:
    made = dd.read_csv(many / "0.csv").map_partitions(lambda part: pd.DataFrame({"b": part.n, "a": part.k}), meta=meta)
    assert list(made.columns) == ["a", "b"]
    assert [str(dtype) for dtype in made.dtypes] == ["int64", "float64"]
    assert made.b.sum().compute() == sum(range(ROWS // 3))


def test_what_cannot_be_learned_is_to_be_said(here: Local, many: Path) -> None:
    groups = dd.read_csv(many / "*.csv").groupby("k").n
    with pytest.raises(IndexError) as raised:
        groups.apply(lambda group: group.iloc[200])
    if sys.version_info >= (3, 11):
        assert any("meta=" in note for note in raised.value.__notes__)
    assert groups.apply(lambda group: group.iloc[200], meta=("n", "int64")).compute().size == 101


def test_meta_says_what_groups_have(here: Local, many: Path, in_pandas: pd.DataFrame) -> None:
    query: Callable[..., Any] = lambda df, **meta: df.groupby(["k", "t"]).apply(lambda group: group[["n"]].head(2), **meta)
    theirs = query(in_pandas)
    assert_same(query(dd.read_csv(many / "*.csv"), meta={"n": "int64"}), theirs.droplevel(2))
    assert_same(query(dd.read_csv(many / "*.csv"), meta=theirs.head()), theirs)


def test_a_function_that_returns_nothing_tells_nothing(here: Local, many: Path) -> None:
    with pytest.raises(TypeError, match="returned None"):
        dd.read_csv(many / "0.csv").map_partitions(lambda part: None)


def test_a_meta_that_is_none_is_refused(many: Path) -> None:
    with pytest.raises(TypeError, match="meta"):
        dd.read_csv(many / "0.csv").n.map(str, meta=5)
    with pytest.raises(dd.NotSupported, match="compute"):
        dd.read_csv(many / "0.csv").map_partitions(lambda part, other: part, dd.read_csv(many / "1.csv"))
