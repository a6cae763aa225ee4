"""Functions of Python, results that are kept, and what lazy objects show."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon import distributed
from helpers.same import assert_same


def test_functions_are_applied_to_values_rows_and_all(ours: Any, theirs: pd.DataFrame) -> None:
    assert_same(ours.amount.map(lambda value: value * 3), theirs.amount.map(lambda value: value * 3))
    assert_same(ours.user_id.map({1: "one", 2: "two"}), theirs.user_id.map({1: "one", 2: "two"}))
    assert_same(ours.amount.apply(lambda value: value + 1), theirs.amount.apply(lambda value: value + 1))
    assert_same(
        ours.apply(lambda row: row.amount + row.user_id, axis=1, meta=(None, "int64")),
        theirs.apply(lambda row: row.amount + row.user_id, axis=1),
    )
    assert_same(ours.map_partitions(lambda frame: frame.assign(x=1)), theirs.assign(x=1))
    assert ours.map_partitions(len).compute().to_list() == [len(theirs)]


def test_what_a_function_made_is_lazy_again(ours: Any, theirs: pd.DataFrame) -> None:
    made = ours.map_partitions(lambda frame: frame[frame.amount > 0].reset_index(drop=True))
    assert_same(made.groupby("user_id").size(), theirs[theirs.amount > 0].groupby("user_id").size())


def test_an_exception_of_a_function_comes_through(ours: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        ours.amount.map(lambda value: 1 // 0)


def test_persisted_rows_do_not_go_with_their_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,v\n2,1\n1,2\n2,3\n", encoding="utf-8")
    frame = dd.read_csv(tmp_path / "a.csv")
    kept, sums = frame.persist(), frame.groupby("k").v.sum().persist()
    (tmp_path / "a.csv").unlink()
    assert kept.v.compute().to_list() == [1, 2, 3]
    assert_same(sums, pd.Series([2, 4], index=pd.Index([1, 2], name="k"), name="v"))


def test_temporary_files_go_with_the_frames(theirs: pd.DataFrame) -> None:
    frame = dd.from_pandas(theirs)
    path = frame._table.keeps[0].path
    few = frame[frame.amount > 0]
    del frame
    gc.collect()
    assert os.path.exists(path)
    assert len(few) == 6
    del few
    gc.collect()
    assert not os.path.exists(path)
    assert not os.path.exists(os.path.dirname(path))


def test_names_of_columns_do_not_become_html() -> None:
    frame = dd.from_pandas(pd.DataFrame({"<script>alert(1)</script>": [1], "b": ["x"]}))
    assert "<script>" not in frame._repr_html_()
    assert "&lt;script&gt;" in frame._repr_html_()
    assert "<script>" not in frame["<script>alert(1)</script>"]._repr_html_()


def test_a_lazy_object_shows_its_columns(ours: Any) -> None:
    text = repr(ours.groupby("user_id")[["amount"]].sum())
    assert "amount  int64" in text and "index: user_id" in text
    assert "seconds, float64" in repr(ours.seconds)


def test_a_plan_can_be_read(ours: Any, tmp_path: Path) -> None:
    query = ours[ours.amount > 0].groupby("user_id").amount.sum().nlargest(3)
    assert "Csv" in query.explain()
    text = str(query.visualize(tmp_path / "plan.txt"))
    assert "filter (amount > 0)" in text and "by __index_0__ = user_id" in text
    assert (tmp_path / "plan.txt").read_text(encoding="utf-8").strip() == text


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda df: df.iloc, "iloc"),
        (lambda df: df.loc[0], "loc"),
        (lambda df: df.amount.cumsum(), "cumsum"),
        (lambda df: df.index, "reset_index"),
        (lambda df: df.groupby("user_id").cumcount(), "cumcount"),
        (lambda df: df.groupby("user_id").amount.transform("sum"), "merge"),
        (lambda df: df.action.str.split(","), "split"),
        (lambda df: df.when.dt.strftime("%Y"), "strftime"),
        (lambda df: df[1:3], "head"),
        (lambda df: df.reset_index(), "drop=True"),
        (lambda df: df.drop([0, 1]), "filter"),
        (lambda df: df.apply(sum), "axis=1"),
        (lambda df: df.groupby("user_id").amount.agg(lambda x: x), "apply"),
        (lambda df: df.action.str.replace("a", "b", regex=True), "regexp_replace"),
        (lambda df: df.pivot, "compute"),
        (lambda df: df.action.str.capitalize(), r"map\(str.capitalize\)"),
        (lambda df: df.when.dt.isocalendar(), "compute"),
        (lambda df: getattr(dd, "read_sql"), "Parquet"),
        (lambda df: getattr(distributed, "Lock"), "processes of their own"),
        (lambda df: dd.to_datetime(df.action, format="%d"), "format"),
    ],
)
def test_what_is_not_supported_is_named_with_what_is(ask: Any, says: str, ours: Any) -> None:
    with pytest.raises(dd.NotSupported, match=says) as raised:
        ask(ours)
    assert isinstance(raised.value, AttributeError)
    assert isinstance(raised.value, NotImplementedError)


def test_no_rows_and_fewer_than_none(ours: Any) -> None:
    assert len(ours.head(0)) == 0
    with pytest.raises(dd.NotSupported, match="-1"):
        ours.head(-1)


def test_names_that_nobody_knows_are_attribute_errors(ours: Any) -> None:
    for lazy in (ours, ours.amount, ours.action.str, ours.when.dt, ours.groupby("user_id"), dd):
        with pytest.raises(AttributeError, match="nonsense"):
            lazy.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match="frame"):
        ours.nonsense = 5
    assert not hasattr(ours, "iloc")


def test_delayed_calls_wait_and_are_made_once() -> None:
    calls: list[int] = []

    @dd.delayed
    def number(value: int) -> int:
        calls.append(value)
        return value

    @dd.delayed
    def total(values: list[int], more: dict[str, int]) -> int:
        return sum(values) + more["x"]

    one = number(1)
    whole = total([one, number(2), 3], more={"x": one})
    assert calls == []
    assert whole.compute() == 7
    assert sorted(calls) == [1, 2]
    assert dd.compute(number(5), number(6)) == (5, 6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_was_forked_has_engines_of_its_own(ours: Any) -> None:
    expected = ours.amount.sum().compute()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_total, (ours,)).get(60) == expected


def _total(frame: Any) -> Any:
    return frame.amount.sum().compute()


ENDLESS = """
import sys
import cardoon.dataframe as dd
frame = dd.read_csv(sys.argv[1])
pairs = frame.assign(k=1).merge(frame.assign(k=1), on="k")

class Terminal:
    is_told = False

    def isatty(self):
        return True

    def write(self, text):
        if not self.is_told:
            self.is_told = True
            print("running", flush=True)

    def flush(self):
        pass

try:
    with dd.ProgressBar(out=Terminal()):
        print((pairs.n_x * pairs.n_y % 7).sum().compute())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_ends_a_query(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n" + "\n".join(map(str, range(300_000))) + "\n", encoding="utf-8")
    program = [sys.executable, "-c", ENDLESS, str(tmp_path / "a.csv")]
    # Whoever runs the tests may ignore the signal, and children inherit that.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, preexec_fn=heard) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "running\n"
            child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == "interrupted\n"
            assert child.wait(30) == 0
        finally:
            child.kill()
