"""Futures of calls in other processes, by Dask's names."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cardoon import App
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
from cardoon_data._calls.pickled import PickledCall
from cardoon_data._calls.queue import Queue
from helpers import calls
from helpers.calls import PATIENCE
from helpers.processes import is_alive, wait_until

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


def test_calls_run_in_other_processes_many_at_once(client: Client, tmp_path: Path) -> None:
    futures = client.map(calls.meet, [tmp_path] * 8, [8] * 8)
    processes = client.gather(futures)
    assert len(set(processes)) == 8
    assert os.getpid() not in processes
    assert [future.status for future in futures] == ["finished"] * 8


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


def test_a_call_can_be_made_again_by_itself_or_by_hand(client: Client, tmp_path: Path) -> None:
    assert client.submit(calls.fail, tmp_path, 2, retries=2).result(PATIENCE) == "done"
    assert len(calls.runs(tmp_path, "failing")) == 3
    folder = tmp_path / "by hand"
    folder.mkdir()
    future = client.submit(calls.fail, folder, 1)
    assert isinstance(future.exception(PATIENCE), calls.Own)
    client.retry([future])
    assert future.result(PATIENCE) == "done"


@pytest.fixture
def sent(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of calls that have reached the workers' queue, to which a thread sends them."""
    # A worker takes beforehand what it finishes within 5 ms, so the only call that it knows is a slow one.
    client.submit(time.sleep, 0.2).result(PATIENCE)
    assert isinstance(client._calls, Queue) and client._calls._link is not None
    ids: list[str] = []
    send = client._calls._link._sent

    def send_and_note(said: Sequence[tuple[PickledCall, str]]) -> Sequence[object]:
        answers = send(said)
        ids.extend(call.id for call, _ in said)
        return answers

    monkeypatch.setattr(client._calls._link, "_sent", send_and_note)
    return ids


def test_what_is_cancelled_before_it_starts_does_not_run(
    client: Client, cluster: LocalCluster, sent: list[str], tmp_path: Path
) -> None:
    holding = [client.submit(calls.held, tmp_path, f"holding{number}") for number in range(8)]
    wait_until(lambda: all(calls.runs(tmp_path, f"holding{number}") for number in range(8)), PATIENCE)
    waiting = [client.submit(calls.run, tmp_path, f"waiting{number}") for number in range(3)]
    follows = client.submit(lambda value: value, waiting[0])
    wait_until(lambda: len(sent) == 11)
    client.cancel(waiting[:2])
    assert waiting[0].cancelled()
    assert (waiting[1].status, follows.status, waiting[2].status) == ("cancelled", "cancelled", "pending")
    with pytest.raises(CancelledError):
        waiting[0].result()
    # A thread tells it to the workers, and without that they could start what they have taken already.
    app = App("looks", broker=cluster._calls().broker, set_as_current=False)
    wait_until(lambda: [app.AsyncResult(id).state for id in sent[8:10]] == ["REVOKED"] * 2)
    app.close()
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


def test_urgent_calls_start_first(client: Client, sent: list[str], tmp_path: Path) -> None:
    holding = [client.submit(calls.held, tmp_path, f"holding{number}") for number in range(8)]
    wait_until(lambda: all(calls.runs(tmp_path, f"holding{number}") for number in range(8)), PATIENCE)
    usual = client.map(lambda _: time.monotonic_ns(), range(200))
    urgent = client.submit(time.monotonic_ns, priority=3)
    late = client.submit(time.monotonic_ns, priority=-3)
    wait_until(lambda: len(sent) == 210)
    (tmp_path / "go").touch()
    # In the order in which they ran: that in which results come is another one.
    order = sorted(client.gather([*usual, urgent, late]))
    assert order.index(urgent.result()) < 100
    assert order.index(late.result()) > 100
    client.gather(holding)


@pytest.mark.parametrize("options", [{"workers": ["a"]}, {"resources": {"GPU": 1}}, {"actor": True}])
def test_options_without_an_effect_are_refused(client: Client, options: dict[str, Any]) -> None:
    with pytest.raises(NotSupported, match=next(iter(options))):
        client.submit(int, 5, **options)
    assert client.submit(int, 5, workers=None, allow_other_workers=False).result(PATIENCE) == 5
