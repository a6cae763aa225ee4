"""``delayed``, in threads of this process and on the task queue."""

from __future__ import annotations

import gc
import multiprocessing
import operator
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster, delayed
from cardoon_data import NotSupported
from helpers import calls
from helpers.processes import wait_until


class Pair(NamedTuple):
    a: Any
    b: Any


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=2) as cluster:
        yield cluster


@pytest.fixture(params=["threads", "processes", "threads of a client"])
def where(request: pytest.FixtureRequest, cluster: LocalCluster) -> Iterator[str]:
    """Each test is to hold in all of them."""
    if request.param == "processes":
        with Client(cluster):
            yield request.param
    elif request.param == "threads":
        yield request.param
    else:
        with Client(processes=False, n_workers=4):
            yield request.param


def inc(x: int) -> int:
    return x + 1


def test_calls_are_made_where_the_client_is(where: str) -> None:
    assert (delayed(os.getpid)().compute() == os.getpid()) == (where != "processes")
    assert delayed(os.getpid)().compute(scheduler="threads") == os.getpid()
    threads = delayed(threading.get_ident)()
    assert threads.compute(scheduler="synchronous") != threading.get_ident()
    with pytest.raises(NotSupported, match="Client"):
        threads.compute(scheduler="processes")


def test_each_call_is_made_once(where: str, tmp_path: Path) -> None:
    run = delayed(calls.run)
    top = run(tmp_path, "top", 1)
    left, right = (delayed(lambda x, y: x + y)(run(tmp_path, side, 10), top) for side in ("left", "right"))
    bottom = delayed(sum)([left, right, top])
    assert dd.compute(bottom, left, {"top": top}, 5) == (23, 11, {"top": 1}, 5)
    assert [len(calls.runs(tmp_path, name)) for name in ("top", "left", "right")] == [1, 1, 1]


@pytest.mark.parametrize("processes", [True, False])
def test_what_is_lazy_among_arguments_is_called_once(cluster: LocalCluster, processes: bool, tmp_path: Path) -> None:
    run = delayed(calls.run)
    top = run(tmp_path, "top", 1)
    side = top + run(tmp_path, "side", 2)
    with Client(cluster) if processes else Client(processes=False) as client:
        # What has no name elsewhere is pickled in two attempts.
        add = client.submit(lambda values, function: function(values), [top, side, top], lambda values: sum(values))
        assert add.result(60) == 5
        assert client.gather(client.map(lambda x, y: x + y, range(3), y=top)) == [1, 2, 3]
    # Once for each of the two.
    assert [len(calls.runs(tmp_path, name)) for name in ("top", "side")] == [2, 1]


def test_a_client_computes_what_is_lazy(cluster: LocalCluster, ours: Any) -> None:
    with Client(cluster) as client:
        one = delayed(inc)(0)
        assert client.compute(one, sync=True) == 1
        assert client.compute([one, delayed(inc)(one)], sync=True) == [1, 2]
        assert client.compute(ours["seconds"].count(), sync=True) == client.compute(ours["seconds"].count()).result(60)


def test_calls_that_need_nothing_of_each_other_run_at_once(where: str, tmp_path: Path) -> None:
    together = [delayed(calls.meet)(tmp_path, 2) for _ in range(2)]
    assert len(delayed(list)(together).compute()) == 2


def test_arguments_are_found_at_any_depth(where: str) -> None:
    one = delayed(inc)(0)
    nested = delayed(lambda value, *, named: (value, named))({"a": [one, (one, {one})]}, named=Pair(one, 2))
    assert nested.compute() == ({"a": [1, (1, {1})]}, Pair(1, 2))
    assert delayed([one, 2]).compute() == [1, 2]
    assert delayed({"a": one}).compute() == {"a": 1}
    assert dd.compute([one, {"b": one}], one) == ([1, {"b": 1}], 1)


