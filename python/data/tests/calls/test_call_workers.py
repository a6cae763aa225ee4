"""The workers that make calls: what dies, what is forged, and what stays behind."""

from __future__ import annotations

import base64
import os
import pickle
import resource
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from cardoon import App
from cardoon.distributed import CancelledError, Client, KilledWorker, LocalCluster, wait
from cardoon.exceptions import CardoonError
from cardoon_data._calls import link as module
from cardoon_data._calls import lost as lost_calls
from cardoon_data._calls import worker
from cardoon_data._calls.parcels import LARGE, Parcels
from cardoon_data._calls.queue import Queue
from cardoon_data._calls.seal import Forged, Seal
from cardoon_data._calls.wire import QUEUE, TASK, Message, Outcome, Wire
from helpers import calls
from helpers.calls import PATIENCE, TOKEN
from helpers.processes import is_alive, wait_until

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


def test_a_child_that_is_killed_costs_one_call(client: Client, tmp_path: Path) -> None:
    others = client.map(lambda x: x, range(100))
    future = client.submit(calls.held, tmp_path, value="done")
    wait_until(lambda: calls.runs(tmp_path), PATIENCE)
    [process] = calls.runs(tmp_path)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: len(calls.runs(tmp_path)) == 2, PATIENCE)
    assert not is_alive(process)
    (tmp_path / "go").touch()
    assert future.result(PATIENCE) == "done"
    assert client.gather(others) == list(range(100))
    assert len(calls.runs(tmp_path)) == 2


def test_the_worker_that_is_killed_is_started_again(client: Client, cluster: LocalCluster, tmp_path: Path) -> None:
    futures = [client.submit(calls.held, tmp_path, f"call{number}", number) for number in range(10)]
    wait_until(lambda: calls.runs(tmp_path, "call0"), PATIENCE)
    before = cluster._calls().pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: len(calls.runs(tmp_path, "call0")) == 2, PATIENCE)
    (tmp_path / "go").touch()
    assert client.gather(futures) == list(range(10))
    assert cluster._calls().pid != before


def test_a_call_that_kills_its_process_again_and_again_is_given_up(client: Client, tmp_path: Path) -> None:
    future = client.submit(calls.die, tmp_path)
    with pytest.raises(KilledWorker, match="die-"):
        future.result(PATIENCE)
    assert len(calls.runs(tmp_path)) == 3
    assert client.submit(int, 5).result(PATIENCE) == 5


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_what_is_not_signed_is_not_unpickled(client: Client, cluster: LocalCluster, tmp_path: Path) -> None:
    sprung, forged = tmp_path / "sprung", tmp_path / "forged"
    # The trap works.
    client.submit(lambda value: value, Trap(sprung)).result(PATIENCE)
    assert sprung.exists()
    future = client.submit(int, 5)
    assert future.result(PATIENCE) == 5
    app = App("attacker", broker=cluster._calls().broker, set_as_current=False)
    for body in (pickle.dumps(Trap(forged)), b"\0" * 32 + pickle.dumps(Trap(forged)), b""):
        message = base64.b64encode(body).decode()
        with pytest.raises(Forged):
            app.send_task(TASK, (message,), queue=QUEUE).get(PATIENCE)
    with pytest.raises(Forged):
        app.send_task(TASK, (7,), queue=QUEUE).get(PATIENCE)
    assert not forged.exists()
    app.close()


def test_a_signature_is_for_one_purpose_and_one_call(tmp_path: Path) -> None:
    seal = Seal(TOKEN)
    parcels = Parcels(seal, tmp_path)
    wire = Wire(seal, parcels)
    answer, (message, _) = wire.write_outcome("1", Outcome(b"x")), wire.write_message("1", Message(b"f", b"a", [], 0))
    assert wire.read_outcome("1", answer) == Outcome(b"x")
    for id, forged in (("2", answer), ("1", message), ("1", answer[:-8] + "AAAAAAAA"), ("1", ""), ("1", "ä"), ("1", None)):
        with pytest.raises(Forged):
            wire.read_outcome(id, forged)
    with pytest.raises(Forged):
        Wire(Seal("another"), parcels).read_outcome("1", answer)
    large = parcels.pack(bytes(LARGE + 1))
    assert parcels.unpack(large.content) == bytes(LARGE + 1)
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(Forged):
        parcels.unpack(large.content)
    del large
    assert not file.exists()


def test_calls_of_a_closed_client_are_stopped(cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster) as client:
        held = client.submit(calls.held, tmp_path)
        wait_until(lambda: calls.runs(tmp_path), PATIENCE)
    assert held.cancelled()
    wait_until(lambda: not is_alive(calls.runs(tmp_path)[0]), PATIENCE)


