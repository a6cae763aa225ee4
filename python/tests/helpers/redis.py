"""A Redis server of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from .waiting import until


class Redis:
    """Listens on a free port of this machine, and keeps everything in memory."""

    def __init__(self, folder: Path, program: str) -> None:
        self.port = _free_port()
        with (folder / "redis.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
                executable=program,
                stdout=log,
                stderr=log,
            )
        until(self._answers, "a Redis server that answers")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def program() -> str | None:
    """A Redis server to be executed: a usual one, one of an environment of the tests, or Redis's own checker, which is the
    same program under another name."""
    found = os.environ.get("CARDOON_TEST_REDIS") or shutil.which("redis-server")
    if found:
        return found
    environments = Path.home() / ".cache" / "cardoon" / "python"
    installed = sorted(environments.glob("redis-*/lib/python*/site-packages/*/bin/redis-server"), reverse=True)
    return str(installed[0]) if installed else shutil.which("redis-check-rdb")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
