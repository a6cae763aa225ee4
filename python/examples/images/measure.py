"""The same work by threads and by processes, measured.

    python measure.py [--scale F]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tasks
from cardoon import Task

SLOTS = 4
POOLS = ("threads", "processes")
DEADLINE_SECS = 120


@dataclass(frozen=True)
class Work:
    """One row of the table: calls of one task, and what decides how they share the processors."""

    label: str
    task: Task[..., Any]
    calls: list[tuple[Any, ...]]
    why: str
    holds_lock: bool = False


def main() -> None:
    works = all_works(arguments().scale)
    print(f"{SLOTS} slots, {os.cpu_count()} processors; seconds for all tasks of a row")
    with tempfile.TemporaryDirectory() as folder:
        # Read by the application here and in the workers.
        os.environ["CARDOON_BROKER"] = f"sqlite:{folder}/images.db"
        measured = {pool: measure(pool, works) for pool in POOLS}
        tasks.app.close()
    show(works, measured)


def all_works(scale: float) -> list[Work]:
    darken = [(int(2400 * scale**0.5),)] * 8
    blur = [(int(3000 * scale**0.5),)] * 8
    download = [(0.5 * scale,)] * 16
    holds = "Python code holds the interpreter's lock, so that one thread at a time gets on."
    lets_go = "The C code of Pillow lets go of the interpreter's lock while it computes."
    waits = "Who waits holds no lock."
    works = [Work("darken, in Python", tasks.darken, darken, holds, holds_lock=True)]
    if tasks.has_pillow():
        works.append(Work("blur, by Pillow", tasks.blur, blur, lets_go))
    return [*works, Work("download, waits", tasks.download, download, waits)]


def measure(pool: str, works: list[Work]) -> dict[str, float]:
    with worker(pool) as process:
        run(tasks.download, [(0.01,)] * SLOTS)  # Nothing is measured until the worker is there.
        memory = memory_mib(process.pid)
        return {"memory": memory, **{work.label: run(work.task, work.calls) for work in works}}


def run(task: Task[..., Any], calls: list[tuple[Any, ...]]) -> float:
    """Seconds from the first sending to the last result."""
    began = time.monotonic()
    for result in task.send_many(calls):
        result.get(timeout=DEADLINE_SECS)
    return time.monotonic() - began


@contextmanager
def worker(pool: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "cardoon", "worker", "-A", "tasks", "-c", str(SLOTS), "-P", pool, "-q"]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE_SECS)


def memory_mib(worker: int) -> float:
    """The memory of a worker and its children; what they share counts once."""
    family = [worker]
    for pid in family:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            family += [int(child) for child in children.read_text().split()]
    kib = 0
    for pid in family:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


def show(works: list[Work], measured: dict[str, dict[str, float]]) -> None:
    row("", POOLS)
    for work in works:
        row(work.label, [f"{measured[pool][work.label]:.2f}" for pool in POOLS])
    row("memory, idle, MiB", [f"{measured[pool]['memory']:.0f}" for pool in POOLS])
    print()
    for work in works:
        print(advice(work, *(measured[pool][work.label] for pool in POOLS)))


def row(label: str, cells: tuple[str, ...] | list[str]) -> None:
    print(f"{label:22}" + "".join(f"{cell:>11}" for cell in cells))


def advice(work: Work, threads: float, processes: float) -> str:
    faster = threads > 1.25 * processes
    if faster and work.holds_lock:
        return f"{work.label}: take processes, they are {threads / processes:.1f} times as fast. {work.why}"
    if faster:
        return f"{work.label}: take threads, and measure again: something else slowed them down. {work.why}"
    if work.holds_lock:
        return f"{work.label}: take processes on more or idler processors than these. {work.why}"
    return f"{work.label}: take threads. Processes are no faster, and each has memory of its own. {work.why}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The same work by threads and by processes, measured.")
    parser.add_argument("--scale", type=float, default=1.0, help="less than 1 for less work")
    return parser.parse_args()


if __name__ == "__main__":
    main()
