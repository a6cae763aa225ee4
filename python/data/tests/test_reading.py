"""Files as frames."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.exceptions import CardoonError
from helpers.same import assert_same

VALUES = """a,b,c,d,e
1,x,1.5,true,2026-01-31
-2,"y, z",,false,2026-02-01
3,,inf,true,2026-02-02
"""

SAME: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": (VALUES, {}),
    "some columns": (VALUES, {"usecols": ["c", "a"]}),
    "columns by position": (VALUES, {"usecols": [0, 3]}),
    "columns by a function": (VALUES, {"usecols": lambda name: name in "bd"}),
    "dtypes": (VALUES, {"dtype": {"a": "float64", "b": str}}),
    "all texts": (VALUES, {"dtype": str}),
    "times": (VALUES, {"parse_dates": ["e"]}),
    "another separator": (VALUES.replace(",", ";").replace('"y; z"', "y"), {"sep": ";"}),
    "names instead of the header": (VALUES, {"header": 0, "names": ["v", "w", "x", "y", "z"]}),
    "names without a header": ("1,x\n2,y\n", {"names": ["n", "t"]}),
    "names of which some are wanted": ("1,x\n2,y\n", {"header": None, "names": ["n", "t"], "usecols": ["t"]}),
    "no rows": ("a,b\n", {"dtype": str}),
    "names twice": ("a,a,a\n1,2,3\n", {}),
    "lines of Windows": ("a,b\r\n1,x\r\n", {}),
    "a byte order mark": ("\ufeffa,b\n1,x\n", {}),
    "words for missing values": ("a,b\nNA,x\n2,null\n3,n/a\n", {}),
    "lines within quotes": ('a,b\n1,"x\ny"\n', {}),
    "a doubled quote": ('a,b\n1,"say ""hi"""\n', {}),
    "text in all scripts": ("a,b\n1,\u4f60\u597d\n2,\U0001f334\n", {}),
}


