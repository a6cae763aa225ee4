"""What the kernel knows of processes."""

from __future__ import annotations

import os
import time
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether ``pid`` runs; one that has ended and is not buried does not."""
    try:
        return _stat(pid)[0] not in "ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """The living processes whose parent is ``pid``."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                state, parent = _stat(int(entry))
            except OSError:
                continue
            if parent == pid and state not in "ZX":
                found.append(int(entry))
    return found


def threads_of(pid: int) -> int:
    """How many threads a process has; 0 if it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def command_of(pid: int) -> str:
    """The command line of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def gone(pids: list[int], deadline_secs: float) -> float | None:
    """Seconds until none of ``pids`` lived any more; None if that takes longer than the deadline."""
    start = time.monotonic()
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() - start > deadline_secs:
            return None
        time.sleep(0.002)
    return time.monotonic() - start


def _stat(pid: int) -> tuple[str, int]:
    # The name stands in brackets and may hold anything.
    rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return rest[0], int(rest[1])
