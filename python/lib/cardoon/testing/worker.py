"""A real worker of an application that only this process knows, such as one that a test has defined.

```
 this process ──fork──► worker: executes `cardoon worker`
                          └─fork (before)──► host: a copy of this process, with the application in memory
                                               └─fork──► zygote, which makes the children that run tasks
```

So tasks run as in production, in processes of their own, and see all that was defined, patched or mocked here.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import warnings
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from cardoon.app import App

#: How long running tasks may take to finish when the worker is stopped.
_GRACE = "1s"

#: So long a worker may take to start.
_START_SECS = 30.0

#: A worker that has not ended so many seconds after it was told is killed.
_STOP_SECS = 10.0

#: Those that this process has started.
_workers: weakref.WeakSet[Worker] = weakref.WeakSet()

_PROGRAM = """
import signal, sys
from cardoon import _core
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(_core.cli(sys.argv[2:], sys.argv[1]))
"""


class Worker:
    """A worker of ``app``. It starts when the application is first used, so that it knows the tasks that were defined until
    then, and again when others have been defined since."""

    def __init__(self, app: App, concurrency: int = 1, options: Sequence[str] = ()) -> None:
        self.app = app
        self.pid: int | None = None
        level = () if "-l" in options else ("-l", "info")
        self._options = ("-c", str(concurrency), "--grace", _GRACE, *level, *options)
        self._folder = Path(tempfile.mkdtemp(prefix="cardoon-"))
        self._known: dict[str, int] = {}
        self._lifeline: socket.socket | None = None
        _workers.add(self)

    def __enter__(self) -> Worker:
        self.app.connection.before_use = self.start
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.app.connection.before_use = None
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Starts the worker if it does not run, and anew if the application has other tasks than when it started."""
        known = {name: id(task) for name, task in self.app.tasks.items()}
        if self.pid is not None and known == self._known:
            self._assert_alive()
            return
        self.stop()
        self._known = known
        self._spawn()

    def reload(self) -> None:
        """Starts the worker anew, so that it sees what was changed here."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Lets running tasks finish for a moment, and ends the worker."""
        if self.pid is None:
            return
        pid, self.pid = self.pid, None
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not _has_ended(pid, _STOP_SECS):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._let_go()

    def log(self) -> str:
        """What the worker has written, and what its tasks have printed."""
        try:
            return (self._folder / "worker.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def _spawn(self) -> None:
        socket_file = self._folder / "host"
        socket_file.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(socket_file))
            listener.listen()
            # Where this end is closed, by whatever end of this process, the worker has to go.
            self._lifeline, lifeline = socket.socketpair()
            pid = _fork()
            if pid == 0:
                self._become_worker(listener, lifeline)
            self.pid = pid
            lifeline.close()
        self._wait_until_ready()

    def _become_worker(self, listener: socket.socket, lifeline: socket.socket) -> None:
        try:
            _detach(self._folder / "worker.log")
            if _fork() == 0:
                from cardoon.testing import _host

                _host.run(self.app, listener, lifeline)
            arguments = ["cardoon", "-A", self.app.main, "worker", *self._options, *self._queues()]
            program = [sys.executable, "-c", _PROGRAM, str(self._launcher()), *arguments]
            os.execve(sys.executable, program, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        finally:
            os._exit(70)

    def _queues(self) -> tuple[str, ...]:
        """By default all queues that tasks of the application name."""
        if "-Q" in self._options:
            return ()
        named = {task.queue for task in self.app.tasks.values() if task.queue}
        return "-Q", ",".join(sorted({self.app.conf.task_default_queue, *named}))

    def _launcher(self) -> Path:
        """What the worker executes in place of an interpreter that imports the application."""
        file = self._folder / "launcher"
        stand_in = Path(__file__).with_name("_stand_in.py")
        command = " ".join(_quoted(part) for part in (sys.executable, "-S", stand_in, self._folder / "host"))
        file.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        file.chmod(0o700)
        return file

    def _wait_until_ready(self) -> None:
        """Until it has the application, or has ended."""
        assert self._lifeline is not None
        end = time.monotonic() + _START_SECS
        while not select.select([self._lifeline], [], [], 0.05)[0]:
            self._assert_alive()
            if time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"the worker did not start within {_START_SECS:g} s:\n{self.log()}")
        self._lifeline.recv(1)

    def _assert_alive(self) -> None:
        assert self.pid is not None
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if ended:
            self.pid = None
            self._let_go()
            raise RuntimeError(f"the worker has ended with status {os.waitstatus_to_exitcode(status)}:\n{self.log()}")

    def _let_go(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None


@contextlib.contextmanager
def start_worker(app: App, concurrency: int = 1, options: Sequence[str] = ()) -> Iterator[Worker]:
    """A worker of ``app``, ended with the block. ``options``: those of ``cardoon worker``."""
    with Worker(app, concurrency, options) as worker:
        yield worker


def _leave_to_parent() -> None:
    """Workers end with the process that started them, and not with what it has forked."""
    for worker in list(_workers):
        worker._let_go()
        worker.pid = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns if there are threads. Those of this package are not: a process is forked without connections.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _detach(log: Path) -> None:
    """Ctrl-C is for this process's parent, which then ends this one; output goes to the log."""
    os.setsid()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, number in ((null, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, number)
    os.close(output)
    os.close(null)


def _has_ended(pid: int, deadline_secs: float) -> bool:
    end = time.monotonic() + deadline_secs
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def _quoted(part: object) -> str:
    return "'" + str(part).replace("'", "'\\''") + "'"
