"""How far a query has come, on the terminal."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, TextIO

from cardoon_data._engine import Progress
from cardoon_data._sizes import human

_WIDTH = 20

#: To the end of the line: what stood there before.
_ERASE = "\x1b[K"

_active: list[ProgressBar] = []


class Stage(NamedTuple):
    """A part of a query."""

    name: str
    #: That it has given out.
    rows: int
    #: Tasks of a cluster that have ended, and all; both 0 in one process.
    tasks_done: int
    tasks: int


class State(NamedTuple):
    """How far a query has come."""

    rows: int
    bytes: int
    #: Of all files; nothing if it is not known.
    all_bytes: int | None
    bad_rows: int
    spilled_bytes: int
    restarts: int
    retries: int
    stages: list[Stage]

    @classmethod
    def of(cls, progress: Progress) -> State:
        """What is known now."""
        counts, stages = progress.told()
        return cls(*counts, [Stage(*stage) for stage in stages])


class ProgressBar:
    """Shows how far queries are, on a line of its own.

    It has the bytes and rows that were read, the time that is left, and the rows of each stage; at the end the bytes that
    were spilled, how often the query was asked again because executors were lost, and the seconds.

    >>> with ProgressBar():
    ...     frame.groupby("user_id").size().compute()

    ``dt``: seconds between two looks. ``out``: where to; standard error by default. Nothing is shown on what is no
    terminal. Time goes by bytes, so none is told while it is not known how many there are, as of compressed files.
    """

    def __init__(self, dt: float = 0.1, out: TextIO | None = None) -> None:
        self.dt = dt
        self._out = out

    def register(self) -> None:
        """Shows all queries from now on."""
        _active.append(self)

    def unregister(self) -> None:
        """Shows no more queries."""
        _active.remove(self)

    def __enter__(self) -> ProgressBar:
        self.register()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unregister()

    def _follow(self, progress: Progress, ended: threading.Event) -> None:
        out = self._out or sys.stderr
        if not out.isatty():
            return
        begin = time.monotonic()
        while not ended.wait(self.dt):
            text = line(State.of(progress), time.monotonic() - begin)
            out.write("\r" + text[: _columns()] + _ERASE)
            out.flush()
        out.write("\r" + last_line(State.of(progress), time.monotonic() - begin) + _ERASE + "\n")
        out.flush()


def line(state: State, seconds: float) -> str:
    """What is shown of a query that has run for so long. A bar is there if it is known how many bytes there are."""
    return "  ".join([*_read(state), *_left(state, seconds), *map(_stage, state.stages)])


def last_line(state: State, seconds: float) -> str:
    """What is shown of a query that has ended after so long."""
    took = [f"{human(state.spilled_bytes)} spilled", f"{state.retries} retries", f"{seconds:.1f} s"]
    return "  ".join([*_read(state), *took])


def _read(state: State) -> Iterator[str]:
    if state.all_bytes:
        share = min(state.bytes / state.all_bytes, 1.0)
        yield f"[{'#' * int(share * _WIDTH):<{_WIDTH}}] {share:4.0%}"
    yield human(state.bytes)
    yield f"{state.rows:,} rows"
    if state.bad_rows:
        yield f"{state.bad_rows:,} left out"


def _left(state: State, seconds: float) -> Iterator[str]:
    left = (state.all_bytes or 0) - state.bytes
    if left > 0 and state.bytes:
        yield f"{seconds * left / state.bytes:.0f} s left"


def _stage(stage: Stage) -> str:
    tasks = f" ({stage.tasks_done}/{stage.tasks} tasks)" if stage.tasks else ""
    return f"{stage.name} {stage.rows:,}{tasks}"


def _columns() -> int:
    """How much fits on a line, so that it stays one."""
    return max(shutil.get_terminal_size().columns - 1, 1)


@contextmanager
def shown() -> Iterator[Progress | None]:
    """Shows the query that runs within, if it is to be shown, and which is to tell the progress that this gives. The query
    has this thread, so that Ctrl-C reaches it."""
    if not _active:
        yield None
        return
    progress, ended = Progress(), threading.Event()
    follow = threading.Thread(target=_active[-1]._follow, args=(progress, ended), daemon=True)
    follow.start()
    try:
        yield progress
    finally:
        ended.set()
        follow.join()