@pytest.mark.parametrize(("text", "options"), SAME.values(), ids=SAME.keys())
def test_files_are_read_as_pandas_reads_them(text: str, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    assert_same(dd.read_csv(tmp_path / "a.csv", **options), pd.read_csv(tmp_path / "a.csv", **options))


def test_times_stay_texts_unless_they_are_named(folder: Path) -> None:
    read = dd.read_csv(str(folder / "logs" / "*.csv"))
    assert read.dtypes["when"] == pd.Series(["x"]).dtype
    assert_same(dd.to_datetime(read.when), pd.to_datetime(pd.Series(read.when.compute())))


def test_files_may_be_given_as_a_list(folder: Path, theirs: pd.DataFrame) -> None:
    names = [folder / "logs" / "0.csv", folder / "logs" / "1.csv"]
    assert_same(dd.read_csv(names, parse_dates=["when"]), theirs)


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,x\n2,y\n", encoding="utf-8")
    read = dd.read_csv(tmp_path / "a.csv", header=None)
    assert list(read.columns) == ["0", "1"]
    assert read["0"].sum().compute() == 3


def test_compressed_files_are_unpacked(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt", encoding="utf-8") as file:
        file.write(VALUES)
    assert_same(dd.read_csv(tmp_path / "a.csv.gz"), pd.read_csv(tmp_path / "a.csv.gz"))


def test_a_column_that_holds_more_than_its_samples_is_widened(tmp_path: Path) -> None:
    rows = [str(number) for number in range(400_000)]
    rows[150_000] = "1.5"
    (tmp_path / "a.csv").write_text("a\n" + "\n".join(rows) + "\n", encoding="utf-8")
    frame = dd.read_csv(tmp_path / "a.csv")
    assert frame.dtypes["a"] == "int64"
    assert frame.a.sum().compute() == sum(map(float, rows))
    assert (frame.a**2).round(2).max().compute() == 399_999.0**2
    assert frame[frame.a.round(1) == 1.5].a.compute().to_list() == [1.5]


@pytest.mark.parametrize("size", ["100MB", "64 MiB", 1000, 2.5e6, None, "default"])
def test_the_size_of_blocks_does_not_change_the_answer(size: Any, folder: Path, theirs: pd.DataFrame) -> None:
    read = dd.read_csv(folder / "logs" / "*.csv", blocksize=size, parse_dates=["when"])
    assert_same(read, theirs)


def test_a_missing_file_is_what_python_calls_it(tmp_path: Path) -> None:
    (tmp_path / "logs.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"did you mean .*logs\.csv") as raised:
        dd.read_csv(tmp_path / "log.csv")
    assert isinstance(raised.value, CardoonError)
    assert raised.value.code == "CD8001"
    assert raised.value.explain("en").startswith("# CD8001")
    with pytest.raises(FileNotFoundError):
        dd.read_parquet(tmp_path / "*.parquet")


def test_a_missing_column_is_a_key_error_with_the_nearest_name(ours: Any) -> None:
    reads: list[Callable[[], Any]] = [
        lambda: ours["amounts"],
        lambda: ours[["seconds", "amounts"]],
        lambda: ours.sort_values("amounts"),
    ]
    for read in reads:
        with pytest.raises(KeyError, match="did you mean 'amount'") as raised:
            read()
        assert isinstance(raised.value, CardoonError)


def test_a_bad_row_is_named_or_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4,5\n6,7\n", encoding="utf-8")
    with pytest.raises(pd.errors.ParserError, match=r"line 3") as raised:
        dd.read_csv(tmp_path / "a.csv").compute()
    assert isinstance(raised.value, CardoonError)
    assert_same(
        dd.read_csv(tmp_path / "a.csv", on_bad_lines="skip"), pd.read_csv(tmp_path / "a.csv", on_bad_lines="skip")
    )


def test_files_without_anything_and_files_that_differ_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    with pytest.raises(pd.errors.EmptyDataError):
        dd.read_csv(tmp_path / "empty.csv")
    (tmp_path / "a1.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "a2.csv").write_text("a,c\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a2.csv"):
        dd.read_csv(tmp_path / "a?.csv")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"index_col": "a"}, NotImplementedError, "set_index"),
        ({"nrows": 5}, NotImplementedError, "head"),
        ({"encoding": "latin-1"}, NotImplementedError, "UTF-8"),
        ({"on_bad_lines": "warn"}, NotImplementedError, "skip"),
        ({"header": 3}, NotImplementedError, "first row"),
        ({"dtype": {"a": "category"}}, NotImplementedError, "category"),
        ({"blocksize": "many"}, ValueError, "100MB"),
        ({"usecols": ["z"]}, ValueError, "Usecols"),
        ({"parse_dates": ["z"]}, ValueError, "parse_dates"),
        ({"names": ["one"]}, ValueError, "columns"),
        ({"delimter": ";"}, TypeError, "delimter"),
    ],
)
def test_options_that_cannot_be_heeded_are_refused(
    options: dict[str, Any], error: type[Exception], says: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(VALUES, encoding="utf-8")
    with pytest.raises(error, match=says):
        dd.read_csv(tmp_path / "a.csv", **options)


def test_parquet_is_read(tmp_path: Path, theirs: pd.DataFrame) -> None:
    theirs.to_parquet(tmp_path / "a.parquet")
    assert_same(dd.read_parquet(tmp_path / "a.parquet"), theirs)
    assert_same(dd.read_parquet(tmp_path / "*.parquet", columns=["amount"]), theirs[["amount"]])
    indexed = theirs.set_index(pd.Index([9, 8, 7, 6, 5, 4, 3, 1]))
    indexed.to_parquet(tmp_path / "a.parquet")
    assert_same(dd.read_parquet(tmp_path / "a.parquet"), indexed)


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1, "b": "x"}\n{"a": null, "b": "y"}\n', encoding="utf-8")
    assert_same(dd.read_json(tmp_path / "a.jsonl"), pd.read_json(tmp_path / "a.jsonl", lines=True))


def test_frames_of_pandas_keep_their_rows(theirs: pd.DataFrame) -> None:
    assert_same(dd.from_pandas(theirs, npartitions=2), theirs)
    assert_same(dd.from_pandas(theirs.amount), theirs.amount)
    indexed = theirs.set_index("amount")
    assert_same(dd.from_pandas(indexed), indexed.sort_index(kind="stable"))
    kinds = pd.DataFrame({1: ["a", "b", "a"], 2: pd.Categorical(["x", "y", "x"])})
    assert_same(dd.from_pandas(kinds), kinds.astype({2: str}))


def test_sql_reads_frames_and_files(ours: Any, theirs: pd.DataFrame, folder: Path) -> None:
    found = ours.sql("select user_id, count(*) as n from this where amount > 0 group by user_id order by user_id")
    expected = theirs[theirs.amount > 0].groupby("user_id").size().reset_index(name="n")
    assert_same(found, expected)
    users = dd.read_csv(folder / "users.csv")
    both = dd.sql("select city from logs join users using (user_id) where logs.amount = 5", {"logs": ours, "users": users})
    assert both.city.compute().to_list() == ["Wien, AT"]
    counted = dd.sql(f"select count(*) as n from '{folder / 'users.csv'}'")
    assert counted.n.compute().to_list() == [4]
    assert found[found.n > 1].n.sum().compute() == expected[expected.n > 1].n.sum()


def test_sql_that_cannot_be_understood_is_refused(ours: Any) -> None:
    with pytest.raises(CardoonError):
        ours.sql("select nothing from this")
    with pytest.raises(CardoonError):
        ours.sql("drop table this")
