"""A Redis server of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from .ports import quiet_port
from .waiting import until


#: So often a server is started on another port, because somebody else has taken the one that was free.
ATTEMPTS = 5


class Redis:
    """Listens on a free port of this machine, and keeps everything in memory."""

    def __init__(self, folder: Path, program: str) -> None:
        for _ in range(ATTEMPTS):
            self._start(folder, program)
            until(lambda: self._has_ended() or self._answers(), "a Redis server that answers")
            if not self._has_ended():
                return
        raise AssertionError(f"no Redis server starts: {(folder / 'redis.log').read_text(errors='replace')[-2000:]}")

    def _start(self, folder: Path, program: str) -> None:
        self.port = quiet_port()
        with (folder / "redis.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
                executable=program,
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _has_ended(self) -> bool:
        return self.process.poll() is not None

    def _answers(self) -> bool:
        """Whether this server answers, and not another one that has the port."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                return f"process_id:{self.process.pid}\r\n".encode() in connection.recv(4096)
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
