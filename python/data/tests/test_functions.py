"""Functions of Python, which run in processes of their own."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError
from cardoon_data import _local
from cardoon_data._local import Local, Settings
from cardoon_data._remote import Remote
from helpers.processes import commands_below, is_alive, running, wait_until
from helpers.same import assert_same

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")

ROWS = 30_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with more rows than a batch has."""
    folder = tmp_path_factory.mktemp("many")
    for part in range(3):
        numbers = range(part * ROWS // 3, (part + 1) * ROWS // 3)
        frame = pd.DataFrame({"n": numbers, "k": [n * 7919 % 101 for n in numbers], "t": [f"t{n % 13}" for n in numbers]})
        frame.to_csv(folder / f"{part}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def in_pandas(many: Path) -> pd.DataFrame:
    return pd.concat([pd.read_csv(file) for file in sorted(many.iterdir())], ignore_index=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDOON_DATA_CHUNK_BYTES", "1000")
        with LocalCluster(n_workers=2, threads_per_worker=2) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    """Engines of their own, whose chunks have a batch of rows each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDOON_DATA_CHUNK_BYTES", "1000")
        yield Local(Settings(threads=3))


@pytest.fixture
def here(local: Local, monkeypatch: pytest.MonkeyPatch) -> Iterator[Local]:
    # Engines are made when they are first used.
    monkeypatch.setenv("CARDOON_DATA_CHUNK_BYTES", "1000")
    _local.use(local)
    yield local
    _local.leave(local)


@pytest.fixture(params=["here", "cluster"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """In this process's children, and in those of executors."""
    if request.param == "here":
        request.getfixturevalue("here")
        yield
    else:
        with Client(request.getfixturevalue("cluster")):
            yield


def children(process: int | None = None) -> set[int]:
    """The processes below one in which functions run."""
    commands = commands_below(process or os.getpid())
    return {each for each, command in commands.items() if "cardoon_data._child" in command}


# What comes out.


def parts(frame: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """``map_partitions``; in pandas all rows are one."""
    lazy = hasattr(frame, "map_partitions")
    return frame.map_partitions(function, *args, **options) if lazy else function(frame, *args, **options)


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


# When and where it runs.


def test_functions_run_when_they_are_asked_for_in_other_processes(anywhere: None, many: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def noted(n: int) -> int:
        with calls.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return os.getpid()

    frame = dd.read_csv(many / "0.csv").head(100, compute=False)
    made = frame.n.map(noted, meta=("n", "int64"))
    assert not calls.exists()
    made.explain()
    assert not calls.exists()
    processes = set(made.compute())
    assert processes and os.getpid() not in processes
    assert len(calls.read_text().splitlines()) == 100
    learned = frame.n.map(noted)
    assert len(calls.read_text().splitlines()) == 110
    assert learned.dtype == "int64"


def test_of_few_rows_few_are_given_to_a_function(here: Local, many: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def noted(n: int) -> int:
        with calls.open("a") as file:
            file.write("called\n")
        return n

    frame = dd.read_csv(many / "*.csv")
    frame["x"] = frame.n.map(noted, meta=("x", "int64"))
    assert frame.head(5).x.to_list() == [0, 1, 2, 3, 4]
    assert len(calls.read_text().splitlines()) == 5


def test_on_a_cluster_they_run_below_the_executors(cluster: LocalCluster, many: Path) -> None:
    with Client(cluster) as client:
        frame = dd.read_csv(many / "*.csv")
        for query in (frame.n.map(lambda n: os.getppid()), frame.groupby("k").apply(lambda group: os.getppid())):
            assert isinstance(_local.current(), Remote)
            parents = set(query.compute())
            commands = commands_below(os.getpid())
            assert parents and all("cardoon_data executor" in commands[parent] for parent in parents)
        assert len(client.ncores()) == 2


def test_children_are_used_again(here: Local, many: Path) -> None:
    frame = dd.read_csv(many / "0.csv").head(10, compute=False)
    first, second = (set(frame.n.map(lambda n: os.getpid(), meta=("n", "int64")).compute()) for _ in range(2))
    assert first == second


def test_only_the_columns_that_are_needed_are_read(here: Local, many: Path) -> None:
    total = dd.read_csv(many / "*.csv").n.map(lambda n: n + 1, meta=("n", "int64")).sum()
    assert "columns [n]" in total.explain()


def test_children_end_with_their_engine(many: Path) -> None:
    before = children()
    local = Local(Settings(threads=2))
    _local.use(local)
    assert len(dd.read_csv(many / "*.csv").n.map(str).compute()) == ROWS
    started = children() - before
    assert started
    _local.leave(local)
    del local
    wait_until(lambda: not any(map(is_alive, started)))


PRINTS_AND_WAITS = """
import os, sys, time
import cardoon.dataframe as dd
from cardoon.distributed import Client

waits = sys.argv[2]
if len(sys.argv) > 3:
    client = Client(n_workers=1, threads_per_worker=1)

def slow(n):
    if os.path.exists(waits):
        with open(waits + ".who", "w") as file:
            print(os.getpid(), file=file)
        time.sleep(600)
    return n

frame = dd.read_csv(sys.argv[1])
print(len(frame.n.map(slow, meta=("n", "int64")).compute()), flush=True)
open(waits, "w").close()
try:
    frame.n.map(slow, meta=("n", "int64")).compute()
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("place", [[], ["cluster"]])
def test_who_stops_waiting_ends_the_children(
    number: signal.Signals, place: list[str], many: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(PRINTS_AND_WAITS, encoding="utf-8")
    command = [sys.executable, str(script), str(many / "0.csv"), str(tmp_path / "waits"), *place]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, preexec_fn=heard) as process:
        try:
            assert process.stdout is not None and process.stdin is not None
            assert process.stdout.readline() == f"{ROWS // 3}\n"
            who = tmp_path / "waits.who"
            wait_until(lambda: who.exists() and who.read_text().endswith("\n"), 60)
            assert int(who.read_text()) in (found := children(process.pid))
            found = found if number == signal.SIGKILL else {int(who.read_text())}
            process.send_signal(number)
            if number == signal.SIGINT:
                assert process.stdout.readline() == "interrupted\n"
            wait_until(lambda: not any(map(is_alive, found)))
            process.stdin.close()
        finally:
            process.kill()


# What goes wrong.


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


def test_a_function_may_print_and_read(here: Local, many: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def talks(n: int) -> int:
        print("printed", n)
        os.write(1, b"written\n")
        sys.stdout.buffer.write(b"binary\n")
        return n if sys.stdin.read() == "" else -1

    frame = dd.read_csv(many / "0.csv").head(20, compute=False)
    assert frame.n.map(talks, meta=("n", "int64")).compute().to_list() == list(range(20))
    wait_until(lambda: "printed 19" in capfd.readouterr().err)


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


def test_executors_that_may_not_run_functions_say_so(many: Path) -> None:
    program = [sys.executable, "-m", "cardoon_data"]
    with running(*program, "cluster", "--with-parent", "--workers", "1", "--threads", "1", "--bind", "127.0.0.1:0") as process:
        assert process.stdout is not None
        with Client(process.stdout.readline().strip()):
            with pytest.raises(CardoonError, match=r"(?s)CD8025.*--python"):
                dd.read_csv(many / "*.csv").n.map(str, meta=("n", "str")).compute()


def test_functions_need_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARDOON_DATA_TOKEN", raising=False)
    program = [sys.executable, "-m", "cardoon_data"]
    for words in (["cluster"], ["executor", "--scheduler", "127.0.0.1:1"]):
        command = [*program, *words, "--python", sys.executable]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 2 and "--token" in done.stderr


def test_a_million_rows_need_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as file:
        file.write("user_id,action\n")
        for n in range(1_000_000):
            file.write(f"{n % 1000},{'action' * 5}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDOON_DATA_CHUNK_BYTES", str(1 << 20))
        local = Local(Settings(threads=2, memory=256 << 20))
        _local.use(local)
        before = resident()
        made = dd.read_csv(tmp_path / "a.csv").map_partitions(lambda part: part.assign(x=part.user_id * 2))
        assert made.x.sum().compute() == 999_000 * 1000
        assert resident() - before < 100 << 20
        _local.leave(local)


def resident() -> int:
    """The most bytes that this process had resident."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10