def test_what_is_done_with_calls_is_a_call(where: str) -> None:
    x, y = delayed(inc)(2), delayed(inc)(4)
    expected = [8, -2, 15, 0.6, 2, 3, 13, 2, -3, 3, True, False]
    given = [x + y, x - y, x * y, x / y, 7 // x, x % y, 10 + x, y - 3, -x, abs(-x), x < y, x == y]
    assert list(dd.compute(*given)) == expected
    assert (delayed([7, 8])[1] + delayed({"a": 1})["a"]).compute() == 9
    assert delayed("a,b").split(",").compute() == ["a", "b"]
    assert delayed(Pair)(x, y).b.compute() == 5
    assert delayed(operator.itemgetter(0))([x]).compute() == 3
    with pytest.raises(TypeError, match="compute"):
        bool(x)
    with pytest.raises(AttributeError):
        x._private  # noqa: B018 - It is asked for.


def test_several_values_of_one_call(where: str, tmp_path: Path) -> None:
    @delayed(nout=2)  # type: ignore[untyped-decorator]
    def both(folder: Path) -> tuple[int, int]:
        calls.run(folder)
        return 1, 2

    one, two = both(tmp_path)
    assert dd.compute(one, two) == (1, 2)
    assert len(calls.runs(tmp_path)) == 1
    assert len(both(tmp_path)) == 2
    with pytest.raises(TypeError, match="nout"):
        list(delayed(inc)(1))


def test_decorated_functions_and_methods(where: str) -> None:
    class Adder:
        def __init__(self, by: int) -> None:
            self.by = by

        @delayed
        def add(self, x: int) -> int:
            """Adds."""
            return x + self.by

    assert Adder(3).add(4).compute() == 7
    assert Adder.add.__doc__ == "Adds."
    named = delayed(inc)(1, dask_key_name="named")
    assert (named.key, named.compute()) == ("named", 2)
    assert delayed(inc)(1).persist().compute() == 2


def test_exceptions_and_second_attempts(where: str, tmp_path: Path) -> None:
    failing = delayed(calls.fail)(tmp_path, 1)
    with pytest.raises(calls.Own):
        delayed(inc)(failing).compute()
    assert failing.compute() == "done"


def test_long_chains_and_wide_graphs(where: str) -> None:
    last = delayed(inc)(0)
    for _ in range(1500):
        last = delayed(inc)(last)
    assert last.compute() == 1501
    assert delayed(sum)([delayed(inc)(number) for number in range(1000)]).compute() == 500_500


def test_delayed_calls_are_arguments_of_calls_of_a_client(cluster: LocalCluster, tmp_path: Path) -> None:
    for client in (Client(cluster), Client(processes=False)):
        with client:
            one = delayed(inc)(0)
            assert client.submit(lambda values: sum(values), [one, one + 1]).result(60) == 3
            future = client.compute(one + 5)
            assert client.gather(client.compute([one, future_of(future)])) == [1, 7]


def test_a_delayed_call_of_several_calls_of_a_client_is_made_once_while_it_is_held(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    for number, client in enumerate((Client(cluster), Client(n_workers=1, threads_per_worker=3, processes=False))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with client:
            first = delayed(calls.run)(folder, "first", 1)
            one = delayed(calls.held)(folder, "one", first)
            sums = [client.submit(lambda value, by: value + by, one, by) for by in (1, 2)]
            sums += [client.compute(one), client.submit(inc, one + 10), *client.compute([one, inc_of(one)])]
            (folder / "go").touch()
            assert client.gather(sums) == [2, 3, 1, 12, 1, 2]
            assert len(calls.runs(folder, "one")) == len(calls.runs(folder, "first")) == 1
            # What has ended is not made again while one of its futures is there, nor what it needed.
            assert client.submit(inc, one).result(60) == 2
            assert (len(calls.runs(folder, "one")), len(calls.runs(folder, "first"))) == (1, 1)
            del sums
            gc.collect()
            wait_until(lambda: client.submit(inc, one).result(60) == 2 and len(calls.runs(folder, "one")) > 1, 60)


def test_a_delayed_call_that_failed_is_made_again_for_the_next_call(cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster) as client:
        failing = delayed(calls.fail)(tmp_path, 1)
        failed = client.submit(inc, failing)
        assert isinstance(failed.exception(60), calls.Own)
        assert client.submit(lambda value: value, failing).result(60) == "done"


def inc_of(value: Any) -> Any:
    """A delayed call of it."""
    return delayed(inc)(value)


def future_of(future: Any) -> Any:
    """A call of what another one gives."""
    return delayed(inc)(future)


def test_a_fork_has_threads_of_its_own() -> None:
    with Client(processes=False) as client:
        # Its thread is there, and in the fork it is not.
        assert client.submit(inc, 1).result(60) == 2
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply_async(_computed).get(60) == 2


def _computed() -> Any:
    return delayed(inc)(1).compute()
