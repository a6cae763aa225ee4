"""The workers that make calls: what dies, what is forged, and what stays behind."""

from __future__ import annotations

import base64
import contextlib
import os
import pickle
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cardoon import App
from cardoon.distributed import CancelledError, Client, KilledWorker, LocalCluster, wait
from cardoon.exceptions import CardoonError, NotRegistered
from cardoon_data import NotSupported
from cardoon_data._calls import link as module
from cardoon_data._calls import lost as lost_calls
from cardoon_data._calls import worker
from cardoon_data._calls.parcels import LARGE, Parcels
from cardoon_data._calls.queue import Queue
from cardoon_data._calls.seal import Forged, Seal
from cardoon_data._calls.wire import QUEUE, TASK, Message, Outcome, Wire
from helpers import calls
from helpers.processes import commands_below, is_alive, wait_until

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc")

TOKEN = "0123456789abcdef"

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


WARN = "def warn(): print('from a worker too', file=sys.stderr)"


def test_what_a_function_prints_is_seen(tmp_path: Path) -> None:
    done = _program(tmp_path, "client.submit(print, 'from a worker').result(60); client.submit(warn).result(60)", WARN)
    assert (done.stdout, done.stderr, done.returncode) == ("from a worker\n", "from a worker too\n", 0)


def test_functions_of_the_program_run_in_workers(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("def triple(x):\n    return 3 * x\n")
    body = "print(client.gather(client.map(double, range(4))), client.submit(beside.triple, 5).result(60))"
    done = _program(tmp_path, body, "import beside\ndef double(x):\n    return 2 * x")
    assert (done.stdout, done.stderr) == ("[0, 2, 4, 6] 15\n", "")


PROGRAM = """
import os, sys
from cardoon.distributed import Client, LocalCluster
from helpers import calls
{head}
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=1, threads_per_worker=2)
    client = Client(cluster)
    {body}
"""


def _script(folder: Path, body: str, head: str = "") -> tuple[list[str], dict[str, str]]:
    script = folder / "script.py"
    script.write_text(PROGRAM.format(body=body, head=head), encoding="utf-8")
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return [sys.executable, str(script)], {**os.environ, "PYTHONPATH": path}


def _program(folder: Path, body: str, head: str = "") -> subprocess.CompletedProcess[str]:
    command, environment = _script(folder, body, head)
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=90)


def _say(word: str) -> str:
    return f"print({word!r}, flush=True)"


HOLDING = "f = [client.submit(calls.held, calls.Path('.'), f'call{i}') for i in range(2)]; print('ready', flush=True)"


@pytest.mark.parametrize(
    "end",
    [f"client.close(); cluster.close(); {_say('closed')}; sys.stdin.read()", "sys.exit(3)", "", "sys.stdin.read()"],
    ids=["closed", "exits", "ends", "is killed"],
)
def test_no_process_stays_behind(tmp_path: Path, end: str) -> None:
    wait_here = "calls.wait_for(lambda: calls.runs(calls.Path('.'), 'call0'))"
    body = f"{HOLDING}\n    {wait_here}; {_say('runs')}; sys.stdin.readline()\n    {end}"
    command, environment = _script(tmp_path, body)
    environment["TMPDIR"] = str(tmp_path)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None and program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["ready\n", "runs\n"]
        below = commands_below(program.pid)
        assert any("cardoon_data._calls" in command for command in below.values())
        assert set(calls.runs(tmp_path, "call0")) <= set(below)
        assert list(tmp_path.glob("cardoon-calls-*"))
        program.stdin.write("\n")
        program.stdin.flush()
        if "closed" in end:
            assert program.stdout.readline() == "closed\n"
        elif "read" in end:
            program.kill()
        else:
            assert program.wait(PATIENCE) == (3 if "exit" in end else 0)
        wait_until(lambda: not any(map(is_alive, below)), 15)
        wait_until(lambda: not list(tmp_path.glob("cardoon-calls-*")))
        program.kill()


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


def test_all_processes_end_with_their_program_and_not_with_a_fork_of_that(tmp_path: Path) -> None:
    body = """print(client.submit(int, 5).result(60), flush=True)
    print(os.fork(), flush=True)
    sys.stdin.readline()"""
    command, environment = _script(tmp_path, body)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None and program.stdout is not None
        assert program.stdout.readline() == "5\n"
        started = commands_below(program.pid)
        assert all(any(word in each for each in started.values()) for word in ("cluster", "executor", "_calls"))
        # Each of the two prints what it has got of the fork.
        fork = max(int(program.stdout.readline()) for _ in range(2))
        try:
            program.kill()
            wait_until(lambda: not any(map(is_alive, started.keys() - {fork})), 15)
            assert is_alive(fork)
        finally:
            os.kill(fork, signal.SIGKILL)


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


def test_a_fork_has_workers_of_its_own(tmp_path: Path) -> None:
    body = """pid = os.fork()
    if pid == 0:
        print(all("fork" in str(each.exception(60)) for each in (before, last)))
        print(client.gather(client.map(double, range(3))), client.submit(os.getppid).result(60) != first, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    open("go", "w").close()
    print(last.result(60), client.submit(os.getppid).result(60) == first)"""
    head = "def double(x):\n    return 2 * x"
    start = """first = client.submit(os.getppid).result(60)
    before = client.submit(calls.held, calls.Path('.'), value=1)
    last = client.submit(lambda value: value, before)
    """
    done = _program(tmp_path, start + body, head)
    assert (done.stdout, done.stderr) == ("True\n[0, 2, 4] True\n1 True\n", "")


def test_no_worker_starts_before_the_first_call() -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster, Client(cluster):
        assert cluster._worker is None


def test_a_worker_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_RETENTION", {"CARDOON_RETENTION__DEAD": "never"})
    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster, Client(cluster) as client:
        with pytest.raises(CardoonError, match=r"(?s)did not start.*CARDOON_RETENTION__DEAD"):
            client.submit(int).result(PATIENCE)


@pytest.fixture(params=["sqlite", "redis"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A worker that nobody of this program has started, and where it takes calls from."""
    with contextlib.ExitStack() as ended:
        broker = f"sqlite:{tmp_path / 'calls.db'}"
        if request.param == "redis":
            broker = ended.enter_context(_redis(tmp_path))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CARDOON_DATA_TOKEN": TOKEN}
        command = [sys.executable, "-m", "cardoon_data", "calls", "--broker", broker, "-c", "2", "-l", "error"]
        worker = ended.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        ended.callback(worker.terminate)
        yield broker


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """A Redis server of its own, and its URL."""
    program = _redis_program()
    assert program is not None, "there is no Redis server: cargo xtask setup installs one for the tests"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        wait_until(lambda: _answers(port))
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


def _redis_program() -> str | None:
    """A usual one, or one of an environment of the tests."""
    found = os.environ.get("CARDOON_TEST_REDIS") or shutil.which("redis-server")
    environments = Path.home() / ".cache" / "cardoon" / "python"
    installed = sorted(environments.glob("redis-*/lib/python*/site-packages/*/bin/redis-server"), reverse=True)
    return found or next(map(str, installed), None)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(7) == b"+PONG\r\n"
    return False


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
    done = _program(tmp_path, body)
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
