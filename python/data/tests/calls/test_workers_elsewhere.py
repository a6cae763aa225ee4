"""Workers of calls that other programs have started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cardoon.distributed import Client, LocalCluster
from cardoon.exceptions import CardoonError, NotRegistered
from cardoon_data import NotSupported
from cardoon_data._calls.parcels import LARGE
from cardoon_data._calls.seal import Forged
from cardoon_data._calls.wire import QUEUE
from helpers import calls
from helpers.calls import PATIENCE, TOKEN
from helpers.processes import is_alive, wait_until
from helpers.programs import program

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")


def test_workers_elsewhere_make_the_calls(elsewhere: str, cluster: LocalCluster, tmp_path: Path) -> None:
    secret = cluster._secret
    with pytest.raises(CardoonError, match="token"):
        Client(cluster, broker=elsewhere)
    with Client(cluster, token=TOKEN, broker=elsewhere) as client:
        large = os.urandom(2 * LARGE)
        assert client.submit(lambda value: value[::-1], large).result(PATIENCE) == large[::-1]
        assert client.gather(client.map(lambda x: x + 1, range(500))) == list(range(1, 501))
        held = client.submit(calls.held, tmp_path)
        wait_until(lambda: calls.runs(tmp_path), PATIENCE)
        with pytest.raises(CardoonError, match="limit"):
            client.submit(len, os.urandom(13_000_000)).result(PATIENCE)
    # The client is closed: what it had sent is stopped.
    assert held.cancelled()
    assert cluster._secret == secret
    with Client(cluster, token="another", broker=elsewhere) as client, pytest.raises(Forged):
        client.submit(int, 5).result(PATIENCE)


def test_workers_elsewhere_stop_the_calls_of_a_program_that_ends(elsewhere: str, tmp_path: Path) -> None:
    body = f"""other = Client(processes=False, token={TOKEN!r}, broker={elsewhere!r})
    folder = calls.Path({str(tmp_path)!r})
    future = other.submit(calls.held, folder)
    calls.wait_for(lambda: calls.runs(folder))"""
    done = program(tmp_path, body)
    assert (done.stderr, done.returncode) == ("", 0)
    [process] = calls.runs(tmp_path)
    wait_until(lambda: not is_alive(process), PATIENCE)


def test_a_client_of_an_address_says_what_calls_need(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(cluster.scheduler_address) as client:
        with pytest.raises(NotSupported, match="broker="):
            client.submit(int, 5)
        with pytest.raises(NotSupported, match="cardoon-data calls"):
            client.scatter(5)


def test_a_call_that_a_worker_of_tasks_takes_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("from cardoon import App\napp = App('shop')\n\n@app.task\ndef sell(): pass\n")
    broker = f"sqlite:{tmp_path / 'calls.db'}"
    command = [sys.executable, "-m", "cardoon", "-A", "shop", "worker", "-b", broker, "--results", broker]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    with subprocess.Popen([*command, "-Q", QUEUE, "-c", "1", "-l", "error"], env=environment) as worker:
        try:
            with Client(processes=False, token=TOKEN, broker=broker) as client:
                with pytest.raises(NotRegistered, match=r"(?s)makes no calls.*next: start `cardoon-data calls") as raised:
                    client.submit(int, 5).result(PATIENCE)
            assert raised.value.code == "CD3005"
        finally:
            worker.terminate()


def test_workers_elsewhere_need_a_token(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CARDOON_DATA_TOKEN"}
    command = [sys.executable, "-m", "cardoon_data", "calls", "--broker", f"sqlite:{tmp_path / 'calls.db'}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, "CARDOON_DATA_TOKEN" in done.stderr) == (2, True)
