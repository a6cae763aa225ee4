"""The worker of a program: ``python -m cardoon_data._calls FOLDER OPTIONS``. It ends with standard input."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading

from cardoon import _core
from cardoon_data._calls.wire import OUTPUT, QUEUE

#: How long it may take to end, in seconds.
_END = 5.0


def main() -> None:
    """Works until standard input ends, and removes the folder then."""
    folder, options = sys.argv[1], sys.argv[2:]
    ended = threading.Event()
    threading.Thread(target=_end_with_input, args=(ended,), daemon=True).start()
    # The worker has its own handler.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ[OUTPUT] = _output()
    words = ["-A", "cardoon_data._calls.task", "worker", "-Q", QUEUE, "-l", "warning", "-q", "--grace", "0s"]
    status = _core.cli(["cardoon", *words, *options], sys.executable)
    if ended.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(status)


def _output() -> str:
    """The program's standard output and error, for children: the worker gives them others."""
    numbers = [os.dup(1), os.dup(2)]
    for number in numbers:
        os.set_inheritable(number, True)
    return ",".join(map(str, numbers))


def _end_with_input(ended: threading.Event) -> None:
    os.read(0, 1)
    ended.set()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_END)
    os._exit(1)


if __name__ == "__main__":
    main()
