"""Functions that workers call. They tell by files that they run, and wait for files."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

#: How long a result may take, and a condition, in seconds. Machines of tests are busy.
PATIENCE = 60

#: What programs and workers that they have not started share.
TOKEN = "0123456789abcdef"


class Own(Exception):
    """An exception that is neither Python's nor ours."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name, number)
        self.number = number


def meet(folder: Path, count: int) -> int:
    """Waits until so many calls are here at once, and answers the process."""
    (folder / f"here-{uuid.uuid4().hex}").touch()
    wait_for(lambda: len(list(folder.glob("here-*"))) >= count)
    return os.getpid()


def held(folder: Path, name: str = "call", value: object = None) -> object:
    """Says that it runs, and returns when the file ``go`` is there."""
    run(folder, name)
    wait_for(lambda: (folder / "go").exists())
    return value


def run(folder: Path, name: str = "call", value: object = None) -> object:
    """Says that it runs."""
    (folder / f"{name}-{uuid.uuid4().hex}").write_text(str(os.getpid()))
    return value


def runs(folder: Path, name: str = "call") -> list[int]:
    """The processes in which such a call has begun to run, for each time."""
    return [int(text) for file in folder.glob(f"{name}-*") if (text := file.read_text())]


def fail(folder: Path, times: int) -> str:
    """Fails so many times."""
    run(folder, "failing")
    if len(runs(folder, "failing")) <= times:
        raise Own("failed", len(runs(folder, "failing")))
    return "done"


def die(folder: Path) -> None:
    """Says that it runs, and ends its process as nobody could prevent."""
    run(folder)
    os.kill(os.getpid(), 9)


def wait_for(condition: Callable[[], object]) -> None:
    """Waits for a condition, and fails if it does not become true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it has not become true in time"
        time.sleep(0.01)
