"""Calls that run on the task queue, in processes of their own."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cardoon.distributed import (
    CancelledError,
    Client,
    Future,
    LocalCluster,
    TimeoutError,
    as_completed,
    fire_and_forget,
    wait,
)
from cardoon_data import NotSupported
from cardoon_data._calls.durations import seconds
from cardoon_data._calls.parcels import LARGE
from helpers import calls
from helpers.processes import is_alive, wait_until

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")

#: How long a result may take, in seconds. Machines of tests are busy.
PATIENCE = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """As many as eight calls at once."""
    with LocalCluster(n_workers=4, threads_per_worker=2) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster) as client:
        yield client


def test_calls_run_in_other_processes_many_at_once(client: Client, tmp_path: Path) -> None:
    futures = client.map(calls.meet, [tmp_path] * 8, [8] * 8)
    processes = client.gather(futures)
    assert len(set(processes)) == 8
    assert os.getpid() not in processes
    assert [future.status for future in futures] == ["finished"] * 8


def test_what_has_no_name_elsewhere_travels_by_value(client: Client) -> None:
    factor = 3

    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

        def times(self) -> Point:
            return Point(self.x * factor)

    answer = client.submit(lambda point: point.times(), Point(5)).result(PATIENCE)
    assert isinstance(answer, Point)
    assert answer.x == 15


def test_a_worker_has_the_folder_and_the_modules_of_the_program(client: Client) -> None:
    assert client.submit(os.getcwd).result(PATIENCE) == os.getcwd()
    assert client.submit(calls.Own, "a", 1).result(PATIENCE).number == 1
    assert client.submit(os.environ.get, "CARDOON_DATA_TOKEN").result(PATIENCE) is None


def test_coroutines_are_run_to_their_end(client: Client) -> None:
    async def later(value: int) -> int:
        import asyncio

        await asyncio.sleep(0)
        return value + 1

    assert client.submit(later, 1).result(PATIENCE) == 2
    with Client(processes=False) as threads:
        assert threads.submit(later, 2).result(PATIENCE) == 3


def test_results_come_in_the_order_of_the_calls(client: Client) -> None:
    futures = client.map(lambda a, b: a * b, range(3000), range(3000))
    assert client.gather(futures) == [each * each for each in range(3000)]


def test_futures_are_arguments_at_any_depth(client: Client) -> None:
    one, two = client.map(lambda x: x, [1, 2])
    nested = client.submit(lambda value: value, {"a": [one, (two, {"b": one})], "c": {3: two}})
    assert nested.result(PATIENCE) == {"a": [1, (2, {"b": 1})], "c": {3: 2}}
    assert client.submit(lambda *, value: value + 1, value=two).result(PATIENCE) == 3
    with pytest.raises(TypeError, match="argument"):
        pickle.dumps(one)


def test_a_call_waits_for_what_it_needs(client: Client, tmp_path: Path) -> None:
    first = client.submit(calls.held, tmp_path, value=1)
    last = first
    for _ in range(50):
        last = client.submit(lambda value: value + 1, last)
    wait_until(lambda: calls.runs(tmp_path))
    assert (first.status, last.status) == ("pending", "pending")
    (tmp_path / "go").touch()
    assert last.result(PATIENCE) == 51


def test_exceptions_are_raised_as_what_they_are(client: Client) -> None:
    def fail() -> None:
        raise calls.Own("name", 7)

    failed = client.submit(fail)
    follows = client.submit(lambda value: value, [failed])
    with pytest.raises(calls.Own) as caught:
        follows.result(PATIENCE)
    assert caught.value.number == 7
    assert "in fail" in str(caught.value.__cause__)
    assert failed.status == follows.status == "error"
    assert isinstance(failed.exception(), calls.Own)
    assert [frame.name for frame in traceback.extract_tb(follows.traceback())] == ["fail"]
    fine = client.submit(int, 5)
    assert fine.traceback() is None
    assert client.gather([failed, fine, {"a": failed, "b": fine}], errors="skip") == [5, {"b": 5}]
    with pytest.raises(calls.Own):
        client.gather([fine, failed])


def test_a_class_of_the_program_itself_is_caught_as_that(client: Client) -> None:
    class Mine(ValueError):
        pass

    def fail() -> None:
        raise Mine("mine")

    with pytest.raises(Mine):
        client.submit(fail).result(PATIENCE)


def test_an_exception_that_cannot_travel_is_told(client: Client) -> None:
    def fail() -> None:
        error = ValueError("locked")
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        raise error

    with pytest.raises(RuntimeError, match="ValueError: locked"):
        client.submit(fail).result(PATIENCE)
    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        client.submit(sys.exit, 3).result(PATIENCE)
    with pytest.raises(TypeError, match="pickle"):
        client.submit(threading.Lock).result(PATIENCE)
    with pytest.raises(TypeError, match="pickle"):
        client.submit(print, threading.Lock())


def test_a_call_can_be_made_again_by_itself_or_by_hand(client: Client, tmp_path: Path) -> None:
    assert client.submit(calls.fail, tmp_path, 2, retries=2).result(PATIENCE) == "done"
    assert len(calls.runs(tmp_path, "failing")) == 3
    folder = tmp_path / "by hand"
    folder.mkdir()
    future = client.submit(calls.fail, folder, 1)
    assert isinstance(future.exception(PATIENCE), calls.Own)
    client.retry([future])
    assert future.result(PATIENCE) == "done"


def test_large_values_go_through_files_that_are_removed(client: Client, cluster: LocalCluster) -> None:
    folder = cluster._calls().folder
    before = set(folder.glob("*.parcel"))
    large = os.urandom(8 * LARGE)
    future = client.submit(lambda value: value[::-1], large)
    doubled = client.submit(lambda value: value * 2, future)
    assert future.result(PATIENCE) == large[::-1]
    assert doubled.result(PATIENCE) == large[::-1] * 2
    shared = client.scatter(large)
    sizes = client.map(lambda value, number: len(value) + number, [shared] * 20, range(20))
    assert client.gather(sizes) == [len(large) + number for number in range(20)]
    files = set(folder.glob("*.parcel")) - before
    # Both results, and what was scattered; arguments are gone.
    assert len(files) == 3
    assert all(file.stat().st_mode & 0o077 == 0 for file in (*files, folder))
    del future, doubled, shared, sizes
    wait_until(lambda: set(folder.glob("*.parcel")) <= before)


def test_many_small_results_are_one_large_argument(client: Client) -> None:
    parts = client.map(lambda number: bytes([number % 256]) * 1000, range(1000))
    assert len(client.submit(b"".join, parts).result(PATIENCE)) == 1_000_000


def test_what_is_cancelled_before_it_starts_does_not_run(client: Client, tmp_path: Path) -> None:
    holding = [client.submit(calls.held, tmp_path, f"holding{number}") for number in range(8)]
    wait_until(lambda: all(calls.runs(tmp_path, f"holding{number}") for number in range(8)), PATIENCE)
    waiting = [client.submit(calls.run, tmp_path, f"waiting{number}") for number in range(3)]
    follows = client.submit(lambda value: value, waiting[0])
    client.cancel(waiting[:2])
    assert waiting[0].cancelled()
    assert (waiting[1].status, follows.status, waiting[2].status) == ("cancelled", "cancelled", "pending")
    with pytest.raises(CancelledError):
        waiting[0].result()
    (tmp_path / "go").touch()
    assert wait(holding + waiting, PATIENCE).not_done == set()
    # Those that were sent later have run.
    assert waiting[2].result() is None
    assert not calls.runs(tmp_path, "waiting0") and not calls.runs(tmp_path, "waiting1")


def test_a_call_that_runs_is_stopped_by_cancelling(client: Client, tmp_path: Path) -> None:
    future = client.submit(calls.held, tmp_path)
    wait_until(lambda: calls.runs(tmp_path), PATIENCE)
    assert future.cancel()
    [process] = calls.runs(tmp_path)
    wait_until(lambda: not is_alive(process), PATIENCE)
    assert client.submit(int, 5).result(PATIENCE) == 5
    assert len(calls.runs(tmp_path)) == 1


def test_futures_are_given_out_as_they_end(client: Client, tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
    futures = [client.submit(calls.held, folder, value=folder.name) for folder in folders]
    ended = as_completed(futures)
    for name in ("2", "0"):
        (tmp_path / name / "go").touch()
        assert next(ended).result() == name
    assert (ended.count(), ended.is_empty(), ended.has_ready()) == (1, False, False)
    later = client.submit(int, 7)
    ended.add(later)
    assert next(ended) is later
    (tmp_path / "1" / "go").touch()
    assert [future.result() for future in ended] == ["1"]
    assert ended.is_empty()
    failed = client.submit(calls.fail, tmp_path, 9)
    [(future, error)] = as_completed([failed], with_results=True, raise_errors=False)
    assert future is failed and isinstance(error, calls.Own)
    with pytest.raises(calls.Own):
        list(as_completed([failed], with_results=True))
    assert [len(batch) for batch in as_completed([later, later]).batches()] == [2]


def test_waiting_ends_with_the_time(client: Client, tmp_path: Path) -> None:
    held, ended = client.submit(calls.held, tmp_path), client.submit(int, 1)
    with pytest.raises(TimeoutError):
        held.result(timeout=0.05)
    with pytest.raises(TimeoutError):
        held.exception(timeout=0)
    done, not_done = wait([held, ended], PATIENCE, return_when="FIRST_COMPLETED")
    assert (done, not_done) == ({ended}, {held})
    with pytest.raises(TimeoutError):
        wait([held, ended], timeout=0.05)
    with pytest.raises(TimeoutError):
        list(as_completed([held], timeout=0.05))
    (tmp_path / "go").touch()
    assert held.result(PATIENCE) is None


def test_names_of_futures(client: Client, tmp_path: Path) -> None:
    first = client.submit(calls.run, tmp_path, key="mine")
    second = client.submit(calls.run, tmp_path, key="mine")
    assert first is second
    assert first.result(PATIENCE) is None
    assert len(calls.runs(tmp_path)) == 1
    assert [future.key for future in client.map(int, [1, 2], key=["one", "two"])] == ["one", "two"]
    heard: list[Future] = []
    first.add_done_callback(heard.append)
    assert heard == [first]
    first.release()
    with pytest.raises(CancelledError):
        first.result()


def test_a_callback_may_do_what_it_wants(client: Client, tmp_path: Path) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def wait_for_another(future: Future) -> None:
        heard.put(client.submit(int, 5).result(PATIENCE))

    future = client.submit(calls.held, tmp_path)
    future.add_done_callback(lambda _: sys.exit(1))
    future.add_done_callback(wait_for_another)
    follows = client.submit(lambda value: value, future)
    others = client.map(lambda x: x, range(50))
    (tmp_path / "go").touch()
    assert heard.get(timeout=PATIENCE) == 5
    assert follows.result(PATIENCE) is None
    assert client.gather(others) == list(range(50))


def test_an_exception_that_ends_whoever_unpickles_it_ends_nobody(client: Client) -> None:
    here = os.getpid()

    def end(process: int) -> Exception:
        if os.getpid() == process:
            sys.exit(1)
        return ValueError()

    class Ends(Exception):
        def __reduce__(self) -> Any:
            return end, (here,)

    def fail() -> None:
        raise Ends

    futures = client.map(lambda x: x, range(20))
    with pytest.raises(RuntimeError, match="SystemExit: 1"):
        client.submit(fail).result(PATIENCE)
    assert client.gather(futures) == list(range(20))
    assert client.submit(int, 5).result(PATIENCE) == 5


def test_a_value_that_waits_while_it_is_unpickled_holds_up_no_other(client: Client) -> None:
    here, go = os.getpid(), threading.Event()
    _events[here] = go

    class Waits:
        def __reduce__(self) -> Any:
            return _wait_at, (here,)

    executor = client.get_executor()
    future: concurrent.futures.Future[Any] = executor.submit(lambda: Waits())
    assert client.gather(client.map(lambda x: x, range(20))) == list(range(20))
    go.set()
    assert future.result(PATIENCE) == "waited"


def test_an_exception_that_waits_while_it_is_unpickled_holds_up_no_other(client: Client) -> None:
    here, go = os.getpid(), threading.Event()
    _events[here] = go

    class Slow(Exception):
        def __setstate__(self, state: Any) -> None:
            self.said = _wait_at(here)

        def __reduce__(self) -> Any:
            return Slow, (), {"some": "state"}

    def fail() -> None:
        raise Slow

    failed = client.submit(fail)
    follows = client.submit(int, failed)
    wait([failed, follows], PATIENCE)
    assert client.gather(client.map(lambda x: x, range(20))) == list(range(20))
    assert (failed.status, follows.status) == ("error", "error")
    go.set()
    error = failed.exception(PATIENCE)
    assert (type(error).__name__, getattr(error, "said", None)) == ("Slow", "waited")
    assert follows.exception(PATIENCE) is failed.exception(PATIENCE) is error


def test_a_value_of_another_client_travels_without_being_unpickled(client: Client, cluster: LocalCluster) -> None:
    here, go = os.getpid(), threading.Event()
    _events[here] = go

    class Waits:
        def __reduce__(self) -> Any:
            return _wait_at, (here,)

    with Client(cluster) as other:
        value = other.submit(lambda: Waits())
        taken = client.submit(lambda value: value * 2, value)
        assert taken.result(PATIENCE) == "waitedwaited"
        assert client.submit(len, other.submit(bytes, 2 * LARGE)).result(PATIENCE) == 2 * LARGE
    go.set()


#: What is waited for, by the process in which that is to be.
_events: dict[int, threading.Event] = {}


def _wait_at(process: int) -> str:
    return "waited" if os.getpid() != process or _events[process].wait(PATIENCE) else "in vain"


def test_what_is_released_is_kept_for_those_that_need_it(client: Client, tmp_path: Path) -> None:
    held, ended = client.submit(calls.held, tmp_path, value=1), client.submit(int, 2)
    ended.result(PATIENCE)
    both = client.submit(lambda a, b: a + b, held, ended)
    for future in (held, ended):
        future.release()
        assert (future.status, future.done(), future.cancelled()) == ("cancelled", True, True)
        with pytest.raises(CancelledError):
            future.result()
    (tmp_path / "go").touch()
    assert both.result(PATIENCE) == 3
    # Nobody needs them any more.
    wait_until(lambda: held._end.cancelled() and ended._end.cancelled(), PATIENCE)


def test_what_failed_for_what_it_needs_is_made_again_with_that(client: Client, tmp_path: Path) -> None:
    first = client.submit(calls.fail, tmp_path, 1)
    last = client.submit(lambda value: [value], client.submit(lambda value: value, first))
    assert isinstance(last.exception(PATIENCE), calls.Own)
    last.retry()
    assert last.result(PATIENCE) == ["done"]
    assert len(calls.runs(tmp_path, "failing")) == 2


class Pair(NamedTuple):
    a: Any
    b: Any


def test_results_are_gathered_from_whatever_holds_futures(client: Client) -> None:
    one, two = client.map(int, [1, 2])
    assert client.gather(each for each in (one, two)) == [1, 2]
    assert client.gather(map(lambda each: each, [one])) == [1]
    assert client.gather({"a": one}.values()) == [1]
    assert client.gather(frozenset([one, two])) == frozenset([1, 2])
    assert client.gather(Pair(one, [two])) == Pair(1, [2])
    assert wait(iter([one, two])).done == {one, two}


def test_times_can_be_said_with_a_unit(client: Client, tmp_path: Path) -> None:
    held = client.submit(calls.held, tmp_path)
    for wait_shortly in (held.result, held.exception, lambda timeout: wait([held], timeout)):
        with pytest.raises(TimeoutError):
            wait_shortly("5ms")
    with pytest.raises(TimeoutError):
        list(as_completed([held], timeout="1 ms"))
    with pytest.raises(ValueError, match='"5s"'):
        held.result("soon")
    (tmp_path / "go").touch()
    assert held.result("2 minutes") is None
    assert [seconds(each) for each in (None, 3, "1.5s", "2 hours", timedelta(minutes=1))] == [None, 3, 1.5, 7200, 60]


def test_the_client_is_an_executor(client: Client) -> None:
    with client.get_executor(retries=1) as executor:
        assert list(executor.map(pow, [2, 3], [5, 2])) == [32, 9]
        future = executor.submit(os.getpid)
        assert concurrent.futures.wait([future], PATIENCE).done == {future}
        assert future.result() != os.getpid()
        failed = executor.submit(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result()
    with pytest.raises(RuntimeError):
        executor.submit(int)


def test_calls_can_be_sent_by_many_threads(client: Client) -> None:
    answers: dict[int, int] = {}

    def work(number: int) -> None:
        answers[number] = sum(client.gather(client.map(lambda x: x + number, range(50))))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert answers == {number: sum(range(50)) + 50 * number for number in range(6)}


def test_calls_go_on_though_nobody_holds_them(client: Client, tmp_path: Path) -> None:
    fire_and_forget(client.submit(calls.run, tmp_path))
    wait_until(lambda: calls.runs(tmp_path), PATIENCE)


def test_urgent_calls_start_first(client: Client, tmp_path: Path) -> None:
    holding = [client.submit(calls.held, tmp_path, f"holding{number}") for number in range(8)]
    wait_until(lambda: all(calls.runs(tmp_path, f"holding{number}") for number in range(8)), PATIENCE)
    usual = client.map(lambda x: x, range(200))
    urgent = client.submit(lambda: "urgent", priority=3)
    late = client.submit(lambda: "late", priority=-3)
    (tmp_path / "go").touch()
    order = list(as_completed([*usual, urgent, late], timeout=PATIENCE))
    assert order.index(urgent) < 100
    assert order.index(late) > 100
    client.gather(holding)


@pytest.mark.parametrize("options", [{"workers": ["a"]}, {"resources": {"GPU": 1}}, {"actor": True}])
def test_options_without_an_effect_are_refused(client: Client, options: dict[str, Any]) -> None:
    with pytest.raises(NotSupported, match=next(iter(options))):
        client.submit(int, 5, **options)
    assert client.submit(int, 5, workers=None, allow_other_workers=False).result(PATIENCE) == 5
