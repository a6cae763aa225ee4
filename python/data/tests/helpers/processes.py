"""Processes and their children, which are found by the folder ``/proc``."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(*command: str, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process, ended at the end of the block."""
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end_input(process: subprocess.Popen[str]) -> None:
    """It reads no more lines."""
    assert process.stdin is not None
    process.stdin.close()


def commands_below(process: int) -> dict[int, str]:
    """The command lines of the living children of a process, and of theirs, by their ids."""
    children: dict[int, dict[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (parent := _parent(folder)) is not None:
            children.setdefault(parent, {})[int(folder.name)] = _command(folder)
    found, waiting = {}, [process]
    while waiting:
        of_one = children.get(waiting.pop(), {})
        found.update(of_one)
        waiting += of_one
    return found


def executors_below(process: int) -> set[int]:
    """The ids of the executors of a process's clusters."""
    return {each for each, command in commands_below(process).items() if "cardoon_data executor" in command}


def is_alive(process: int) -> bool:
    """Whether a process runs."""
    return _parent(Path("/proc") / str(process)) is not None


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for a condition that becomes true, and fails if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true in time"
        time.sleep(0.02)


def _parent(folder: Path) -> int | None:
    """Nothing if the process is gone, or dead and not yet waited for."""
    try:
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state in "ZX" else int(parent)


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
