"""A copy of the process that started a worker. It makes zygotes of itself, which have the application in memory."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from cardoon import _output, _zygote
from cardoon._greeting import greeting
from cardoon._wire import Line
from cardoon.app import App

_LONGEST_WORD = 64 * 1024

#: How often it looks whether its worker is there.
_LOOK_SECS = 1.0


def run(app: App, listener: socket.socket, lifeline: socket.socket) -> NoReturn:
    """Makes zygotes of ``app`` until nobody holds the other end of ``lifeline`` any more; then the worker has to end too. A
    word there says that one is ready."""
    worker = os.getppid()
    try:
        # Tasks that send are in the worker already.
        app.connection.before_use = None
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listener, lifeline], [], [], _LOOK_SECS)
            if lifeline in ready or os.getppid() != worker:
                break
            if listener in ready:
                _make(app, listener, lifeline)
        if os.getppid() == worker:
            os.kill(worker, signal.SIGKILL)
    finally:
        os._exit(0)


def _make(app: App, listener: socket.socket, lifeline: socket.socket) -> None:
    connection, _ = listener.accept()
    words, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_WORD, 1)
    if os.fork() == 0:
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _be_zygote(app, _pool(json.loads(words)), socket.socket(fileno=descriptors[0]), lifeline)
    connection.close()
    os.close(descriptors[0])


def _pool(words: list[str]) -> str:
    return words[words.index("--pool") + 1] if "--pool" in words else ""


def _be_zygote(app: App, pool: str, line: socket.socket, lifeline: socket.socket) -> NoReturn:
    """As ``cardoon._zygote``, with an application that needs no import. The connection to the stand-in stays open as long as
    this process lives."""
    try:
        _output.install()
        _zygote._leave_signals_to_worker()
        said = Line(line)
        with _zygote._failures_told(said, app.main):
            app.import_tasks()
            pool = pool or app.conf.worker_pool or "processes"
            answer = greeting(app, pool)
        said.say({"greeting": answer})
        lifeline.sendall(b"+")
        lifeline.close()
        gc.collect()
        gc.freeze()
        _zygote._make_children(said, app, pool)
    except BaseException as error:  # noqa: BLE001 - there is nobody left to tell but the worker's log.
        sys.stderr.write(_zygote._traceback(error))
    finally:
        os._exit(70)
