"""The processes of a cluster on this machine."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
import weakref
from typing import IO

from cardoon_data import _errors

#: How long a cluster may take until it says where it is, in seconds.
_START = 40.0
#: How long it may take to end, in seconds.
_END = 10.0
#: How much is quoted of what it said before it failed, in bytes.
_QUOTED = 4000

#: The variable that holds a cluster's token.
TOKEN = "CARDOON_DATA_TOKEN"


class Processes:
    """A scheduler and its executors, started by the command ``cluster`` with ``options``. They end with this object, and
    with this process, however that ends.

    Raises :class:`OperationalError` if they do not start, and :class:`ImproperlyConfigured` if the command refuses its options.
    """

    def __init__(self, options: list[str], token: str | None) -> None:
        command = [sys.executable, "-m", "cardoon_data", "cluster", "--with-parent", *options]
        said = tempfile.TemporaryFile()
        process = subprocess.Popen(
            command,
            # The cluster ends when this pipe does.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, TOKEN: token or ""},
            # Ctrl-C ends a query and not the cluster.
            start_new_session=True,
        )
        self._process = process
        self._end = weakref.finalize(self, _end, process, os.getpid())
        _processes.add(self)
        with said:
            self.address = _first_line(process)
            if not self.address:
                self._end()
                raise _errors.no_start(_last_words(said), process.returncode)

    def close(self) -> None:
        """Ends them and waits until they are gone. A second time does nothing."""
        self._end()


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """The first line on standard output; empty if there is none in time."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        lines.put(process.stdout.readline())

    threading.Thread(target=read, daemon=True).start()
    try:
        return lines.get(timeout=_START).decode().strip()
    except queue.Empty:
        return ""


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    # A fork of the process has its objects too.
    if os.getpid() != owner:
        return
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.terminate()
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _last_words(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(size - _QUOTED, 0))
    return said.read().decode(errors="replace")


def _let_go() -> None:
    """In a fork: the pipe is the other process's alone, so that the cluster ends with that one."""
    for each in list(_processes):
        if each._process.stdin is not None:
            with contextlib.suppress(OSError):
                each._process.stdin.close()


#: Those that this process has started, or one that it is a fork of.
_processes: weakref.WeakSet[Processes] = weakref.WeakSet()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
