"""The worker of a program: ``python -m cardoon_data._calls FOLDER OPTIONS``. It ends with standard input."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading

from cardoon import _core
from cardoon_data._calls.wire import QUEUE

#: How long it may take to end, in seconds.
_END = 5.0


def main() -> None:
    """Works until standard input ends, and removes the folder."""
    folder, options = sys.argv[1], sys.argv[2:]
    threading.Thread(target=_end_with_input, args=(folder,), daemon=True).start()
    # The worker has its own handler.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    words = ["-A", "cardoon_data._calls.task", "worker", "-Q", QUEUE, "-l", "warning", "-q", "--grace", "0s"]
    os._exit(_core.cli(["cardoon", *words, *options], sys.executable))


def _end_with_input(folder: str) -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_END)
    os._exit(1)


if __name__ == "__main__":
    main()
