"""``cardoon-data calls``: a worker that makes the calls of clients elsewhere."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from cardoon import _core
from cardoon_data._calls.wire import QUEUE, TOKEN

_ABOUT = f"""
Makes the calls that clients of this broker submit: Client(address, broker=URL). Calls are code, so they are signed:
workers and clients have the same token in the variable {TOKEN}. Whoever has it can have anything run here.
"""


def main(words: Sequence[str]) -> int:
    """Works until it is told to end, and answers the exit status."""
    parser = argparse.ArgumentParser("cardoon-data calls", description=_ABOUT)
    parser.add_argument("-b", "--broker", required=True, help="where calls wait, such as redis://node-1:6379/0")
    parser.add_argument("-c", "--concurrency", type=int, default=os.cpu_count() or 1, help="calls at once")
    parser.add_argument("-l", "--loglevel", default="info", choices=["debug", "info", "warning", "error"])
    given = parser.parse_args(words)
    if not os.environ.get(TOKEN):
        parser.error(f"there is no token: set {TOKEN} to what clients have, such as the output of openssl rand -hex 16")
    # The worker has its own handler.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    stores = ["-b", given.broker, "--results", given.broker]
    options = ["-Q", QUEUE, "-c", str(given.concurrency), "-l", given.loglevel]
    return _core.cli(["cardoon", "-A", "cardoon_data._calls.task", "worker", *stores, *options], sys.executable)
