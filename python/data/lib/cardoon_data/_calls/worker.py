"""The worker that runs calls on this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from concurrent.futures import CancelledError
from pathlib import Path

from cardoon_data import _errors
from cardoon_data._calls.wire import FOLDER, TOKEN

#: How long a worker may take to end, in seconds.
_END = 10.0
#: One that ends sooner after its start has not worked, in seconds.
_SOON = 10.0
#: So many in a row are started that do not work.
_ATTEMPTS = 3
#: How much is quoted of its log, in bytes.
_QUOTED = 4000

#: How long what is known of calls is kept in the database.
_RETENTION = {"CARDOON_RETENTION__RESULTS": "1h", "CARDOON_RETENTION__HISTORY": "1h"}


class Worker:
    """A worker with ``children``, its database and the files of large values, in a folder of their own in ``parent``. It is
    started again when it dies. All of it ends with this object, and with this process, however that ends.
    """

    def __init__(self, children: int, token: str, parent: str | os.PathLike[str] | None) -> None:
        #: The process that it belongs to; a fork of that has this object too.
        self.owner = os.getpid()
        #: Why there is no worker, if there is none any more.
        self.error: Exception | None = None
        if parent is not None:
            os.makedirs(parent, exist_ok=True)
        # Its mode is 0700.
        self.folder = Path(tempfile.mkdtemp(prefix="cardoon-calls-", dir=parent)).resolve()
        self.broker = f"sqlite:{self.folder / 'calls.db'}"
        self._log = self.folder / "worker.log"
        self._command = [sys.executable, "-m", "cardoon_data._calls", str(self.folder)]
        self._command += ["--broker", self.broker, "--results", self.broker, "-c", str(children)]
        self._command += ["-f", str(self._log)]
        # Modules are to be found as in this process.
        path = os.pathsep.join(os.path.abspath(each) for each in sys.path)
        self._environment = {**os.environ, **_RETENTION, "PYTHONPATH": path, TOKEN: token, FOLDER: str(self.folder)}
        self._running = _Running(self.folder)
        self._end = weakref.finalize(self, _end, self._running, self.owner)
        self._start()
        _processes.add(self)
        threading.Thread(target=_watch, args=(weakref.ref(self), self._running), daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The id of the worker's process."""
        process = self._running.process
        return process.pid if process is not None else None

    def close(self) -> None:
        """Ends the worker, waits until it is gone, and removes the folder. A second time does nothing."""
        self.error = self.error or CancelledError("the cluster is closed")
        self._end()

    def _start(self) -> None:
        with self._running.lock:
            if self._running.is_closed:
                return
            self._running.process = subprocess.Popen(
                self._command,
                # The worker ends when this pipe does.
                stdin=subprocess.PIPE,
                env=self._environment,
                # Ctrl-C ends the waiting and not the calls.
                start_new_session=True,
            )

    def _has_failed(self, status: int) -> None:
        try:
            said = self._log.read_bytes()[-_QUOTED:].decode(errors="replace")
        except OSError:
            said = ""
        self.error = _errors.no_start(said, status)


class _Running:
    """What is to be ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.is_closed = False
        self.lock = threading.Lock()


def _watch(owner: weakref.ref[Worker], running: _Running) -> None:
    """Starts the worker again when it has died. One that ends by itself, and soon, again and again, cannot work; one that is
    killed could."""
    attempts = 1
    while (process := running.process) is not None:
        started = time.monotonic()
        status = process.wait()
        found = owner()
        if running.is_closed or found is None:
            return
        if status >= 0:
            attempts = attempts + 1 if time.monotonic() - started < _SOON else 1
        if attempts > _ATTEMPTS:
            found._has_failed(status)
            return
        found._start()
        del found


def _end(running: _Running, owner: int) -> None:
    # A fork of the process has its objects too.
    if os.getpid() != owner:
        return
    with running.lock:
        running.is_closed = True
    process = running.process
    if process is not None:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    shutil.rmtree(running.folder, ignore_errors=True)


def _let_go() -> None:
    """In a fork: the pipe is the other process's alone, so that the worker ends with that one."""
    for process in list(_processes):
        running = process._running.process
        if running is not None and running.stdin is not None:
            with contextlib.suppress(OSError):
                running.stdin.close()


#: Those that this process has started, or one that it is a fork of.
_processes: weakref.WeakSet[Worker] = weakref.WeakSet()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