def test_a_database_that_is_removed_ends_its_calls(tmp_path: Path) -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster, Client(cluster) as client:
        held = client.submit(calls.held, tmp_path)
        follows = client.submit(lambda value: value, held)
        wait_until(lambda: calls.runs(tmp_path), PATIENCE)
        for file in cluster._calls().folder.glob("calls.db*"):
            if file.is_file():
                file.unlink()
        for future in (held, follows, client.submit(int)):
            with pytest.raises(CardoonError, match=r"(?s)CD1109.*next: close the client.*local_directory"):
                future.result(PATIENCE)
        (tmp_path / "go").touch()


def test_a_store_that_does_not_answer_is_left_after_some_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.submit(int).result(PATIENCE)
    assert isinstance(client._calls, Queue) and client._calls._link is not None
    link = client._calls._link
    tries = []

    def collect(*_: object) -> None:
        tries.append(1)
        raise CardoonError("away", code="CD1004", kind="Unavailable", hint="")

    monkeypatch.setattr(module, "_AGAIN", 0.0)
    monkeypatch.setattr(link, "_collect", collect)
    future = client.submit(int, 5)
    wait_until(lambda: len(tries) > 3, PATIENCE)
    assert not future.done()
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    with pytest.raises(CardoonError, match="away"):
        future.result(PATIENCE)
    monkeypatch.undo()
    assert client.submit(int, 5).result(PATIENCE) == 5


def test_an_answer_that_is_gone_ends_its_future(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client.submit(int).result(PATIENCE)
    assert isinstance(client._calls, Queue) and client._calls._link is not None
    link = client._calls._link
    collect, may_look = link._collect, threading.Event()

    def look(*given: Any) -> None:
        assert may_look.wait(PATIENCE)
        collect(*given)

    monkeypatch.setattr(link, "_collect", look)
    # The thread that collects is in there from here on, as that of a program that is stopped.
    lost, held = client.submit(calls.run, tmp_path, "lost"), client.submit(calls.held, tmp_path)
    wait_until(lambda: calls.runs(tmp_path, "lost") and calls.runs(tmp_path) and len(link._pending) == 2, PATIENCE)
    waiting = [client.submit(calls.held, tmp_path, f"waiting{number}") for number in range(9)]
    wait_until(lambda: link._connection.forget(next(iter(link._pending))), PATIENCE)
    monkeypatch.setattr(lost_calls, "SILENCE", 0.0)
    may_look.set()
    wait_until(lambda: link._lost._probe is not None, PATIENCE)
    monkeypatch.setattr(lost_calls, "SILENCE", 60.0)
    (tmp_path / "go").touch()
    with pytest.raises(RuntimeError, match="the answer of run-[0-9]+ is gone"):
        lost.result(PATIENCE)
    assert client.gather([held, *waiting]) == [None] * 10
    lost.retry()
    assert lost.result(PATIENCE) is None


def test_a_file_that_does_not_fit_on_the_disk_is_not_left(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            Parcels(Seal(TOKEN), tmp_path).pack(bytes(2 * LARGE))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []
    Parcels(Seal(TOKEN), tmp_path).pack(bytes(2 * LARGE), keep=False)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_cluster_that_is_closed_cancels_its_calls(tmp_path: Path) -> None:
    cluster = LocalCluster(n_workers=1, threads_per_worker=1)
    client = Client(cluster)
    large, small = client.submit(bytes, LARGE + 1), client.submit(int, 5)
    wait([large, small], PATIENCE)
    future = client.submit(calls.held, tmp_path)
    wait_until(lambda: calls.runs(tmp_path), PATIENCE)
    cluster.close()
    with pytest.raises(CancelledError):
        future.result(PATIENCE)
    with pytest.raises(CancelledError, match="gone"):
        large.result(PATIENCE)
    assert small.result(PATIENCE) == 5
    with pytest.raises(RuntimeError, match="the cluster is closed"):
        client.submit(int)
    client.close()
    with pytest.raises(RuntimeError, match="the client is closed"):
        client.submit(int)


def test_no_worker_starts_before_the_first_call() -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster, Client(cluster):
        assert cluster._worker is None


def test_a_worker_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_RETENTION", {"CARDOON_RETENTION__DEAD": "never"})
    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster, Client(cluster) as client:
        with pytest.raises(CardoonError, match=r"(?s)did not start.*CARDOON_RETENTION__DEAD"):
            client.submit(int).result(PATIENCE)
