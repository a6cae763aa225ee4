"""What travels between a program and its calls: functions, values and exceptions."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import threading
import traceback
from typing import Any

import pytest

from cardoon.distributed import Client, LocalCluster, wait
from cardoon_data._calls.parcels import LARGE
from helpers import calls
from helpers.calls import PATIENCE
from helpers.processes import wait_until

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


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
