"""What goes wrong in functions of Python, and with their processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError
from cardoon_data._local import Local
from helpers.functions import ROWS, children
from helpers.processes import commands_below, is_alive, wait_until
from helpers.same import assert_same

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


def once(marker: Path, how: Callable[[], object]) -> Callable[[int], int]:
    """A function that does something the first time that it is called."""

    def function(n: int) -> int:
        try:
            marker.open("x").close()
        except FileExistsError:
            return n * 2
        how()
        return -1

    return function


@pytest.mark.parametrize("how", [lambda: os._exit(3), lambda: os.kill(os.getpid(), signal.SIGKILL)])
def test_a_child_that_dies_once_is_replaced(
    how: Callable[[], object], anywhere: None, many: Path, in_pandas: pd.DataFrame, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    made = dd.read_csv(many / "*.csv").n.map(once(marker, how), meta=("n", "int64"))
    assert_same(made, in_pandas.n * 2)
    assert marker.exists()


def test_an_executor_that_dies_of_a_function_is_replaced(cluster: LocalCluster, many: Path, in_pandas: pd.DataFrame) -> None:
    marker = many.parent / f"{os.getpid()}-executor"
    kill = once(marker, lambda: os.kill(os.getppid(), signal.SIGKILL))
    with Client(cluster) as client:
        groups = dd.read_csv(many / "*.csv").groupby("k").n.apply(lambda group: kill(int(group.sum())), meta=("n", "int64"))
        assert_same(groups, in_pandas.groupby("k").n.sum() * 2)
        assert marker.exists()
        wait_until(lambda: len(client.ncores()) == 2)


def test_a_chunk_that_children_always_die_of_fails(anywhere: None, many: Path) -> None:
    def dies(n: int) -> int:
        if n == 29_999:
            print("last words", file=sys.stderr, flush=True)
            os._exit(7)
        return n

    made = dd.read_csv(many / "*.csv").n.map(dies, meta=("n", "int64"))
    with pytest.raises(CardoonError, match=r"(?s)CD8027.*dies died 3 times.*exit status: 7.*last words"):
        made.compute()


class Mine(ValueError):
    """An exception that nobody else has."""


def test_an_exception_is_that_of_the_function(anywhere: None, many: Path) -> None:
    def fails(n: int) -> int:
        if n == 15_000:
            raise Mine("no such number")
        return n

    made = dd.read_csv(many / "*.csv").n.map(fails, meta=("n", "int64"))
    with pytest.raises(ValueError, match="no such number") as raised:
        made.compute()
    assert isinstance(raised.value, CardoonError)
    assert raised.value.code == "CD8026"
    assert "fails raised" in raised.value.message and "Mine" in raised.value.message
    assert any('raise Mine("no such number")' in line for line in raised.value.checked)
    made = dd.read_csv(many / "*.csv").n.map(lambda n: {}[n], meta=("n", "int64"))
    with pytest.raises(KeyError):
        made.compute()


OF_A_SCRIPT = """
def fails(part):
    return part.assign(x=inner(part))

def inner(part):
    return part["missing"].map(each)

def each(n):
    raise ValueError(n)
"""


@pytest.mark.parametrize("name", ["fails", "each"])
def test_a_traceback_begins_in_the_script(name: str, here: Local, many: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(OF_A_SCRIPT, encoding="utf-8")
    module: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(OF_A_SCRIPT, str(script), "exec"), module)
    frame = dd.read_csv(many / "0.csv").head(5, compute=False)
    call = frame.map_partitions(module[name], meta={"n": "int64"}) if name == "fails" else frame.n.map(module[name], meta=("n", "int64"))
    with pytest.raises(CardoonError) as raised:
        call.compute()
    told = [line.strip() for line in raised.value.checked]
    begin = told.index(f'File "{script}", line {3 if name == "fails" else 9}, in {name}')
    # What is pandas's own comes after the lines of the author only.
    assert told[begin - 1] == "Traceback (most recent call last):"
    assert not any("cardoon_data" in line for line in told)
    if name == "fails":
        assert 'return part["missing"].map(each)' in told[begin:]


def forks(part: pd.DataFrame) -> pd.DataFrame:
    """Goes on in both processes."""
    os.fork()
    return part.assign(x=part.n * 2)


def test_copies_that_a_function_makes_do_not_answer(anywhere: None, many: Path, in_pandas: pd.DataFrame) -> None:
    before = children()
    made = dd.read_csv(many / "*.csv").map_partitions(forks, meta={"n": "int64", "k": "int64", "t": "str", "x": "int64"})
    for _ in range(2):
        assert_same(made, in_pandas.assign(x=in_pandas.n * 2))
    # A copy ends as soon as it comes back, and each child has been a single process before.
    started = children() - before
    wait_until(lambda: all(map(is_single, filter(is_alive, started))))


def is_single(process: int) -> bool:
    """Whether a process has no living children."""
    return not commands_below(process)


def leaves_a_fork(marker: Path) -> None:
    multiprocessing.get_context("fork").Process(target=held, args=(marker,)).start()


def held(marker: Path) -> None:
    """Lives until nobody waits for it any more."""
    with marker.open("a") as file:
        file.write(f"{os.getpid()}\n")
    wait_until(lambda: not marker.exists(), 60)


def test_a_death_is_noticed_while_a_helper_lives(here: Local, many: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    marker.touch()

    def dies(part: pd.DataFrame) -> pd.DataFrame:
        leaves_a_fork(marker)
        os._exit(7)

    made = dd.read_csv(many / "0.csv").head(5, compute=False).map_partitions(dies, meta={"n": "int64"})
    try:
        with pytest.raises(CardoonError, match=r"(?s)CD8027.*died 3 times.*exit status: 7"):
            made.compute()
        wait_until(lambda: len(marker.read_text().splitlines()) == 3)
        helpers = list(map(int, marker.read_text().splitlines()))
        assert all(map(is_alive, helpers))
    finally:
        marker.unlink()
    wait_until(lambda: not any(map(is_alive, helpers)))


def test_rows_that_a_function_stores_leave_nothing(
    here: Local, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stores(part: pd.DataFrame) -> pd.DataFrame:
        tempfile.tempdir = str(tmp_path)
        total = dd.from_pandas(part).n.sum().compute()
        gc.collect()
        return part[["n"]].assign(n=total, folders=len(list(tmp_path.iterdir())))

    made = dd.read_csv(many / "0.csv").head(5, compute=False).map_partitions(stores, meta={"n": "int64", "folders": "int64"})
    assert made.compute().n.to_list() == [10] * 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error", [OSError(2, "away"), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), StopIteration(), SystemExit(3), Exception("plain")]
)
def test_whatever_is_raised_arrives(error: BaseException, here: Local, many: Path) -> None:
    def fails(part: pd.DataFrame) -> pd.DataFrame:
        raise error

    made = dd.read_csv(many / "0.csv").map_partitions(fails, meta={"n": "int64"})
    with pytest.raises(CardoonError, match=type(error).__name__):
        made.compute()
    assert len(dd.read_csv(many / "0.csv").n.map(str).compute()) == ROWS // 3
