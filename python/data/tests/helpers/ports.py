"""Ports for servers that are started later, or never."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def quiet_port() -> int:
    """A free port that the system gives to nobody by itself, so that no connection takes it before a server does."""
    while True:
        port = random.SystemRandom().randrange(15_000, 30_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def port_of_nobody() -> Iterator[int]:
    """A port on which nobody listens for as long as the block lasts: it is taken, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
