"""Cardoon's gateway and workers, as processes on a broker of the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cardoon.gateway import Gateway
from helpers.processes import wait_until


class Tasks:
    """A folder with a broker. What is started ends with the block."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.broker = f"sqlite:{folder}/tasks.db"
        self._stack = stack
        self._count = 0

    def start(self, *command: str, folder: Path | None = None, env: Mapping[str, str] | None = None) -> Path:
        """Starts a module of Python with its arguments, and answers the file that it writes its words to."""
        self._count += 1
        log = self.folder / f"{self._count}-{command[0]}.log"
        self._stack.enter_context(_process([sys.executable, "-m", *command], folder or self.folder, log, env or {}))
        return log

    def gateway(self) -> Gateway:
        """A client of a gateway that has been started."""
        log = self.start("cardoon", "gateway", "--listen", "127.0.0.1:0", "--broker", self.broker)
        wait_until(lambda: _address(log), 30)
        return self._stack.enter_context(Gateway(_address(log)))

    def data_worker(self, *options: str, folder: Path | None = None) -> None:
        """A worker for queries."""
        self.start("cardoon_data", "worker", "--broker", self.broker, *options, folder=folder)


@contextmanager
def tasks(folder: Path) -> Iterator[Tasks]:
    with ExitStack() as stack:
        yield Tasks(folder, stack)


@contextmanager
def _process(command: list[str], folder: Path, log: Path, env: Mapping[str, str]) -> Iterator[None]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CARDOON_")}
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env={**inherited, **env}
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(log: Path) -> str:
    found = re.search(r"http://[\d.]+:\d+", log.read_text(errors="replace"))
    return found[0] if found else ""
